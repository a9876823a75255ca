"""Derived records: parts of a record as records, with the sets that are complete with them."""

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from etl.catalogue.resource import Derivation, Resource
from etl.models import financial
from etl.record import Record, StagedRecord, decode
from etl.reshape.derive import derive_records
from etl.resources import derived_from

MODIFIED = datetime(2026, 3, 1, 8, tzinfo=UTC)
CREATED = datetime(2025, 3, 1, 8, tzinfo=UTC)
RAW_ID = UUID(int=7)


def candidate(source_id: str, decoded: Mapping[str, Any]) -> StagedRecord:
    """Return a staged record to derive from."""
    raw = json.dumps(decoded).encode()
    return StagedRecord(str(RAW_ID), Record(source_id, raw, b"", MODIFIED, False, MODIFIED, CREATED))


def way(name: str, source: str) -> tuple[Resource, Derivation]:
    """Return the derivation of a resource."""
    return next((item, how) for item, how in derived_from(source) if item.name == name)


POLICY = {
    "PolicyId": 9,
    "PolicyAgencyFees": [
        {"AgencyFeeName": "Broker fee", "Amount": 25.5},
        {"AgencyFeeName": "Broker fee", "Amount": 10},
        {"AgencyFeeName": "Inspection", "Amount": 40},
    ],
}


def test_the_parts_of_a_record_are_records_of_one_complete_set() -> None:
    arrivals, sets = derive_records(*way("fees", "policies"), [candidate("9", POLICY)])
    ids = [item.record.source_id for item in arrivals]
    assert len(set(ids)) == 3
    assert all(source_id.startswith("policy:9:") for source_id in ids)
    assert [(item.key, item.source_ids) for item in sets] == [("policies:9", frozenset(ids))]


def test_a_part_keeps_the_version_of_the_record_it_came_from() -> None:
    arrivals, _ = derive_records(*way("fees", "policies"), [candidate("9", POLICY)])
    record = arrivals[0].record
    assert (record.version_at, record.undated, record.created_at) == (MODIFIED, False, CREATED)
    assert (record.set_key, record.parent_raw_id, arrivals[0].request_id) == ("policies:9", RAW_ID, None)


def test_a_part_has_a_modification_time_only_if_it_contains_one() -> None:
    fees, _ = derive_records(*way("fees", "policies"), [candidate("9", POLICY)])
    pending = {"PolicyId": 9, "Status": "P", "DateLastModified": "2026-03-01T08:00:00"}
    applications, _ = derive_records(*way("applications", "policies"), [candidate("9", pending)])
    assert {item.record.modified_at for item in fees} == {None}
    assert [item.record.modified_at for item in applications] == [MODIFIED]


def test_an_empty_list_of_parts_is_an_empty_set_in_any_case_of_its_key() -> None:
    none, silent = candidate("9", {"PolicyId": 9, "POLICYAGENCYFEES": []}), candidate("10", {"PolicyId": 10})
    arrivals, sets = derive_records(*way("fees", "policies"), [none, silent])
    assert arrivals == []
    assert [(item.key, item.source_ids) for item in sets] == [("policies:9", frozenset())]


def test_a_record_without_its_list_says_nothing_about_its_parts() -> None:
    silent = [candidate("9", {"PolicyId": 9}), candidate("10", {"PolicyAgencyFees": None})]
    assert derive_records(*way("fees", "policies"), silent) == ([], [])


def test_parts_that_occur_in_several_records_form_no_set() -> None:
    offices = [candidate(str(number), {"QQID": number, "AgencyID": 7, "AgencyName": "Sunshine"}) for number in (1, 2)]
    arrivals, sets = derive_records(*way("agencies", "locations"), offices)
    assert [item.record.source_id for item in arrivals] == ["7", "7"]
    assert [item.record.set_key for item in arrivals] == [None, None]
    assert sets == []


def test_equal_parts_have_equal_hashes() -> None:
    once, again = (derive_records(*way("fees", "policies"), [candidate("9", POLICY)])[0] for _ in range(2))
    assert [item.record.content_hash for item in once] == [item.record.content_hash for item in again]
    assert len({item.record.content_hash for item in once}) == 3


def test_numbers_are_unchanged() -> None:
    dear = {"PolicyId": 9, "PolicyAgencyFees": [{"AgencyFeeName": "Fee", "Amount": 1234567890123456.78}]}
    raw = candidate("9", {}).record
    text = json.dumps(dear).replace("1234567890123456.8", "1234567890123456.78").encode()
    whole = StagedRecord(str(RAW_ID), Record("9", text, b"", raw.version_at, False))
    arrivals, _ = derive_records(*way("fees", "policies"), [whole])
    assert str(decode(arrivals[0].record.raw)["Amount"]) == "1234567890123456.78"


def test_a_part_without_an_id_stays_in_its_record_and_the_others_are_no_complete_set() -> None:
    nameless = Derivation("policies", lambda _: [{"FeeID": None}, {"FeeID": "f:1"}, {"FeeID": [1]}])
    resource, _ = way("fees", "policies")
    arrivals, sets = derive_records(resource, nameless, [candidate("9", {})])
    assert [item.record.source_id for item in arrivals] == ["f:1"]
    assert not sets


@pytest.mark.parametrize(
    ("make", "record", "ids"),
    [
        (financial.agency_fees, {"PolicyId": Decimal("7.0"), "PolicyAgencyFees": [{"AgencyFeeName": "Broker fee"}]},
         ["policy:7:Broker fee"]),
        (financial.carrier_fees, {"QuoteID": " 5 ", "QuoteCarrierFees": [{"CarrierFeeID": Decimal("3.0")}]},
         ["quote:5:3"]),
        (financial.carrier_fees, {"QuoteID": 5, "QuoteCarrierFees": [{"CarrierFeeID": None}, {}]}, [None]),
    ],
)  # fmt: skip
def test_an_id_that_is_made_from_ids_is_the_same_in_every_spelling_of_these(
    make: Callable[[Mapping[str, Any]], Iterable[Mapping[str, Any]]], record: dict[str, Any], ids: list[str | None]
) -> None:
    assert [fee["FeeID"] for fee in make(record)] == ids
