"""Facts about the records of the API: how the values of a record become the columns of its row."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest

from etl.catalogue.detail_rules import Priority
from etl.models import codes, core
from etl.models.base import fields_of
from etl.models.products import is_deleted
from etl.models.sources import value_at
from etl.render.dictionary import data_dictionary
from etl.resources import find_resource
from etl.values import Code, Reference, Severity, Violation

OFFICE = {
    "LocationID": 310, "QQID": "104233", "LocationName": "Lakeside", "StreetAddressLine1": "9 Elm St",
    "PhoneNumber": "(305) 555-0142", "EmailAddress": "office@example.com",
}  # fmt: skip
OLDER_OFFICE = {
    "LocationID": 310, "QQID": "104233", "Name": "Lakeside", "Line1": "9 Elm St", "Phone": "(305) 555-0142",
    "Email": "office@example.com",
}  # fmt: skip
POLICY = {
    "PolicyId": 88121, "PolicyNumber": "PA 0042-17", "CustomerId": 41207, "Status": "A", "Term": "A",
    "EffectiveDate": "2025-02-01T00:00:00", "ExpirationDate": "2026-02-01T00:00:00", "LOB": "Personal Auto",
    "LOBId": 6, "CarrierId": 77, "MGAId": 78, "ProducerIDs": [512, 511], "IsDeleted": False,
}  # fmt: skip
CONTACT = {"EntityID": 41207, "DisplayName": "Rivera, Dana", "Status": "A", "ContactType": "C", "ContactSubType": "C"}


def clean(name: str, column: str, record: Mapping[str, Any]) -> Any:
    """Return what the cleaning of a column makes of a record: a value, a Violation, or the row that it refers to."""
    resource = find_resource(name)
    field = fields_of(resource.model, resource.data_source)[column]
    source = field.source
    value = field.kind.clean(source(record) if callable(source) else value_at(record, str(source)))
    return (field.kind.table, value) if isinstance(field.kind, Reference) else value


def is_noted(result: Any, value: str) -> bool:
    """Return whether a value was kept and reported."""
    return isinstance(result, Violation) and result.value == value and result.severity is Severity.NOTED


@pytest.mark.fact("location-id")
def test_an_office_is_known_by_its_location_id_and_its_qqid_is_a_column() -> None:
    assert find_resource("locations").id == "LocationID"
    assert clean("locations", "qqid", OFFICE) == "104233"
    assert clean("contacts", "location_id", CONTACT | {"LocationID": 310}) == ("locations", "310")


@pytest.mark.fact("office-spelling")
@pytest.mark.parametrize("office", [OFFICE, OLDER_OFFICE])
def test_an_office_is_read_in_either_spelling(office: Mapping[str, Any]) -> None:
    columns = [clean("locations", column, office) for column in ("name", "line1", "phone", "email")]
    assert columns == ["Lakeside", "9 Elm St", "+13055550142", "office@example.com"]


@pytest.mark.fact("office-references")
@pytest.mark.parametrize(
    ("name", "column", "record"),
    [
        ("account_info", "office_id", {"OfficeID": 310}),
        ("billing_records", "location_id", {"LocationId": 310}),
        ("commission_rules", "location_id", {"OfficeId": 310}),
    ],
)
def test_the_office_of_a_record_is_a_location_id(name: str, column: str, record: Mapping[str, Any]) -> None:
    assert clean(name, column, record) == ("locations", "310")


@pytest.mark.fact("contact-type-h")
def test_a_contact_type_that_nobody_knows_is_kept_and_noted() -> None:
    assert is_noted(clean("contacts", "contact_type", CONTACT | {"ContactType": "H"}), "H")


@pytest.mark.fact("people-ids")
def test_the_companies_and_people_of_a_policy_are_contacts() -> None:
    assert clean("policies", "carrier_id", POLICY) == ("carriers", "77")
    assert clean("policies", "mga_id", POLICY) == ("carriers", "78")
    assert clean("policies", "mga_source_id", POLICY) == "78"
    assert clean("policies", "producer_ids", POLICY) == ["512", "511"]
    assert clean("account_info", "agent_id", {"AgentID": 512}) == ("employees", "512")
    assert clean("account_info", "csr_id", {"CsrID": 515}) == ("employees", "515")


@pytest.mark.fact("carrier-list")
def test_the_list_of_carriers_fills_only_what_contacts_do_not_have() -> None:
    assert set(fields_of(core.Carrier, core.CARRIER_LIST)) == {"parent_carrier_id", "website", "active"}


@pytest.mark.fact("policy-status")
@pytest.mark.parametrize("status", "ACDEP")
def test_the_status_of_a_policy_is_stored_as_it_is(status: str) -> None:
    assert clean("policies", "status", POLICY | {"Status": status}) == status


@pytest.mark.fact("status-void")
def test_a_void_policy_is_stored_and_not_in_force() -> None:
    assert clean("policies", "status", POLICY | {"Status": "V"}) == "V"
    rule = find_resource("policy_details").parent
    assert rule is not None
    for status, is_in_force in (("A", True), ("P", True), ("V", False)):
        policy = POLICY | {"Status": status}
        priority = rule.value.find_priority(policy, date(2025, 6, 1))
        assert (priority is Priority.IN_FORCE) is is_in_force


@pytest.mark.fact("policy-term")
@pytest.mark.parametrize("term", "AS")
def test_the_term_of_a_policy_is_stored_as_it_is(term: str) -> None:
    assert clean("policies", "term", POLICY | {"Term": term}) == term


@pytest.mark.fact("lob-ids")
@pytest.mark.parametrize(("number", "name"), [(6, "Personal Auto"), (34, "Home Warranty"), (99_999, "PERSONAL AUTO")])
def test_a_line_of_business_keeps_the_vendors_id_and_the_agencys_name(number: int, name: str) -> None:
    policy = POLICY | {"LOBId": number, "LOB": name}
    assert clean("policies", "lob_id", policy) == str(number)
    assert clean("policies", "line_of_business", policy) == name


@pytest.mark.fact("business-type")
@pytest.mark.parametrize("code", "NRW")
def test_a_renewal_says_whether_it_is_a_rewrite(code: str) -> None:
    assert clean("renewals", "business_type", {"BusinessType": code}) == code


@pytest.mark.fact("adjustment-types")
def test_only_cancellation_is_a_known_type_of_adjustment_and_others_are_kept() -> None:
    assert clean("adjustments", "adjustment_type", {"AdjustmentType": "C"}) == "C"
    assert is_noted(clean("adjustments", "adjustment_type", {"AdjustmentType": "E"}), "E")


@pytest.mark.fact("cancellation-date")
def test_no_field_is_the_effective_date_of_a_cancellation() -> None:
    assert str(clean("terminations", "termination_date", {"AdjustmentDate": "2025-06-01T00:00:00"})) == "2025-06-01"
    assert "effective_date" not in fields_of(find_resource("terminations").model)


@pytest.mark.fact("unknown-codes")
@pytest.mark.parametrize(
    ("name", "column", "field"),
    [
        ("claims", "status", "Status"),
        ("applications", "status", "Status"),
        ("commissions", "status", "Status"),
        ("commissions", "transaction_type", "TransactionType"),
        ("policy_details", "billing_type", "BillingType"),
    ],
)
def test_every_code_of_a_call_that_nobody_published_is_kept_and_none_reported(
    name: str, column: str, field: str
) -> None:
    assert [clean(name, column, {field: code}) for code in ("A", "Q")] == ["A", "Q"]


@pytest.mark.fact("code-meanings")
def test_meanings_that_follow_from_use_are_marked_as_assumed() -> None:
    """Only that V means void was concluded; an integration or the vendor's samples show every other meaning."""
    vocabularies = [value for value in vars(codes).values() if isinstance(value, Code)]
    assert {(kind.vocabulary, code) for kind in vocabularies for code in kind.assumed} == {("policy status", "V")}
    assert "V void (assumed)" in data_dictionary()


@pytest.mark.fact("is-deleted")
@pytest.mark.parametrize(
    ("status", "flag", "deleted"), [("A", False, False), ("D", False, True), ("A", True, True), ("D", True, True)]
)
def test_a_policy_is_deleted_by_its_status_or_by_its_flag(status: str, flag: bool, deleted: bool) -> None:
    assert is_deleted(POLICY | {"Status": status, "IsDeleted": flag}) is deleted
