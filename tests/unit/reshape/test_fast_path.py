"""The fast path of cleaning gives the same result as the reference path, for every resource and any record.

Records of one history pass through one reshaper, so that values come from its caches, and the caches overflow. Values
are the kinds' own examples and unusual ones: of other types, equal to one another (1, 1.0, true), special in COPY text,
not hashable.
"""

from collections.abc import Iterator
from contextlib import suppress
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etl.catalogue.resource import Resource
from etl.copy_text import format_row
from etl.errors import NeedsReferencePath
from etl.models.base import Field, fields_of
from etl.models.sources import FirstOf, is_flagged
from etl.reshape import fast_path, reshaper
from etl.reshape.reshaper import ColumnReader, Reshaper, masked_text, path_steps
from etl.resources import BY_NAME
from etl.values import Violation

ODD: tuple[Any, ...] = (
    None, "", " ", "N/A", "null", 0, 1, -1, True, False, 0.0, 1.0, -0.0, 1.5, 1e300, Decimal(1), Decimal("1.0"),
    Decimal("1.50"), Decimal("1E+2"), Decimal("0.005"), 10**18, 2**63, -(2**63), "0", "1", "1.0", "true", "True", "007",
    "\\", "\\N", "\\.", "a\\tb", "a\tb", "a\nb", "a\rb", "a\x00b", 'say "x"', "it's", "{a,b}", "[1]", "é", "\u2028",
    "\x7f", "\u200bx", "\U0001f600", "ß" * 40, "x" * 5_000, [], {}, [1], [None], ["a\tb", 'c"d', "e\\f"],
    {"a": 1}, {"a": ["\x00"]}, [{"ID": 1, "Name": "A\\B"}], [[]], "00000000-0000-0000-0000-000000000000", "Kim  Lee",
)  # fmt: skip
#: Cache size that every history exceeds.
MOST = 5
RECORDS = 40


class Spy(dict[str, Any]):
    """An empty record that notes which keys were read."""

    def __init__(self) -> None:
        super().__init__()
        self.sought: set[str] = set()

    def get(self, key: Any, default: Any = None) -> Any:
        self.sought.add(key)
        return default

    def __missing__(self, key: str) -> Any:
        self.sought.add(key)
        raise KeyError(key)


class Source:
    """Makes records of one resource from a seed: many of the same values, in any order."""

    def __init__(self, resource: Resource, ways: Reshaper, dice: Random) -> None:
        self.dice = dice
        calm = dice.random() < 0.6  # most records then have no violation
        fields = fields_of(resource.model, resource.data_source).values()
        candidates: dict[tuple[str | int, ...], list[Any]] = {}
        places = [
            (cell, about, path)
            for cell, about in zip(ways.column_readers, fields, strict=True)
            for path in paths(about)
        ]
        for _, about, path in places:  # several columns may read the same path
            candidates[path] = [*candidates.get(path, ODD), *values(about)]
        for cell, _, path in places if calm else ():
            candidates[path] = [raw for raw in candidates[path] if is_accepted(cell, raw)]
        self.pools = {path: self.some(some) for path, some in candidates.items()}
        looked = Spy()
        ways.reference_path("1", looked)
        read = {path[0] for path in self.pools}
        self.others = {key: self.some(ODD) for key in looked.sought - read}

    def some(self, candidates: Any) -> list[Any]:
        """Return a few values, so that they recur."""
        return self.dice.sample(candidates, min(len(candidates), 2 * MOST))

    def record(self) -> dict[str, Any]:
        record: dict[str, Any] = {}
        for path, pool in self.pools.items():
            if pool:
                put(record, path, self.dice.choice(pool))
        for key, pool in self.others.items():
            if self.dice.random() < 0.8:
                record[key] = self.dice.choice(pool)
        if self.dice.random() < 0.1:
            record[self.dice.choice(list(record))] = self.dice.choice(ODD)
        if self.dice.random() < 0.1:
            del record[self.dice.choice(list(record))]
        return record


def paths(about: Field) -> list[tuple[str | int, ...]]:
    """Return the paths of a field; none for a field that a function reads."""
    source = about.source
    read = source.paths if isinstance(source, FirstOf) else [source] if isinstance(source, str) else []
    return [path_steps(path) for path in read]


