"""Hostile payloads through a real page into a real database: each is kept or refused, without affecting others."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web
from databases import MIGRATED, clone_database
from sites import Site, open_site, serve_agency, set_faults
from snapshots import pairs, value, values
from sqlalchemy import Engine, text

from etl.database.embedded.server import EmbeddedPostgres
from etl.models.states import Outcome
from etl.pipeline import Summary
from etl.simulator import Simulator
from etl.simulator.collection import Entry
from etl.simulator.faults.faults import Faults

FIRST_ID = 900_001
MADE = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
MEGABYTE = 1_000_000

#: Payloads that are kept: the value of a field, and its staged form (as JSON).
KEPT: dict[str, tuple[bytes, Any]] = {
    "NUL escape": (rb'"a\u0000b"', "a\ufffdb"),
    "NUL escape after a backslash": (rb'"a\\u0000b"', r"a\u0000b"),
    "lone high surrogate": (rb'"\ud800"', "\ufffd"),
    "lone low surrogate": (rb'"\udfff!"', "\ufffd!"),
    "surrogates in the wrong order": (rb'"\ude00\ud83d"', "\ufffd\ufffd"),
    "whole pair": (rb'"\ud83d\ude00"', "\N{GRINNING FACE}"),
    "characters beyond the first plane": ('"\N{GRINNING FACE}"'.encode(), "\N{GRINNING FACE}"),
    "exponent": (b"1e3", 1000),
    "exponent that numeric holds": (b"1e400", 10**400),
    "400 digits": (b"7" * 400, int("7" * 400)),
    "fraction that a float would cut": (b"0.10000000000000000000001", "0.10000000000000000000001"),
    "minus nought": (b"-0", 0),
    "key that comes twice": (b'{"a": 1, "a": 2}', {"a": 2}),
    "nested a hundred deep": (b"[" * 100 + b"]" * 100, None),
    "nine megabytes": (b'"' + b"x" * (9 * MEGABYTE) + b'"', None),
    "what COPY reads as its own": (rb'"\t\\N\n\\.\r\\t"', "\t\\N\n\\.\r\\t"),
    "what SQL reads as its own": (
        b'"\'; DROP TABLE contacts; -- %s %(a)s :a {}"',
        "'; DROP TABLE contacts; -- %s %(a)s :a {}",
    ),
    "zero width, bidi, line separator": ('"\u200b\u202e\u2028\ufeff"'.encode(), "\u200b\u202e\u2028\ufeff"),
    "empty key": (b'{"": {"": []}}', {"": {"": []}}),
}

#: Payloads whose record is refused: the value of a field.
REFUSED: dict[str, bytes] = {
    "NaN": b"NaN",
    "Infinity": b"Infinity",
    "minus Infinity": b"-Infinity",
    "number out of range": b"1e400000",
    "number too small": b"1e-400000",
    "five thousand digits": b"7" * 5000,
    "nested five hundred deep": b"[" * 500 + b"]" * 500,
    "nested a hundred thousand deep": b"[" * 100_000 + b"]" * 100_000,
    "more than ten megabytes": b'"' + b"x" * (10 * MEGABYTE) + b'"',
    "NUL as it is": b'"a\x00b"',
    "line break in a text": b'"a\nb"',
    "bytes that are not UTF-8": b'"\xff\xfe"',
    "surrogate written in UTF-8": b'"\xed\xa0\x80"',
    "no JSON": b"undefined",
    "a single quote": b"'a'",
    "a number with a plus": b"+1",
    "half an escape": rb'"\u12"',
}

#: Items that are not records.
NO_RECORDS: tuple[bytes, ...] = (b"null", b"5", b'"text"', b"[]", b"{}", b'{"EntityID": null}', b'{"EntityID": [1]}')


def contact(key: int, payload: bytes | None = None) -> bytes:
    """Return a contact as JSON text, with a payload in an undeclared field."""
    whole = {"EntityID": key, "DisplayName": f"Neighbor {key}", "Status": "A", "CreatedOn": "2026-01-05T12:00:00"}
    head = json.dumps(whole).encode()
    return head if payload is None else head[:-1] + b', "Odd": ' + payload + b"}"


def serve(simulator: Simulator, items: Sequence[bytes]) -> None:
    """Serve these texts as the contacts of the agency, and nothing else."""
    collection = simulator.world.contacts
    collection._entries.clear()
    collection._kept_windows.clear()
    for number, item in enumerate(items):
        collection._entries[number] = Entry(item, MADE + timedelta(seconds=number), None)


def between_neighbors(payloads: Sequence[bytes]) -> tuple[list[bytes], dict[int, int]]:
    """Return contacts with a valid one before, between and after the unusual ones, and the ids of these by position."""
    items, keys = [contact(FIRST_ID)], {}
    for index, payload in enumerate(payloads):
        key = FIRST_ID + 2 * index + 1
        keys[index] = key
        items += [contact(key, payload), contact(key + 1)]
    return items, keys


def balanced(summary: Summary) -> Counter[str]:
    assert summary.exit_status == 0, summary.batch.error
    (part,) = [part for part in summary.parts if part.resource == "contacts"]  # the others are derived from them
    assert part.counts["fetched"] == sum(part.counts[outcome] for outcome in Outcome)
    return Counter(part.counts)


def read_contacts(site: Site) -> Counter[str]:
    return balanced(site.sync_once(resources=("contacts",)))


def stored(engine: Engine, key: int) -> str | None:
    """Return the staged value of a contact's undeclared field, as PostgreSQL writes it."""
    query = "SELECT CAST(raw_data -> 'Odd' AS text) FROM raw.raw_contacts WHERE source_id = :key"
    staged = values(engine, query, key=str(key))
    return staged[0] if staged else None


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with serve_agency(contacts=1) as served:
        yield served


