"""Bodies as hostile as they come: each is read or refused, none crashes the reader."""

import base64
import json
import os
import zlib
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl.api.protocol import Call, Page, make_records, read_page
from etl.catalogue.resource import Envelope
from etl.errors import ApiUnavailable, UnexpectedResponse
from etl.resources import find_resource

NOW = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
JSON = {"Content-Type": "application/json"}


def call(envelope: Envelope = Envelope.PAGE, parent_id: str | None = None, *, documented: bool = True) -> Call:
    return Call("GET", "Things", (), None, "things", envelope, documented, page=1, parent_id=parent_id)


def contents(page: Page) -> list[object]:
    return [json.loads(item) for item in page.items]


def corpus() -> list[dict[str, str]]:
    folder = Path(os.environ.get("QQETL_CASES", Path(__file__).parents[4] / "shared" / "cases"))
    path = folder / "json_body.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.is_file() else []


def own_cases() -> list[dict[str, str]]:
    bodies = [
        ("valid", b'[{"a":[{}]}]'),
        ("valid", '["é\U0001f600"]'.encode()),
        ("valid", b'["\\ud83d\\ude00", -0.1e+2, null]'),
        ("invalid", b"[1,]"),
        ("invalid", b"[,1]"),
        ("invalid", b"[1"),
        ("invalid", b'["a'),
        ("invalid", b"[1}"),
        ("invalid", b"[1]]"),
        ("invalid", b"[NaN]"),
        ("invalid", b"[.5]"),
        ("invalid", b"['a']"),
        ("invalid", b""),
        ("either", b'["\\ud800"]'),
        ("either", b'["\\u0000"]'),
        ("either", b"[" * 100_000),
        ("either", b"[1e999999]"),
    ]
    return [
        {"name": str(body[:20]), "expect": expect, "b64": base64.b64encode(body).decode()} for expect, body in bodies
    ]


def body_of(case: dict[str, str]) -> bytes:
    return (
        base64.b64decode(case["b64"])
        if case.get("b64") is not None
        else zlib.decompress(base64.b64decode(case["zb64"]))
    )


def read_as_list(body: bytes) -> tuple[Page, int]:
    contacts = find_resource("contacts")
    page = read_page(call(Envelope.ARRAY), 200, JSON, b"[" + body + b"]")
    page_records = make_records(contacts, contacts.endpoints[0], page, requested_at=NOW)
    return page, sum(
        "JSON" in bad.reason or "not a number" in bad.reason or "UTF-8" in bad.reason for bad in page_records.bad
    )


@pytest.mark.timeout(60)
@pytest.mark.parametrize("case", [*own_cases(), *corpus()], ids=lambda case: case["name"])
def test_every_body_is_read_or_refused(case: dict[str, str]) -> None:
    body = body_of(case)
    for envelope in Envelope:
        try:
            read_page(call(envelope), 200, JSON, body)
        except (ApiUnavailable, UnexpectedResponse):
            continue
    try:
        page, faults = read_as_list(body)
    except ApiUnavailable:
        assert case["expect"] != "valid"
        return
    if case["expect"] == "valid":
        assert not faults
        assert page.whole
    if case["expect"] == "invalid" and len(page.items) == 1:
        assert faults


@given(st.binary(max_size=200))
def test_no_bytes_crash_the_reader(body: bytes) -> None:
    for envelope in Envelope:
        try:
            page = read_page(call(envelope), 200, JSON, body)
        except (ApiUnavailable, UnexpectedResponse):
            continue
        assert all(isinstance(item, bytes) for item in page.items)


def json_values() -> st.SearchStrategy[object]:
    leaves = (
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(max_size=8)
    )
    return st.recursive(
        leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4)
    )


@given(st.lists(json_values(), max_size=6), st.booleans())
def test_the_careful_way_splits_a_list_as_the_fast_one_does(items: list[object], ascii_only: bool) -> None:
    body = json.dumps(items, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    careful = read_page(call(Envelope.ARRAY), 200, JSON, body[:-1] + (b"," if items else b"") + b"NaN]")
    assert not careful.whole
    assert careful.items[-1] == b"NaN"
    fast = [bytes(item) for item in msgspec.json.decode(body.replace(b"\\u0000", b"\\ufffd"), type=list[msgspec.Raw])]
    assert [json.loads(item) for item in careful.items[:-1]] == [json.loads(item) for item in fast]
