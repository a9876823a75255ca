"""Reshaping: one record into one row in the order of its columns, the stubs of its references, and findings."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl.catalogue.resource import Resource
from etl.copy_text import NULL, format_row
from etl.models.base import row_id
from etl.record import Record, StagedRecord
from etl.reshape.reshaper import (
    LEADING_COLUMNS,
    TRAILING_COLUMNS,
    Finding,
    ReferenceResult,
    Reshaped,
    Reshaper,
    encode_json,
    json_cleaner,
    masked_text,
    path_reader,
    row_columns,
)
from etl.resources import CATALOGUE, find_resource
from etl.values import Severity, Timestamp, Violation

TENANT = "agency"
MODIFIED = datetime(2026, 3, 1, 8, tzinfo=UTC)
CREATED = datetime(2025, 3, 1, 8, tzinfo=UTC)
RAW_ID = "00000000-0000-7000-a000-000000000001"

CONTACT = {"EntityID": 41207, "Status": "A", "DisplayName": "Ada Lovelace", "Email": "ada@example.com"}


def reshape(
    resource: str | Resource, decoded: Mapping[str, Any], *, strict: bool = False, zone: str = "UTC"
) -> Reshaped:
    """Reshape one record of a resource."""
    record = Record("41207", encode_json(decoded), bytes(range(16)), MODIFIED, False, MODIFIED, CREATED)
    candidate = StagedRecord(RAW_ID, record, cached_fields=dict(decoded))
    described = find_resource(resource) if isinstance(resource, str) else resource
    return Reshaper(described, TENANT, zone=zone, strict=strict)(candidate)


def reference_result(
    name: str, decoded: Mapping[str, Any], *, strict: bool = False, zone: str = "UTC"
) -> ReferenceResult:
    """Clean one record of a resource by the reference path."""
    return Reshaper(find_resource(name), TENANT, zone=zone, strict=strict).reference_path("41207", decoded)


def row(name: str, decoded: Mapping[str, Any], **settings: Any) -> dict[str, Any]:
    """Reshape a record that becomes a row, and return it by column, with the field values of the reference path."""
    reshaped, reference = reshape(name, decoded, **settings), reference_result(name, decoded, **settings)
    assert reshaped.row is not None, reshaped.findings
    assert reference.values is not None
    columns = row_columns(find_resource(name).model, find_resource(name).data_source)
    texts = reshaped.row.text.split("\t")
    fields = slice(len(LEADING_COLUMNS), len(columns) - len(TRAILING_COLUMNS))
    assert "\t".join(texts[fields]) == format_row(reference.values)
    return dict(zip(columns, texts, strict=True)) | dict(zip(columns[fields], reference.values, strict=True))


def findings(name: str, decoded: Mapping[str, Any], **settings: Any) -> dict[str, tuple[str, Severity]]:
    """Reshape one record and return its findings by field."""
    return {finding.field: (finding.rule, finding.severity) for finding in reshape(name, decoded, **settings).findings}


def test_a_row_has_ids_values_and_times() -> None:
    cells = row("contacts", CONTACT | {"LocationID": 310, "Phone": "(727) 555-0123"})
    assert cells["id"] == str(row_id(TENANT, "contacts", "41207"))
    assert cells["source_id"] == "41207"
    assert cells["location_id"] == str(row_id(TENANT, "locations", "310"))
    assert (cells["status"], cells["display_name"], cells["email"]) == ("A", "Ada Lovelace", "ada@example.com")
    times = (str(CREATED), str(MODIFIED), str(MODIFIED))
    assert (cells["source_created_at"], cells["source_modified_at"], cells["version_at"]) == times
    assert (cells["deleted_at"], cells["raw_id"]) == (NULL, RAW_ID)
    assert cells["content_hash"] == bytes(range(16)).hex()


def test_a_valid_record_has_no_findings() -> None:
    assert reshape("contacts", CONTACT).findings == []


def test_an_invalid_value_is_dropped_and_its_record_kept() -> None:
    decoded = CONTACT | {"Email": "ada@"}
    assert row("contacts", decoded)["email"] is None
    assert findings("contacts", decoded) == {"email": ("email-no-domain", Severity.DROPPED)}


def test_strict_validation_refuses_a_record_with_an_invalid_value() -> None:
    reshaped = reshape("contacts", CONTACT | {"Email": "ada@"}, strict=True)
    assert (reshaped.row, reshaped.refused, reshaped.stubs) == (None, True, [])
    assert [finding.severity for finding in reshaped.findings] == [Severity.REFUSED]


def test_an_unknown_code_is_noted_or_refused_when_strict() -> None:
    decoded = CONTACT | {"Status": "Q"}
    assert row("contacts", decoded)["status"] == "Q"
    assert findings("contacts", decoded) == {"status": ("code-unknown", Severity.NOTED)}
    assert reshape("contacts", decoded, strict=True).refused


@pytest.mark.parametrize(("status", "rule"), [(None, "missing"), ("", "missing"), ([7], "code-type")])
def test_a_record_without_a_required_value_is_refused(status: Any, rule: str) -> None:
    reshaped = reshape("contacts", CONTACT | {"Status": status, "LocationID": 310})
    assert (reshaped.row, reshaped.refused, reshaped.stubs) == (None, True, [])
    assert [(finding.field, finding.rule, finding.severity) for finding in reshaped.findings] == [
        ("status", rule, Severity.REFUSED)
    ]


def test_a_missing_expected_value_is_noted() -> None:
    assert findings("contacts", {"EntityID": 41207, "Status": "A"}) == {"display_name": ("missing", Severity.NOTED)}


def test_a_finding_names_the_field_and_not_the_value() -> None:
    (finding,) = reshape("contacts", CONTACT | {"Email": "ada@"}).findings
    assert finding == Finding(
        "contacts", "41207", "email", "email-no-domain", Severity.DROPPED, finding.message, "ada@"
    )
    assert finding.message.startswith("email ")
    assert "ada" not in finding.message


def test_a_reference_makes_a_stub_with_the_name_in_the_record() -> None:
    decoded = {"CustomerID": 41207, "AgentID": 7, "Agent": " Grace Hopper ", "CsrID": 8, "CSR": "N/A"}
    stubs = reshape("account_info", decoded).stubs
    assert ("employees", "7", "Grace Hopper") in stubs
    assert ("employees", "8", None) in stubs


@pytest.mark.parametrize("nobody", [0, -1, "0", "", None, "00000000-0000-0000-0000-000000000000"])
def test_an_empty_reference_is_null(nobody: Any) -> None:
    reshaped = reshape("account_info", {"CustomerID": 41207, "AgentID": nobody, "Agent": "Grace Hopper"})
    assert not [table for table, _, _ in reshaped.stubs if table == "employees"]
    assert row("account_info", {"CustomerID": 41207, "AgentID": nobody})["agent_id"] is None


def test_a_record_may_make_stubs_without_a_reference_column() -> None:
    stubs = reshape("contacts", CONTACT | {"AgentName": "Grace Hopper"}).stubs
    assert [(table, label) for table, _, label in stubs] == [("employees", "Grace Hopper")]


def test_a_deleted_record_is_marked_with_its_own_time() -> None:
    assert row("contacts", CONTACT | {"Status": "D"})["deleted_at"] == str(MODIFIED)


def test_a_record_that_is_only_staged_becomes_nothing() -> None:
    assert reshape(find_resource("premium"), {"PolicyID": 1, "TotalPremium": "bad"}) == Reshaped(None, [], [])


def test_times_without_a_zone_use_the_zone_of_the_settings() -> None:
    compiled = [Reshaper(described, TENANT, zone="America/New_York", strict=False) for described in CATALOGUE]
    kinds = [getattr(cell.clean, "__self__", None) for reshaper in compiled for cell in reshaper.column_readers]
    assert {kind.zone for kind in kinds if isinstance(kind, Timestamp)} == {"America/New_York"}


def test_a_json_value_becomes_text_that_jsonb_accepts() -> None:
    def clean(raw: Any) -> Any:
        return [item.replace("\x00", "") for item in raw] if raw else None

    as_text = json_cleaner(clean)
    assert json.loads(as_text({"a": [1, None]})) == {"a": [1, None]}
    assert as_text(["a\x00b"]) == '["ab"]'
    assert as_text([]) is None
    assert isinstance(json_cleaner(lambda _: Violation("json-bad", "is bad"))(7), Violation)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("name", "Ada"),
        ("address.city", "London"),
        ("lines.0.code", "AUTO"),
        ("lines.1.code", None),
        ("name.first", None),
        ("lines.code", None),
        ("nothing", None),
        ("nothing.at.all", None),
    ],
)
def test_a_path_is_followed_as_far_as_the_record_goes(path: str, value: Any) -> None:
    record = {"name": "Ada", "address": {"city": "London"}, "lines": [{"code": "AUTO"}]}
    assert path_reader(path)(record) == value


def test_the_raw_value_of_a_finding_is_one_short_line() -> None:
    assert masked_text("a\n b\tc") == "a b c"
    assert masked_text({"a": [1]}) == '{"a":[1]}'
    assert "\x00" not in masked_text("a\x00b")
    assert len(masked_text("x" * 10_000)) == 200


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@pytest.mark.parametrize("name", ["contacts", "policies", "account_info", "billing_records", "policy_details"])
@given(data=st.data())
def test_no_record_breaks_the_reshaper(name: str, data: st.DataObject) -> None:
    cells = Reshaper(find_resource(name), TENANT, zone="UTC", strict=False).column_readers
    keys = [str(cell.path[0]) for cell in cells if cell.path]
    decoded = data.draw(st.dictionaries(st.sampled_from(keys), json_values, max_size=8))
    reshaped = reshape(name, decoded)
    assert (reshaped.row is None) == any(finding.severity is Severity.REFUSED for finding in reshaped.findings)
    columns = row_columns(find_resource(name).model, find_resource(name).data_source)
    assert reshaped.row is None or reshaped.row.text.count("\t") == len(columns) - 1