@contextmanager
def taken(
    server: EmbeddedPostgres, simulator: Simulator, items: Sequence[bytes]
) -> Iterator[tuple[Site, Counter[str]]]:
    """Give a database that has read these contacts, and the counts."""
    serve(simulator, items)
    with clone_database(server.url, MIGRATED) as url, open_site(simulator, url, etl_refused_limit=1) as site:
        yield site, read_contacts(site)


@pytest.fixture(scope="module")
def kept(server: EmbeddedPostgres, simulator: Simulator) -> Iterator[tuple[Site, Counter[str]]]:
    items, _ = between_neighbors([payload for payload, _ in KEPT.values()])
    with taken(server, simulator, items) as site_and_counts:
        yield site_and_counts


@pytest.fixture(scope="module")
def refused(server: EmbeddedPostgres, simulator: Simulator) -> Iterator[tuple[Site, Counter[str]]]:
    items, _ = between_neighbors(list(REFUSED.values()))
    with taken(server, simulator, [*items, *NO_RECORDS]) as site_and_counts:
        yield site_and_counts


def test_storable_payloads_are_loaded_with_all_other_records(kept: tuple[Site, Counter[str]]) -> None:
    site, counts = kept
    assert counts["fetched"] == counts[Outcome.INSERTED] == 2 * len(KEPT) + 1
    assert value(site.engine, "SELECT count(*) FROM contacts WHERE display_name LIKE 'Neighbor %'") == 2 * len(KEPT) + 1


@pytest.mark.parametrize("name", KEPT)
def test_staging_has_the_payload_with_its_meaning(kept: tuple[Site, Counter[str]], name: str) -> None:
    site, _ = kept
    staged = stored(site.engine, FIRST_ID + 2 * list(KEPT).index(name) + 1)
    payload, meant = KEPT[name]
    assert staged is not None
    if isinstance(meant, str) and not payload.startswith(b'"'):
        assert staged == meant  # a number, digit for digit
    else:
        assert json.loads(staged) == (json.loads(payload) if meant is None else meant)


def test_unstorable_payloads_are_refused_without_affecting_others(refused: tuple[Site, Counter[str]]) -> None:
    site, counts = refused
    sound, bad = len(REFUSED) + 1, len(REFUSED) + len(NO_RECORDS)
    assert (counts[Outcome.INSERTED], counts[Outcome.REFUSED]) == (sound, bad)
    assert value(site.engine, "SELECT count(*) FROM contacts WHERE NOT is_placeholder") == sound
    assert value(site.engine, "SELECT count(*) FROM etl.findings WHERE rule = 'record-unusable'") == bad


@pytest.mark.parametrize("name", REFUSED)
def test_a_refused_record_has_a_finding_with_its_position(refused: tuple[Site, Counter[str]], name: str) -> None:
    site, _ = refused
    position = 2 * list(REFUSED).index(name) + 1
    query = "SELECT severity, message FROM etl.findings WHERE source_id LIKE :place"
    with site.engine.connect() as connection:
        ((severity, message),) = connection.execute(text(query), {"place": f"%item {position}"}).all()
    assert severity == "refused"
    assert message
    assert stored(site.engine, FIRST_ID + position) is None


def test_reading_hostile_records_again_writes_nothing(kept: tuple[Site, Counter[str]], simulator: Simulator) -> None:
    site, _ = kept
    items, _ = between_neighbors([payload for payload, _ in KEPT.values()])
    serve(simulator, items)
    before = pairs(site.engine, "SELECT id, content_hash FROM raw.raw_contacts ORDER BY id")
    counts = balanced(site.sync_once(resources=("contacts",), full=True))
    assert counts[Outcome.UNCHANGED] == 2 * len(KEPT) + 1
    assert pairs(site.engine, "SELECT id, content_hash FROM raw.raw_contacts ORDER BY id") == before


