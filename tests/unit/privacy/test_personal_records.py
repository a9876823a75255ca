"""Personal records: which person a record belongs to, and which fields are kept when the person is forgotten."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from etl.catalogue.resource import Resource
from etl.models.base import REQUIRED, fields_of
from etl.privacy.personal_records import (
    PARENT,
    find_impersonal_fields,
    find_linking_tables,
    find_person_tables,
    is_forgotten,
    is_fully_personal,
    iterate_paths,
    scrub,
    scrub_record,
)
from etl.record import Record, decode
from etl.resources import CATALOGUE, PEOPLE, find_resource

BELONGING = [resource for resource in CATALOGUE if resource.table in find_person_tables()]
MIXED = [resource for resource in BELONGING if not is_fully_personal(resource)]


def named(*pairs: tuple[str, str]) -> Any:
    return lambda table, source_id: (table, source_id) in pairs


@pytest.mark.parametrize(
    ("name", "record", "is_personal"),
    [
        ("policies", {"PolicyId": 5, "CustomerId": 7}, True),
        ("policies", {"PolicyId": 5, "CustomerId": "7 "}, True),
        ("policies", {"policyID": 6, "customerid": 7}, True),
        ("quotes", {"quoteid": 1, "_parent": {"policyid": 5, "CUSTOMERID": 7}}, True),
        ("policies", {"PolicyId": 5, "CustomerId": 8}, False),
        ("policies", {"PolicyId": 6, "CustomerId": 8, "PriorPolicyID": 5}, False),
        ("policies", {"PolicyId": 5, "CustomerId": None}, False),
        ("claims", {"ClaimID": 1, "PolicyID": 5}, True),
        ("claims", {"ClaimID": 1, "PolicyID": 5, "CustomerID": 8}, False),
        ("claims", {"ClaimID": 1, "PolicyID": 9, "CustomerID": 7}, True),
        ("claims", {"ClaimID": 1, "PolicyID": {"odd": 1}, "CustomerID": [7]}, False),
        ("quotes", {"QuoteID": 1, "_parent": {"PolicyId": 5, "CustomerId": 7}}, True),
        ("drivers", {"DriverID": 1, "_parent": {"PolicyId": 9, "CustomerId": 7}}, True),
        ("coverages", {"CoverageID": 1, "PolicyId": 9, "VehicleID": 3}, False),
        ("documents", {"BlobInfoId": 1, "_parent": {"EntityID": 7}}, True),
        ("notes", {"Id": 1, "AssignedContactId": 7}, True),
        ("policy_notes", {"Id": 1, "AssignedContactId": 8, "_parent": {"PolicyId": 5, "CustomerId": 7}}, False),
        ("premium", {"PolicyID": 5, "_parent": {"PolicyId": 5, "CustomerId": 7}}, True),
        ("policy_lines", {"PolicyLineID": 1, "_parent": {"PolicyId": 6, "CustomerId": 8}}, False),
        ("carrier_fees", {"CarrierFeeID": 7, "_parent": {"LocationID": 7}}, False),
        ("employees", {"EntityID": 7, "ContactSubType": "E"}, False),
        ("carriers", {"CarrierID": 7}, False),
    ],
)
def test_a_record_belongs_to_its_person_or_to_the_person_of_its_policy(
    name: str, record: dict[str, Any], is_personal: bool
) -> None:
    known = named(("contacts", "7"), ("policies", "5"))
    assert is_forgotten(find_resource(name), "1", record, known) is is_personal


def test_a_contact_is_identified_by_its_id_in_both_sources() -> None:
    for name in (PEOPLE, "account_info"):
        assert is_forgotten(find_resource(name), "7", {"EntityID": 7}, named(("contacts", "7")))
        assert not is_forgotten(find_resource(name), "8", {"EntityID": 8}, named(("contacts", "7")))


def test_staff_and_market_tables_never_belong_to_a_person() -> None:
    assert not find_person_tables() & {
        "employees",
        "locations",
        "departments",
        "agencies",
        "carriers",
        "commission_rules",
    }
    assert find_linking_tables() == {"contacts", "policies", "quotes", "vehicles", "adjustments"}


@pytest.mark.parametrize("resource", MIXED, ids=lambda resource: resource.name)
def test_a_scrubbed_record_has_no_value_for_personal_columns(resource: Resource) -> None:
    fields = fields_of(resource.model, resource.data_source).values()
    filled: dict[str, Any] = {}
    for path in {*iterate_paths(fields)}:
        at: Any = filled
        *steps, last = path.split(".")
        for step in steps:
            at = at.setdefault(step, {}) if isinstance(at, dict) else {}
        if isinstance(at, dict) and last not in at:
            at[last] = "x"
    left = scrub(resource, filled)
    for path in iterate_paths(about for about in fields if about.personal):
        assert path.split(".")[0] not in left or path.startswith(f"{PARENT}."), path
    for path in iterate_paths(about for about in fields if not about.personal):
        key = path.split(".")[0]
        personal = {name.split(".")[0] for name in iterate_paths(about for about in fields if about.personal)}
        assert key in left or key in personal, path


@pytest.mark.parametrize("resource", MIXED, ids=lambda resource: resource.name)
def test_identifying_fields_are_kept(resource: Resource) -> None:
    for name in (
        resource.id,
        resource.changes.modified,
        resource.changes.created,
        *(name for name, _ in resource.model.deletion_mark),
    ):
        if isinstance(name, str) and not name.startswith(PARENT):
            assert name.casefold() in find_impersonal_fields(resource).record_fields
    if resource.parent is not None:
        assert {carried.casefold() for carried in resource.parent.parent_fields} <= find_impersonal_fields(
            resource
        ).parent_fields


def test_no_personal_column_is_required() -> None:
    for resource in CATALOGUE:
        for name, about in fields_of(resource.model, resource.data_source).items():
            assert not (about.personal and about.presence is REQUIRED), f"{resource.name}.{name}"


def test_undeclared_fields_are_removed_in_any_case_and_depth() -> None:
    record = {
        "PolicyId": 5, "customerid": 7, "CustomerName": "Ann", "CustomerPhone": "305", "Mail": {"To": ["Ann"]},
        "LOBList": [{"Code": "AUTOP"}], "_call": {"kind": "agency"}, "TotalPremium": 12.5,
    }  # fmt: skip
    assert scrub(find_resource("policies"), record) == {
        "PolicyId": 5, "customerid": 7, "LOBList": [{"Code": "AUTOP"}], "_call": {"kind": "agency"},
        "TotalPremium": 12.5,
    }  # fmt: skip


def test_the_parent_fields_of_a_nested_record_are_scrubbed() -> None:
    around = {"PolicyId": 5, "CustomerId": 7, "CustomerName": "Ann", "DateLastModified": "2026-01-01T00:00:00"}
    record = {"DriverID": 1, "FirstName": "Ann", "DOB": "1951-03-17", "MVRPoints": 2, "_parent": around}
    stays = {key: value for key, value in around.items() if key != "CustomerName"}
    assert scrub(find_resource("drivers"), record) == {"DriverID": 1, "MVRPoints": 2, "_parent": stays}


def test_scrubbing_is_idempotent_and_independent_of_field_order() -> None:
    now = datetime(2026, 1, 5, tzinfo=UTC)
    texts = (b'{"PolicyId": 5, "TotalPremium": 1.50, "CustomerName": "Ann"}', b'{"TotalPremium":1.50,"PolicyId":5}')
    first, second = (
        scrub_record(find_resource("policies"), Record("5", raw, b"0" * 16, now, undated=False)) for raw in texts
    )
    assert first.raw == second.raw
    assert first.content_hash == second.content_hash == scrub_record(find_resource("policies"), first).content_hash
    assert msgspec.json.encode(decode(first.raw)["PolicyId"]) == b"5"
    assert b"1.50" in first.raw
