"""Hostile payloads through a real page into a real database: each is kept or refused, and costs no neighbour."""

import base64
import json
import os
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from observing import pairs, value, values
from sqlalchemy import Engine, text
from workbench import MIGRATED, Site, agency, break_with, cloned, site_of

from etl.database.embedded import EmbeddedPostgres
from etl.models.states import Outcome
from etl.pipeline import Summary
from etl.simulator import Simulator
from etl.simulator.collection import Entry
from etl.simulator.faults import Faults

FIRST_ID = 900_001
MADE = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
MEGABYTE = 1_000_000

#: Payloads that are kept: what stands as the value of a field, and what of it staging holds (as JSON).
KEPT: dict[str, tuple[bytes, Any]] = {
    "NUL escape": (rb'"a\u0000b"', "a\ufffdb"),
    "NUL escape behind a back-slash": (rb'"a\\u0000b"', r"a\u0000b"),
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

#: Payloads that cost their record: what stands as the value of a field.
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

#: Items that are no record at all.
NO_RECORDS: tuple[bytes, ...] = (b"null", b"5", b'"text"', b"[]", b"{}", b'{"EntityID": null}', b'{"EntityID": [1]}')


def contact(key: int, payload: bytes | None = None) -> bytes:
    """Return a contact as JSON text, with a payload in a field that is not declared."""
    whole = {"EntityID": key, "DisplayName": f"Neighbour {key}", "Status": "A", "CreatedOn": "2026-01-05T12:00:00"}
    head = json.dumps(whole).encode()
    return head if payload is None else head[:-1] + b', "Odd": ' + payload + b"}"


def serve(simulator: Simulator, items: Sequence[bytes]) -> None:
    """Let these texts be the contacts of the agency, and nothing else."""
    collection = simulator.world.contacts
    collection._entries.clear()
    collection._found.clear()
    for number, item in enumerate(items):
        collection._entries[number] = Entry(item, MADE + timedelta(seconds=number), None)


def between_neighbours(payloads: Sequence[bytes]) -> tuple[list[bytes], dict[int, int]]:
    """Return contacts with a sound one before, between and behind the odd ones, and each odd one's id by its place."""
    items, keys = [contact(FIRST_ID)], {}
    for place, payload in enumerate(payloads):
        key = FIRST_ID + 2 * place + 1
        keys[place] = key
        items += [contact(key, payload), contact(key + 1)]
    return items, keys


def balanced(summary: Summary) -> Counter[str]:
    (part,) = summary.parts
    assert summary.exit_status == 0, summary.batch.error
    assert part.counts["fetched"] == sum(part.counts[outcome] for outcome in Outcome)
    return Counter(part.counts)


def read_contacts(site: Site) -> Counter[str]:
    return balanced(site.sync_once(resources=("contacts",)))


def stored(engine: Engine, key: int) -> str | None:
    """Return what staging holds of a contact's odd field, as PostgreSQL writes it."""
    query = "SELECT CAST(raw_data -> 'Odd' AS text) FROM raw.raw_contacts WHERE source_id = :key"
    found = values(engine, query, key=str(key))
    return found[0] if found else None


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with agency(contacts=1) as served:
        yield served


@contextmanager
def taken(
    server: EmbeddedPostgres, simulator: Simulator, items: Sequence[bytes]
) -> Iterator[tuple[Site, Counter[str]]]:
    """Give a database that has read these contacts, and the counts of that."""
    serve(simulator, items)
    with cloned(server.url, MIGRATED) as url, site_of(simulator, url) as site:
        yield site, read_contacts(site)


@pytest.fixture(scope="module")
def kept(server: EmbeddedPostgres, simulator: Simulator) -> Iterator[tuple[Site, Counter[str]]]:
    items, _ = between_neighbours([payload for payload, _ in KEPT.values()])
    with taken(server, simulator, items) as found:
        yield found


@pytest.fixture(scope="module")
def refused(server: EmbeddedPostgres, simulator: Simulator) -> Iterator[tuple[Site, Counter[str]]]:
    items, _ = between_neighbours(list(REFUSED.values()))
    with taken(server, simulator, [*items, *NO_RECORDS]) as found:
        yield found


def test_what_can_be_kept_loads_with_all_of_its_neighbours(kept: tuple[Site, Counter[str]]) -> None:
    site, counts = kept
    assert counts["fetched"] == counts[Outcome.INSERTED] == 2 * len(KEPT) + 1
    assert (
        value(site.engine, "SELECT count(*) FROM contacts WHERE display_name LIKE 'Neighbour %'") == 2 * len(KEPT) + 1
    )


@pytest.mark.parametrize("name", KEPT)
def test_staging_holds_the_payload_as_it_was_meant(kept: tuple[Site, Counter[str]], name: str) -> None:
    site, _ = kept
    found = stored(site.engine, FIRST_ID + 2 * list(KEPT).index(name) + 1)
    payload, meant = KEPT[name]
    assert found is not None
    if isinstance(meant, str) and not payload.startswith(b'"'):
        assert found == meant  # a number, digit for digit
    else:
        assert json.loads(found) == (json.loads(payload) if meant is None else meant)


def test_what_cannot_be_kept_is_refused_and_costs_no_neighbour(refused: tuple[Site, Counter[str]]) -> None:
    site, counts = refused
    sound, bad = len(REFUSED) + 1, len(REFUSED) + len(NO_RECORDS)
    assert (counts[Outcome.INSERTED], counts[Outcome.REFUSED]) == (sound, bad)
    assert value(site.engine, "SELECT count(*) FROM contacts WHERE NOT is_placeholder") == sound
    assert value(site.engine, "SELECT count(*) FROM etl.findings WHERE rule = 'record-unusable'") == bad


@pytest.mark.parametrize("name", REFUSED)
def test_a_refused_record_has_a_finding_at_its_place(refused: tuple[Site, Counter[str]], name: str) -> None:
    site, _ = refused
    place = 2 * list(REFUSED).index(name) + 1
    query = "SELECT severity, message FROM etl.findings WHERE source_id LIKE :place"
    with site.engine.connect() as connection:
        ((severity, message),) = connection.execute(text(query), {"place": f"%item {place}"}).all()
    assert severity == "refused"
    assert message
    assert stored(site.engine, FIRST_ID + place) is None


def test_reading_hostile_records_again_writes_nothing(kept: tuple[Site, Counter[str]], simulator: Simulator) -> None:
    site, _ = kept
    items, _ = between_neighbours([payload for payload, _ in KEPT.values()])
    serve(simulator, items)
    before = pairs(site.engine, "SELECT id, content_hash FROM raw.raw_contacts ORDER BY id")
    counts = balanced(site.sync_once(resources=("contacts",), full=True))
    assert counts[Outcome.UNCHANGED] == 2 * len(KEPT) + 1
    assert pairs(site.engine, "SELECT id, content_hash FROM raw.raw_contacts ORDER BY id") == before


class Respelt(Faults):
    """Sends every page of contacts in another spelling of the same text."""

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
        break_with(simulator)
    assert stored(site.engine, FIRST_ID + 1) == '"\N{GRINNING FACE}"'


def corpus(name: str) -> list[dict[str, Any]]:
    folder = Path(os.environ.get("QQETL_CASES", Path(__file__).parents[4] / "shared" / "cases"))
    path = folder / name
    return [json.loads(line) for line in path.read_text().splitlines()] if path.is_file() else []


def bodies() -> Iterator[bytes]:
    """Yield bodies that any reader of JSON must take: our own, and those of the corpus where it is at hand."""
    yield from (b"[]", b'{"a": [{}]}', b'[1, -0.5e-7, "\xc3\xa9", true, null]', rb'"\"\\\/\b\f\n\r\t\u20ac"')
    for case in corpus("json_body.jsonl"):
        if case["expect"] == "valid":
            packed = case.get("b64")
            yield base64.b64decode(packed) if packed is not None else zlib.decompress(base64.b64decode(case["zb64"]))


def test_every_sound_body_is_kept_as_the_value_of_a_field(site: Site, simulator: Simulator) -> None:
    payloads = list(bodies())
    items, _ = between_neighbours(payloads)
    serve(simulator, items)
    counts = read_contacts(site)
    sound = counts[Outcome.INSERTED] + counts[Outcome.REFUSED]
    assert sound == counts["fetched"] == 2 * len(payloads) + 1
    assert (
        value(site.engine, "SELECT count(*) FROM etl.findings WHERE rule = 'record-unusable'")
        == counts[Outcome.REFUSED]
        == 0
    )


def hostile() -> list[str]:
    own = [
        "",
        " ",
        "\u0000",
        "\ud800",
        "NULL",
        "=cmd|' /C calc'!A0",
        "<script>",
        "${jndi:ldap://x}",
        "\\N",
        "%s",
        "\u202egnp.exe",
    ]
    return [*own, *(str(case["input"]) for case in corpus("naughty.jsonl"))]


def test_hostile_strings_in_every_field_load_or_become_findings(site: Site, simulator: Simulator) -> None:
    strings = hostile()
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
        json.dumps(json.loads(contact(FIRST_ID + place)) | dict.fromkeys(names, string)).encode()
        for place, string in enumerate(strings)
    ]
    serve(simulator, items)
    counts = read_contacts(site)
    assert counts[Outcome.INSERTED] == len(strings)
    rows = dict(pairs(site.engine, "SELECT source_id, raw_data ->> 'DisplayName' FROM raw.raw_contacts"))
    safe = [
        one.replace("\x00", "\ufffd").encode("utf-16", "surrogatepass").decode("utf-16", "replace") for one in strings
    ]
    assert [rows[str(FIRST_ID + place)] for place in range(len(strings))] == safe
