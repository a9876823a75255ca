"""A sync of a small book whose answers are golden bodies: what views, computed columns and placeholders show."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from databases import MIGRATED, clone_database
from golden_api import serve_bodies
from sites import Site, open_site
from snapshots import pairs, values

from etl.database.embedded.server import EmbeddedPostgres

GOLDEN = Path(__file__).parents[2] / "unit/simulator/golden"
RESOURCES = ("locations", "contacts", "policies", "policy_details", "adjustments", "commissions")


def golden(name: str) -> Any:
    """Return a golden body, of a page its records."""
    body = json.loads((GOLDEN / f"{name}.json").read_text())
    return body["Data"] if isinstance(body, dict) and "Data" in body else body


def kind(letter: str | None) -> dict[str, str | None]:
    """Return both fields with the kind of a contact."""
    return {"ContactType": letter, "ContactSubType": letter}


CUSTOMER, PROSPECT, CARRIER, MGA, EMPLOYEE = golden("contacts")
(POLICY,), (INFO,), (ENDORSEMENT, CANCELLATION) = golden("policies"), golden("policy_info"), golden("adjustments")

CONTACTS = [
    CUSTOMER, PROSPECT, CARRIER, MGA, EMPLOYEE,
    {**CUSTOMER, "EntityID": 41209, **kind("H")},
    {**CUSTOMER, "EntityID": 41210, **kind(None)},
    {**CUSTOMER, "EntityID": 41211, "Status": "D"},
    {**CUSTOMER, "EntityID": 41212, "ContactSubType": "P"},
    {**CUSTOMER, "EntityID": 41213, "ContactSubType": "E"},
    {**CUSTOMER, "EntityID": 41214, "Status": "I"},
]  # fmt: skip

POLICIES = [
    {**POLICY, "PolicyId": 80110, "Status": "C", "TotalPremium": 1700.0, "PriorPolicyID": None},
    {**POLICY, "ProducerIDs": [515, 512], "TotalPremium": 1842.0},
    {**POLICY, "PolicyId": 88122, "PriorPolicyID": 80111, "CarrierId": 78, "WritingCarrier": "Palm Mutual"},
    {**POLICY, "PolicyId": 88123, "PriorPolicyID": 80110, "Status": "V"},
    {**POLICY, "PolicyId": 88124, "PriorPolicyID": 80110, "Status": "D"},
    {**POLICY, "PolicyId": 88125, "CustomerId": 41211, "PriorPolicyID": None},
]

#: Of these, 2 is the last by its date; 9 and 10 are later by their number than others of the day before.
CANCELLATIONS = [
    {**CANCELLATION, "AdjustmentId": 9, "AdjustmentDate": "2025-06-01T00:00:00"},
    {**CANCELLATION, "AdjustmentId": 2, "AdjustmentDate": "2025-06-02T00:00:00"},
    {**CANCELLATION, "AdjustmentId": 10, "AdjustmentDate": "2025-06-01T00:00:00"},
    {**ENDORSEMENT, "AdjustmentId": 11, "AdjustmentDate": "2025-07-01T00:00:00"},
]

BODIES: Mapping[str, Any] = {
    "BusinessLogic/Ping": golden("ping"),
    "Locations/UserLocationsV2": golden("locations"),
    "Contacts/LastModifiedCreated": CONTACTS,
    "Policies/LastModifiedCreated": POLICIES,
    "Policies/80110/PolicyInfo": [{**INFO, "PolicyID": 80110, "BusinessType": "N"}],
    "Policies/88121/PolicyInfo": [INFO],
    "Policies/88122/PolicyInfo": [{**INFO, "PolicyID": 88122, "BusinessType": "R", "BinderDate": None}],
    "Policies/88123/PolicyInfo": [{**INFO, "PolicyID": 88123, "BusinessType": "R"}],
    "Policies/88124/PolicyInfo": [{**INFO, "PolicyID": 88124, "BusinessType": "R"}],
    "Policies/88125/PolicyInfo": [{**INFO, "PolicyID": 88125, "BusinessType": "N"}],
    **{f"Policies/{policy['PolicyId']}/Adjustments": [] for policy in POLICIES},
    "Policies/80110/Adjustments": CANCELLATIONS,
    "Policies/88121/Adjustments": [
        {**CANCELLATION, "AdjustmentId": 99, "AdjustmentDate": "2025-06-01T00:00:00"},
        {**CANCELLATION, "AdjustmentId": 100, "AdjustmentDate": "2025-06-01T00:00:00"},
    ],
}


@pytest.fixture(scope="module")
def book(server: EmbeddedPostgres) -> Iterator[Site]:
    """Give a database that was synced once with the golden book."""
    with (
        clone_database(server.url, MIGRATED) as url,
        serve_bodies(BODIES) as api,
        open_site(api, url, etl_resources="default") as site,  # type: ignore[arg-type]  # only its addresses are read
    ):
        summary = site.sync_once(resources=RESOURCES)
        assert summary.exit_status == 0, summary.batch.error
        yield site


def ids(site: Site, view: str) -> list[str]:
    """Return the source ids that a table or view shows."""
    return values(site.engine, f"SELECT source_id FROM {view} ORDER BY 1")


def test_customers_are_the_contacts_that_are_nothing_else(book: Site) -> None:
    assert ids(book, "v_customers") == ["41207", "41209", "41210", "41214"]
    assert ids(book, "v_prospects") == ["41208", "41212"]
    assert len(ids(book, "contacts")) == len(CONTACTS)


def test_carriers_have_the_name_of_their_contact_and_the_number_in_policy_details(book: Site) -> None:
    carriers = "SELECT source_id, concat_ws(' | ', name, is_mga, naic, is_placeholder) FROM carriers ORDER BY 1"
    assert pairs(book.engine, carriers) == [
        ("77", "Example Mutual | f | 12345 | f"),
        ("78", "Palm Mutual | 12345 | t"),
        ("95", "Gulfline Underwriters | t | f"),
    ]


def test_staff_have_the_name_of_their_contact_or_the_one_in_other_records(book: Site) -> None:
    staff = "SELECT source_id, concat_ws(' | ', display_name, is_placeholder) FROM employees ORDER BY 1"
    assert pairs(book.engine, staff) == [
        ("41213", "Rivera, Dana | f"),
        ("512", "Lee, Kim | f"),
        ("515", "Lou May | t"),
        ("name:Kim Lee", "Kim Lee | t"),
    ]


def test_offices_have_names_and_contacts_point_to_them_by_location_id(book: Site) -> None:
    offices = """
        SELECT contact.source_id, concat_ws(' | ', office.source_id, office.qqid, office.name, office.is_placeholder)
        FROM contacts AS contact JOIN locations AS office ON office.id = contact.location_id
        WHERE contact.source_id IN ('41207', '41208') ORDER BY 1
    """
    assert pairs(book.engine, offices) == [("41207", "310 | 104233 | Hialeah office | f"), ("41208", "311 | t")]


def test_a_renewal_a_rewrite_and_a_shell_are_distinguished(book: Site) -> None:
    renewals = """
        SELECT source_id, concat_ws(' | ', business_type, is_confirmed, prior_premium, premium_change)
        FROM v_renewals ORDER BY 1
    """
    assert pairs(book.engine, renewals) == [
        ("88121", "W | t | 1700.00 | 142.00"),
        ("88122", "R | f"),
        ("88123", "R | t | 1700.00 | 142.00"),
    ]


def test_a_void_policy_is_kept_and_a_deleted_one_is_hidden_with_those_of_a_deleted_customer(book: Site) -> None:
    assert pairs(book.engine, "SELECT source_id, status FROM v_policies ORDER BY 1") == [
        ("80110", "C"), ("88121", "A"), ("88122", "A"), ("88123", "V"),
    ]  # fmt: skip


def test_the_last_cancellation_by_date_and_then_by_number_is_current(book: Site) -> None:
    terminations = "SELECT source_id, is_current FROM terminations ORDER BY length(source_id), source_id"
    assert pairs(book.engine, terminations) == [
        ("2", True), ("9", False), ("10", False), ("99", False), ("100", True),
    ]  # fmt: skip


def test_commissions_come_of_adjustments_where_the_account_offers_none(book: Site) -> None:
    commissions = """
        SELECT commission.source_id, concat_ws(' | ', policy.source_id, commission.amount, commission.origin)
        FROM commissions AS commission JOIN policies AS policy ON policy.id = commission.policy_id ORDER BY 1
    """
    assert pairs(book.engine, commissions) == [
        ("adjustment:10", "80110 | -123.20 | adjustment"),
        ("adjustment:100", "88121 | -123.20 | adjustment"),
        ("adjustment:11", "80110 | 12.05 | adjustment"),
        ("adjustment:2", "80110 | -123.20 | adjustment"),
        ("adjustment:9", "80110 | -123.20 | adjustment"),
        ("adjustment:99", "88121 | -123.20 | adjustment"),
    ]


def test_producers_of_a_policy_are_linked_in_their_order(book: Site) -> None:
    producers = """
        SELECT employee.source_id, link.position FROM policy_producers AS link
        JOIN policies AS policy ON policy.id = link.policy_id
        JOIN employees AS employee ON employee.id = link.employee_id
        WHERE policy.source_id = '88121' ORDER BY link.position
    """
    assert pairs(book.engine, producers) == [("515", 1), ("512", 2)]


def test_only_codes_without_a_known_meaning_are_noted_of_single_values(book: Site) -> None:
    found = """
        SELECT DISTINCT source_id, table_name FROM etl.findings
        WHERE severity <> 'noted' OR rule IN ('code-unknown', 'missing') ORDER BY 1
    """
    assert pairs(book.engine, found) == [("code:E", "adjustments"), ("code:H", "contacts"), ("code:I", "contacts")]
