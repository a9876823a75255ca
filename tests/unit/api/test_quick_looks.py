"""The fast reading of pages and records finds what full decoding finds, for every content."""

from collections.abc import Sequence
from datetime import UTC, datetime
from importlib import import_module

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etl.api.protocol import Page, Records
from etl.api.protocol.jsonb import with_safe_escapes
from etl.api.protocol.reading import PageReader, RecordReader
from etl.api.protocol.records import make_records
from etl.resources import find_resource

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)

names = st.sampled_from(
    ["EntityID", "DateLastModified", "CreatedOn", "ContactSubType", "Status", "SSN", "ssn", "Password", "a", "A",
     "dateLastModified", "createdon", "CONTACTSUBTYPE", "entityid",
     "\\u0053SN", "my ssn ", " SSN ", "password ", "socialSecurityX", "\\u00e9", "é", "Entity\\u0049D", "_call"]
)  # fmt: skip
tokens = st.sampled_from(
    ["null", "true", "0", "7", "-7", "1234567890123456789", "9" * 40, "1.50", "1e5", "1E400", "1e0005", "1e99999",
     "1e-99999", '"1"', '"x"', '"7.0"', '" 7 "', '""', '"2026-03-01T08:00:00"', '"2030-01-01T00:00:00"', '"C"', '"E"',
     '"\\u0000"', '"\\ud800"', '"\\ud83d\\ude00"', '"\\\\u0000"', '"ssn"', '"\\"SSN\\":1"', '"é"', "[]", "{}",
     '["SSN"]', '{"SSN":"078-05-1120"}', '[{"password":1}]', '{"a":{"b":[1,2]}}', '"' + "x" * 5_000 + '"',
     "[" * 250 + "]" * 250]
)  # fmt: skip
items = st.lists(st.tuples(names, tokens), max_size=6).map(
    lambda pairs: ("{" + ",".join(f'"{name}":{token}' for name, token in pairs) + "}").encode()
)
whole = items | st.tuples(st.integers(1, 10**6), items).map(
    lambda pair: b'{"EntityID":%d' % pair[0] + (b"," if pair[1] != b"{}" else b"") + pair[1][1:]
)


def read(name: str, texts: Sequence[bytes]) -> Records:
    """Return what a page comes to."""
    resource = find_resource(name)
    return make_records(resource, resource.endpoints[0], Page(list(texts)), requested_at=NOW)


def read_with_care(name: str, texts: Sequence[bytes]) -> Records:
    """Return what a page comes to when every record is decoded, and no look at many of them is believed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(import_module("etl.api.protocol.records"), "is_plain", lambda *_: False)
        patch.setattr(PageReader, "read_fast", lambda *_: None)
        return read(name, texts)


@pytest.mark.parametrize("name", ["contacts"])
@given(texts=st.lists(whole, min_size=1, max_size=4))
@settings(max_examples=300)
def test_a_page_comes_to_what_full_decoding_finds(name: str, texts: list[bytes]) -> None:
    safe = [with_safe_escapes(raw)[0] for raw in texts]
    quick, careful = read(name, safe), read_with_care(name, safe)
    assert quick.records == careful.records
    assert quick.bad == careful.bad
    assert quick.item_ids == careful.item_ids


@pytest.mark.parametrize("key", ["my ssn ", " ssn ", "Password ", " UserPassword  "])
def test_white_space_around_a_key_hides_no_secret(key: str) -> None:
    (record,) = read("contacts", [b'{"EntityID":1,"%b":"078-05-1120"}' % key.encode()]).records
    assert record.raw == b'{"EntityID":1}'


@pytest.mark.parametrize(
    "note",
    ["SSN 457-55-5462", "ss# 457555462", "Soc. Sec. 457 55 5462", "ITIN 457-55-5462", "TIN: 457555462",
     "her TIN is 457 55 5462", "Tax ID 457555462", "taxpayer no 457.55.5462"],
)  # fmt: skip
def test_a_number_that_a_note_announces_is_masked_before_staging(note: str) -> None:
    (record,) = read("contacts", [b'{"EntityID":1,"Notes":"%b"}' % note.encode()]).records
    assert b"5462" not in record.raw


def test_a_field_is_seen_in_any_case_though_the_record_before_had_another() -> None:
    texts = [
        b'{"EntityID":%d,"%b":"2026-03-01T08:00:00"}' % pair
        for pair in ((1, b"DateLastModified"), (2, b"datelastmodified"))
    ]
    assert [record.undated for record in read("contacts", texts).records] == [False, False]


def test_a_page_with_another_spelling_is_read_without_decoding_every_record(monkeypatch: pytest.MonkeyPatch) -> None:
    decoded: list[bytes] = []
    monkeypatch.setattr(RecordReader, "decode_key_fields", lambda _, item: decoded.append(item))
    texts = [b'{"entityId":%d,"datelastmodified":null,"createdOn":"2026-03-01T08:00:00"}' % n for n in range(1, 501)]
    records = read("contacts", texts).records
    assert [record.source_id for record in records] == [str(number) for number in range(1, 501)]
    assert {record.created_at for record in records} == {datetime(2026, 3, 1, 8, tzinfo=UTC)}
    assert not decoded


@pytest.mark.parametrize("second", [b'"EntityID":2,"entityid":9', b'"entityid":9,"EntityID":2'])
@pytest.mark.parametrize("first", [b'"EntityID":1', b'"entityid":1'])
def test_the_declared_spelling_wins_over_another_one_of_the_same_record(first: bytes, second: bytes) -> None:
    records = read("contacts", [b"{%b}" % first, b"{%b}" % second]).records
    assert [record.source_id for record in records] == ["1", "2"]