def values(about: Field) -> Iterator[Any]:
    """Yield the examples of a kind, without numbers longer than staging accepts."""
    for raw, _ in (*about.kind.accepts, *about.kind.rejects):
        with suppress(ValueError):
            masked_text(raw)
            yield raw
    yield from getattr(about.kind, "meanings", ())


def is_accepted(cell: ColumnReader, raw: Any) -> bool:
    """Return whether a column reader reports no violation for a value."""
    value = None if raw is None else cell.clean(raw)
    return not isinstance(value, Violation) and not (value is None and cell.severity_if_missing)


def put(record: dict[str, Any], path: tuple[str | int, ...], value: Any) -> None:
    """Set the value at the end of a path, creating what lies on the way."""
    container: Any = record
    for step, following in zip(path, (*path[1:], None), strict=True):
        inner = value if following is None else [] if isinstance(following, int) else {}
        if isinstance(step, int):
            container.extend([None] * (step + 1 - len(container)))
            container[step] = container[step] if following is not None and container[step] is not None else inner
        else:
            container[step] = (
                container[step] if following is not None and isinstance(container.get(step), type(inner)) else inner
            )
        container = container[step]


def both(reshaper: Reshaper, record: dict[str, Any]) -> tuple[Any, Any]:
    """Return the results of the fast path and the reference path: columns, stubs, whether there are findings.

    Where a deleted record lacks a value, the fast path leaves it to the reference path, which finds nothing amiss.
    """
    result = reshaper.reference_path("1", record)
    reference = (
        (format_row(result.values or ()).split("\t"), result.stubs, False) if not result.findings else ([], [], True)
    )
    stubs: list[Any] = []
    try:
        return (reshaper.fast_path(record, stubs).split("\t"), stubs, False), reference
    except NeedsReferencePath:
        return reference if is_flagged(record, reshaper.deletion_mark) else ([], [], True), reference


@pytest.mark.parametrize("name", [entry.name for entry in BY_NAME.values() if entry.has_table])
@given(seed=st.integers(0, 2**32), strict=st.booleans(), zone=st.sampled_from(["UTC", "America/New_York"]))
@settings(max_examples=8)
def test_the_fast_path_gives_the_result_of_the_reference_path(name: str, seed: int, strict: bool, zone: str) -> None:
    """The fast path also leaves exactly the records with violations to the reference path."""
    resource = BY_NAME[name]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fast_path, "MAX_CACHED_VALUES", MOST)
        patch.setattr(reshaper, "MAX_CACHED_IDS", MOST)
        ways = Reshaper(resource, "t", zone=zone, strict=strict)
    source = Source(resource, ways, Random(seed))
    for record in (source.record() for _ in range(RECORDS)):
        quick, careful = both(ways, record)
        assert quick == careful, f"of {record}: {differing(ways, quick[0], careful[0])}"


def differing(ways: Reshaper, quick: list[str], careful: list[str]) -> list[tuple[str, str, str]]:
    """Return where the columns differ."""
    columns = zip(ways.column_readers, quick, careful, strict=False)
    return [(cell.column, fast, reference) for cell, fast, reference in columns if fast != reference]


@pytest.mark.parametrize("name", [entry.name for entry in BY_NAME.values() if entry.has_table])
def test_most_ordinary_records_take_the_fast_path(name: str) -> None:
    """Otherwise the comparison above would prove nothing."""
    resource = BY_NAME[name]
    ways = Reshaper(resource, "t", zone="UTC", strict=False)
    taken = 0
    for seed in range(4):
        source = Source(resource, ways, Random(seed))
        taken += sum(not both(ways, source.record())[0][2] for _ in range(RECORDS))
    assert taken > RECORDS


def test_equal_values_of_different_types_are_distinguished() -> None:
    """One reshaper receives 1, true, 1.0 and others in every order; each result is the same as without the others."""
    contacts = BY_NAME["contacts"]
    equal: list[Any] = [1, True, 1.0, Decimal(1), "1", 0, False, 0.0, "0"]
    keys = [str(cell.path[0]) for cell in Reshaper(contacts, "t", zone="UTC", strict=False).column_readers if cell.path]
    for turn in range(len(equal)):
        ways = Reshaper(contacts, "t", zone="UTC", strict=False)
        for value in (*equal[turn:], *equal[:turn]):
            for key in keys:
                record = {"EntityID": 1, "Status": "A", "DisplayName": "x", key: value}
                quick, careful = both(ways, record)
                assert quick == careful, record
