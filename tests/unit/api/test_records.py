"""Records from the items of a page: id, version, sets, secrets left out, and text that the database can hold."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl.api.protocol import Page, Records, make_records
from etl.api.protocol.jsonb import clean_json_reference, is_secret, with_safe_escapes
from etl.catalogue.resource import Resource
from etl.errors import InvalidRecord
from etl.record import ReadSet, decode
from etl.resources import find_resource

NOW = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
RAW_ID = UUID(int=7)


@dataclass(frozen=True)
class Parent:
    parent_id: str = "88"
    parent_raw_id: UUID = RAW_ID
    carried: bytes = b'{"PolicyId":88,"LOBList":[{"Name":"Auto"},{"Name":"Home"}]}'


def page(*items: Mapping[str, Any] | bytes) -> Page:
    return Page([item if isinstance(item, bytes) else json.dumps(item).encode() for item in items])


def read(
    resource: Resource | str, *items: Mapping[str, Any] | bytes, zone: str = "UTC", parent: Parent | None = None
) -> Records:
    resource = find_resource(resource) if isinstance(resource, str) else resource
    return make_records(resource, resource.endpoints[0], page(*items), requested_at=NOW, zone=zone, parent=parent)


def test_a_plain_record_keeps_its_text_to_the_byte() -> None:
    text = (
        b'{ "EntityID": 41207,"DateLastModified":"2025-05-04T14:11:09.13" , "CreatedOn":"2023-01-01T00:00:00","N":1.50}'
    )
    (record,) = read("contacts", text).records
    assert (record.source_id, record.raw) == ("41207", text)
    assert record.content_hash == blake2b(text, digest_size=16).digest()
    assert record.modified_at == record.version_at == datetime(2025, 5, 4, 14, 11, 9, 130_000, UTC)
    assert (record.created_at, record.undated) == (datetime(2023, 1, 1, tzinfo=UTC), False)
    assert (record.set_key, record.parent_raw_id) == (None, None)


@pytest.mark.parametrize(
    ("modified", "created", "version", "undated"),
    [
        ("2025-05-04T00:00:00", "2023-01-01T00:00:00", datetime(2025, 5, 4, tzinfo=UTC), False),
        (None, "2023-01-01T00:00:00", datetime(2023, 1, 1, tzinfo=UTC), False),
        ("", "2023-01-01T00:00:00", datetime(2023, 1, 1, tzinfo=UTC), False),
        ("0001-01-01T00:00:00", "7/19/2012 1:41:59 PM", datetime(2012, 7, 19, 13, 41, 59, tzinfo=UTC), False),
        ("never", None, NOW, True),
        (None, None, NOW, True),
        (17, {"a": 1}, NOW, True),
        ("2031-01-01T00:00:00", None, NOW, False),
    ],
)
@pytest.mark.fact("never-modified")
def test_the_version_is_the_sources_time_and_never_later_than_the_request(
    modified: object, created: object, version: datetime, undated: bool
) -> None:
    (record,) = read("contacts", {"EntityID": 1, "DateLastModified": modified, "CreatedOn": created}).records
    assert (record.version_at, record.undated) == (version, undated)


@pytest.mark.fact("zone")
def test_times_without_a_zone_are_read_in_the_zone_of_the_setting() -> None:
    (record,) = read("contacts", {"EntityID": 1, "CreatedOn": "2025-07-01T12:00:00"}, zone="America/New_York").records
    assert record.created_at == datetime(2025, 7, 1, 16, tzinfo=UTC)


@pytest.mark.parametrize(
    ("raw", "name"), [(1, "1"), ("1", "1"), (" 1 ", "1"), (1.0, "1"), ("01", "01"), (10**30, str(10**30))]
)
def test_one_id_has_one_text_for_all_types(raw: object, name: str) -> None:
    page_records = read("contacts", {"EntityID": raw})
    assert ([record.source_id for record in page_records.records], page_records.item_ids) == ([name], [name])


@pytest.mark.parametrize("raw", [None, "", "  ", True, [1], {"a": 1}, 1.5])
def test_an_item_without_a_usable_id_is_named_by_its_position(raw: object) -> None:
    page_records = read("contacts", {"EntityID": 1}, {"EntityID": raw}, {"DisplayName": "x"}, {"EntityID": 2})
    assert [record.source_id for record in page_records.records] == ["1", "2"]
    assert [bad.position for bad in page_records.bad] == [1, 2]
    assert all("id" in bad.reason for bad in page_records.bad)


@pytest.mark.parametrize("item", [b"1", b'"text"', b"null", b"[1]", b"true"])
def test_an_item_that_is_no_object_is_bad(item: bytes) -> None:
    page_records = read("contacts", item, {"EntityID": 2})
    assert ([bad.reason for bad in page_records.bad], page_records.item_ids) == (["is not an object"], ["2"])


@pytest.mark.parametrize(
    "first",
    [{"entityid": 1, "datelastmodified": "2025-05-04T00:00:00"}, {"ENTITYID": 1, "DateLASTModified": "2025-05-04"}],
)
def test_keys_match_in_any_case(first: dict[str, object]) -> None:
    page_records = read("contacts", first, first | {next(iter(first)): 2})
    assert [record.source_id for record in page_records.records] == ["1", "2"]
    assert {record.version_at for record in page_records.records} == {datetime(2025, 5, 4, tzinfo=UTC)}


def test_what_the_call_implies_is_in_each_record() -> None:
    rules = find_resource("commission_rules")
    page_records = make_records(rules, rules.endpoints[1], page({"CommissionRuleID": 5}, b"{ }"), requested_at=NOW)
    assert json.loads(page_records.records[0].raw) == {"CommissionRuleID": 5, "_call": {"kind": "producer"}}
    assert (page_records.records[0].source_id, [bad.position for bad in page_records.bad]) == ("producer:5", [1])


def test_the_details_of_a_parent_are_a_set_and_carry_what_they_need_of_it() -> None:
    page_records = read("quotes", {"QuoteID": 3}, {"QuoteID": 4}, parent=Parent())
    assert page_records.sets == [ReadSet("policies:88", frozenset({"3", "4"}))]
    assert {record.set_key for record in page_records.records} == {"policies:88"}
    assert {record.parent_raw_id for record in page_records.records} == {RAW_ID}
    assert json.loads(page_records.records[0].raw)["_parent"] == json.loads(Parent().carried)


def test_a_key_that_the_record_names_itself_does_not_hide_the_parent() -> None:
    (record,) = read("quotes", {"QuoteID": 3, "_parent": "mine"}, parent=Parent()).records
    assert decode(record.raw)["_parent"]["PolicyId"] == 88


def test_an_empty_answer_completes_an_empty_set() -> None:
    page_records = read("quotes", parent=Parent())
    assert (page_records.records, page_records.sets) == ([], [ReadSet("policies:88", frozenset())])


def test_a_set_with_a_bad_record_is_not_complete() -> None:
    page_records = read("quotes", {"QuoteID": 3}, {"QuoteID": None}, parent=Parent())
    assert (len(page_records.records), len(page_records.bad), page_records.sets) == (1, 1, [])


def test_fallback_records_are_used_where_a_parents_answer_is_empty() -> None:
    page_records = read("policy_details", parent=Parent())
    assert [record.source_id for record in page_records.records] == ["policy:88", "policy:88:2"]
    assert page_records.sets == [ReadSet("policies:88", frozenset({"policy:88", "policy:88:2"}))]
    assert json.loads(page_records.records[1].raw)["LOBList"] == [{"Name": "Home"}]
    assert read("policy_details", {"PolicyDetailsID": 5}, parent=Parent()).item_ids == ["5"]


NESTED = {
    "PolicyId": 9,
    "CustomerId": 4,
    "DateLastModified": "2025-05-04T00:00:00",
    "Drivers": [{"DriverID": 1}, {"DriverID": 2}],
}


def test_a_nested_list_is_its_parents_complete_set() -> None:
    page_records = read("drivers", NESTED, NESTED | {"PolicyId": "10", "Drivers": []})
    assert [record.source_id for record in page_records.records] == ["1", "2"]
    changed = datetime(2025, 5, 4, tzinfo=UTC)
    assert page_records.sets == [
        ReadSet("policies:9", frozenset({"1", "2"}), changed),
        ReadSet("policies:10", frozenset(), changed),
    ]
    assert page_records.item_ids == ["9", "10"]
    assert page_records.records[0].version_at == datetime(2025, 5, 4, tzinfo=UTC)
    around = {key: value for key, value in NESTED.items() if key != "Drivers"}
    assert json.loads(page_records.records[0].raw) == {"DriverID": 1, "_parent": around}


def test_an_item_without_its_list_says_nothing_about_its_parent() -> None:
    page_records = read("drivers", NESTED | {"Drivers": None}, {"PolicyId": 11})
    assert (page_records.sets, page_records.item_ids) == ([], ["9", "11"])


def test_a_bad_member_of_a_nested_list_costs_only_the_completeness_of_the_set() -> None:
    page_records = read(
        "drivers", NESTED | {"Drivers": [{"DriverID": 1}, {}]}, {"Drivers": []}, NESTED | {"PolicyId": 12}
    )
    assert (
        [record.source_id for record in page_records.records],
        [read_set.key for read_set in page_records.sets],
    ) == (
        ["1", "1", "2"],
        ["policies:12"],
    )
    assert [bad.position for bad in page_records.bad] == [0, 1]


# --- secrets ---

SSN = "078-05-1120"


@pytest.mark.parametrize(
    "item",
    [
        {"EntityID": 1, "SSN": SSN},
        {"EntityID": 1, "ssn": SSN},
        {"EntityID": 1, "DriverSSN": SSN},
        {"EntityID": 1, "SocialSecurityNumber": SSN},
        {"EntityID": 1, "Deep": [{"More": {"UserPassword": SSN, "Ssn": SSN}}]},
        {"EntityID": 1, "SocSecNo": SSN},
        {"EntityID": 1, "Social_Security_No": SSN},
        {"EntityID": 1, "social-security-no": SSN},
        {"EntityID": 1, "S.S.N.": SSN},
        {"EntityID": 1, "SSNo": SSN},
        {"EntityID": 1, "LoginPassword": SSN},
        {"EntityID": 1, "user_pwd": SSN},
        {"EntityID": 1, "TaxID": SSN},
        {"EntityID": 1, "Tax_Payer_Id": SSN},
        {"EntityID": 1, "CVV2": SSN},
        {"EntityID": 1, "Facts": [{"Name": "SSN", "Value": SSN}, {"Name": "Color", "Value": "red"}]},
        {"EntityID": 1, "Facts": [{"Value": SSN, "Label": "Social Security No."}]},
        {"EntityID": 1, "Facts": {"question": "What is your SSN?", "AnswerText": SSN, "StringValue": SSN}},
        {"EntityID": 1, "Facts": [["Password", SSN], ["Color", "red"]]},
        {"EntityID": 1, "Note": f"SSN {SSN}, call back"},
        {"EntityID": 1, "Note": f"ssn is {SSN.replace('-', ' ')}"},
        {"EntityID": 1, "Notes": [f"Her tax id: {SSN}"]},
        {"EntityID": 1, "Note": json.dumps({"SSN": SSN})},
        {"EntityID": 1, "Note": f"portal password: {SSN}"},
        b'{"EntityID":1,"\\u0053SN":"078-05-1120"}',
        b'{"EntityID":1,"S\\u0053N" : "078-05-1120"}',
        b'{"EntityID":1, "SSN"\t:\r\n"078-05-1120"}',
    ],
)
@pytest.mark.parametrize("name", ["contacts", "policies"])
@pytest.mark.fact("ssn")
def test_no_social_security_number_gets_through(item: dict[str, Any] | bytes, name: str) -> None:
    resource = replace(find_resource(name), id="EntityID")
    (record,) = read(resource, item).records
    assert SSN.encode() not in record.raw
    assert SSN.replace("-", " ").encode() not in record.raw
    assert b"EntityID" in record.raw


def test_text_next_to_a_secret_is_kept() -> None:
    facts = [
        {"Name": "SSN", "Value": SSN, "Id": 3},
        {"Name": "Color", "Value": "red"},
        ["Password", SSN],
        ["a", "b", "c"],
    ]
    (record,) = read("policies", {"PolicyId": 1, "Facts": facts, "Note": f"SSN {SSN} on file"}).records
    assert decode(record.raw) == {
        "PolicyId": 1,
        "Facts": [{"Name": "SSN", "Id": 3}, {"Name": "Color", "Value": "red"}, ["Password", "***"], ["a", "b", "c"]],
        "Note": "SSN *** on file",
    }


@pytest.mark.parametrize(
    "text",
    ["BusinessName", "business number 123456789", "a lesson", "Passat", "passenger side", "Taxes", "BusinessNo 5"],
)
def test_words_that_resemble_secrets_cost_nothing(text: str) -> None:
    """The record is staged to the byte."""
    raw = json.dumps({"PolicyId": 1, text: text}).encode()
    (record,) = read("policies", raw).records
    assert record.raw == raw


@pytest.mark.fact("portal-password")
def test_the_secrets_of_a_resource_are_left_out_and_nothing_else_changes() -> None:
    text = b'{"CustomerID":7,"UserID":"dana","userpassword":1,"Big":1234567890123456789012345.1230,"Agent":"\\u00e9"}'
    (record,) = read("account_info", text, parent=Parent("7", RAW_ID, b"{}")).records
    assert b"dana" not in record.raw
    assert b"1234567890123456789012345.1230" in record.raw
    assert set(decode(record.raw)) - {"_parent"} == {"CustomerID", "Big", "Agent"}


def test_a_user_id_elsewhere_is_no_secret() -> None:
    (record,) = read("policies", {"PolicyId": 1, "UserID": 5}).records
    assert decode(record.raw)["UserID"] == 5


def test_secrets_of_a_nested_record_are_left_out() -> None:
    (record,) = read("drivers", NESTED | {"Drivers": [{"DriverID": 1, "SSN": SSN, "FirstName": "Dana"}]}).records
    assert SSN.encode() not in record.raw
    assert decode(record.raw)["FirstName"] == "Dana"


@pytest.mark.parametrize("key", ["BusinessName", "UserId", "PasswordProtected", "Lesson", "UserID"])
def test_harmless_keys_are_kept(key: str) -> None:
    assert not is_secret(key, frozenset())


# --- what jsonb can hold ---


@pytest.mark.parametrize(
    ("text", "safe", "mended"),
    [
        (rb'"\u0000"', rb'"\ufffd"', 1),
        (rb'"\\u0000"', rb'"\\u0000"', 0),
        (rb'"\\\u0000"', rb'"\\\ufffd"', 1),
        (rb'"\ud83d\ude00"', rb'"\ud83d\ude00"', 0),
        (rb'"\ud83d"', rb'"\ufffd"', 1),
        (rb'"\ude00\ud83d"', rb'"\ufffd\ufffd"', 2),
        (rb'"\uD83Dx\uDE00"', rb'"\ufffdx\ufffd"', 2),
        (rb'"\ud83d\ud83d\ude00"', rb'"\ufffd\ud83d\ude00"', 1),
        (rb'{"\u0000a":"\u00001"}', rb'{"\ufffda":"\ufffd1"}', 2),
        (b'"plain \\n"', b'"plain \\n"', 0),
    ],
)
def test_what_jsonb_refuses_in_strings_is_replaced(text: bytes, safe: bytes, mended: int) -> None:
    assert with_safe_escapes(text) == (safe, mended)


@given(st.text(alphabet='\\u0dD83deEfF"a\x00\ud83d\ude00\ud800', max_size=30))
def test_no_text_keeps_a_nul_or_half_a_pair(text: str) -> None:
    safe, _ = with_safe_escapes(json.dumps(text).encode())
    again = json.loads(safe)
    assert "\x00" not in again
    again.encode("utf-8")
    assert with_safe_escapes(safe) == (safe, 0)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b'{"EntityID":1,"x":' + b"[" * 200 + b"]" * 200 + b"}", "deeper than 200"),
        (b'{"EntityID":1,"x":1e131073}', "out of range"),
        (b'{"EntityID":1,"x":1E+999999}', "out of range"),
        (b'{"EntityID":1,"x":1e-16384}', "out of range"),
        (b'{"EntityID":1,"x":1e99999999999999999999}', "out of range"),
        (b'{"EntityID":1,"x":' + b"9" * 4_301 + b"}", "4,300 digits"),
        (b'{"EntityID":1,"x":0.' + b"9" * 20_000 + b"}", "out of range"),
        (b'{"EntityID":1,"x":"' + b"a" * 10_000_000 + b'"}', "10,000,000 bytes"),
        (b'{"EntityID":1,"x":"\xff"}', "not UTF-8"),
        (b'{"EntityID":1,"x":"\xed\xa0\x80"}', "not UTF-8"),
    ],
)
def test_what_the_database_cannot_hold_is_refused_with_its_reason(text: bytes, reason: str) -> None:
    page_records = read("contacts", text, {"EntityID": 2})
    assert page_records.item_ids == ["2"]
    assert reason in page_records.bad[0].reason


@pytest.mark.parametrize(
    "text",
    [
        b'{"EntityID":1,"x":' + b"[" * 199 + b"]" * 199 + b"}",
        b'{"EntityID":1,"x":"' + b"[{" * 300 + b'"}',
        b'{"EntityID":1,"x":1e400,"y":1e-16383,"z":0.1}',
        b'{"EntityID":1,"x":' + b"9" * 4_299 + b"}",
        b'{"EntityID":1,"x":"' + b"a" * 3_000_000 + b'"}',
        b'{"EntityID":1,' + b",".join(b'"k%d":{}' % number for number in range(5_000)) + b"}",
        '{"EntityID":1,"x":"Núñez \U0001f600"}'.encode(),
    ],
)
def test_what_the_database_can_hold_stays_as_it_is(text: bytes) -> None:
    (record,) = read("contacts", text).records
    assert record.raw == text
    decode(record.raw)


def test_a_key_that_comes_twice_is_noticed_where_a_record_is_read_with_care() -> None:
    page_records = read("contacts", b'{"EntityID":1,"EntityID":2,"x":1e0005}')
    assert (page_records.item_ids, page_records.duplicate_keys) == (["2"], 1)


@given(
    st.dictionaries(
        st.text(max_size=6), st.none() | st.integers() | st.text(max_size=6) | st.lists(st.integers()), max_size=5
    )
)
def test_care_changes_nothing_but_secrets(value: dict[str, Any]) -> None:
    text = json.dumps({key: member for key, member in value.items() if not is_secret(key, frozenset())}).encode()
    with_secret = json.dumps({"SSN": SSN, **json.loads(text)}).encode()
    safe, _ = with_safe_escapes(text)
    try:
        assert clean_json_reference(safe, ()) == (safe, False)
        assert json.loads(clean_json_reference(with_safe_escapes(with_secret)[0], ())[0]) == json.loads(safe)
    except InvalidRecord as error:
        pytest.fail(str(error))


def test_a_future_date_keeps_its_value_though_it_is_no_version() -> None:
    future = NOW + timedelta(days=400)
    (record,) = read("contacts", {"EntityID": 1, "DateLastModified": f"{future:%Y-%m-%dT%H:%M:%S}"}).records
    assert (record.modified_at, record.version_at) == (future, NOW)