class Respelt(Faults):
    """Sends every page of contacts in another encoding of the same text."""

    def __init__(self, encoding: str) -> None:
        super().__init__(())
        self.encoding = encoding

    def spoil(self, request: web.Request, body: bytes) -> bytes:
        return body.decode().encode(self.encoding) if "Contacts" in request.path else body


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_a_body_with_a_byte_order_mark_is_read(site: Site, simulator: Simulator, encoding: str) -> None:
    serve(simulator, [contact(FIRST_ID), contact(FIRST_ID + 1, '"\N{GRINNING FACE}"'.encode())])
    simulator.server.faults = Respelt(encoding)
    try:
        assert read_contacts(site)[Outcome.INSERTED] == 2
    finally:
        set_faults(simulator)
    assert stored(site.engine, FIRST_ID + 1) == '"\N{GRINNING FACE}"'


#: Values that any JSON parser must accept, one for each special case of the grammar.
SOUND: tuple[bytes, ...] = (
    b"[]", b"{}", b"[ ]", b" \t\r\n[\t1\r\n,\n2 ] ", b'{"a": [{}], "b": {"c": null}}', b'{"": 0, " ": 1}',
    b'{"a": 1, "a": 1, "b": 2}', b'{"min": -1.0e+28, "max": 1.0e+28}', b"[[[[[[[[[[]]]]]]]]]]", b"[null, true, false]",
    b"0", b"-0", b"-0.0", b"1", b"-1", b"0e1", b"0e+1", b"1E22", b"1E-2", b"1e+2", b"123.456e78", b"123.456789",
    b"-123123123123123123123123123123", b"1.7976931348623157e308", b"4.9e-324", b"0." + b"0" * 77 + b"1",
    b'""', b'" "', b'"\x7f"', b'"/"', rb'"\"\\\/\b\f\n\r\t"', rb'"\\u0000"', rb'"\u0012"', rb'"\u002c"',
    rb'"\u0060\u012a\u12AB"', rb'"\u20ac\uD83D\uDE00"', rb'"\uDBFF\uDFFF"', rb'"\uFFFE\uffff\uFDD0"',
    rb'"\u2028\u2029"',
    rb'"\u200B\u2064\u061C"', rb'"new\u000Aline"', rb'"\u0022 \u005C"', '"\u2028\u2029\ue000\U0010ffff"'.encode(),
    '"\u00e9 e\u0301 \u03c0 \u6f22"'.encode(), b'"asd sdf // /* # */"', b'"[],{}: null"', b'"' + b"x" * 5_000 + b'"',
    b"[" + b",".join([b"1"] * 1_500) + b"]", b'{"a":' * 60 + b"1" + b"}" * 60,
)  # fmt: skip


def test_every_valid_json_value_is_kept_as_the_value_of_a_field(site: Site, simulator: Simulator) -> None:
    payloads = list(SOUND)
    items, _ = between_neighbors(payloads)
    serve(simulator, items)
    counts = read_contacts(site)
    sound = counts[Outcome.INSERTED] + counts[Outcome.REFUSED]
    assert sound == counts["fetched"] == 2 * len(payloads) + 1
    assert (
        value(site.engine, "SELECT count(*) FROM etl.findings WHERE rule = 'record-unusable'")
        == counts[Outcome.REFUSED]
        == 0
    )


#: Texts that have broken programs by being interpreted as something else.
HOSTILE = (
    "", " ", "\u0000", "\ud800", "NULL", "undefined", "None", "true", "-1/2", "1E+02", "0x0", "--1", "1,000.00", "NaN",
    "=cmd|' /C calc'!A0", "<script>alert(1)</script>", "${jndi:ldap://x}", "\\N", "\\.", "%s%n%d", "{0} {{7*7}}",
    "$(touch x)", "`touch x`", "../../etc/passwd%00", "1;DROP TABLE users", "' OR 1=1 -- 1", '"', "'" * 4,
    "\u202egnp.exe", "\u2066test\u2067", "\u200b\u00ad\u2060\ufeff", "\ufffe", "\x1b[2J\x07", "a\r\nSet-Cookie: b",
    "\u0301" * 300, "\u01c5\ufb03\u2126", "\u0661\u0662\u0663", "\uff11\uff12", "\U0001f468\u200d\U0001f469",
    "\u0410\u0412",
    "\u05d0\u05d1\u0627", "\u30c4" * 900, "T\u0332\u0337" * 400, "x" * 9_999,
)  # fmt: skip


def test_hostile_strings_in_every_field_load_or_become_findings(site: Site, simulator: Simulator) -> None:
    strings = HOSTILE
    names = (
        "DisplayName",
        "FirstName",
        "Line1",
        "Email",
        "Phone",
        "Zip",
        "State",
        "DOB",
        "MaritalStatusID",
        "AgentName",
    )
    items = [
        json.dumps(json.loads(contact(FIRST_ID + index)) | dict.fromkeys(names, string)).encode()
        for index, string in enumerate(strings)
    ]
    serve(simulator, items)
    counts = read_contacts(site)
    assert counts[Outcome.INSERTED] == len(strings)
    rows = dict(pairs(site.engine, "SELECT source_id, raw_data ->> 'DisplayName' FROM raw.raw_contacts"))
    safe = [
        hostile.replace("\x00", "\ufffd").encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        for hostile in strings
    ]
    assert [rows[str(FIRST_ID + index)] for index in range(len(strings))] == safe
