"""One question to every kind of value: whether it is declared whole, total, idempotent, storable and quick."""

import base64
import dataclasses
import inspect
import json
import os
import pkgutil
import re
import time
import zlib
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.dialects import postgresql

from etl import values
from etl.values import Code, Decimals, Integer, Kind, Severity, Text, Timestamp, Violation, Word

KINDS = [
    found
    for name in values.__all__
    if inspect.isclass(found := getattr(values, name)) and issubclass(found, Kind) and found is not Kind
]
#: Every kind as its tables speak of it, and those whose settings change what they do.
INSTANCES = [kind.example() for kind in KINDS] + [
    Text(),
    Text(max_length=5),
    Timestamp("America/New_York"),
    Code("term", {"A": "annual"}, closed=True),
    Code("term", {}),
    Word(status=True),
    Integer(0, 9),
    Decimals(3, 0),
]
SECONDS_ALLOWED = 2

#: What the API could send in any field, and what only a careless decoder would hand on.
HOSTILE: list[Any] = [
    *(None, True, False, 0, -1, 1, 2**63, -(2**63) - 1, 10**5000, -(10**5000)),
    *(0.0, -0.0, 1.5, 1e400, -1e400, float("nan"), 5e-324, 1.7976931348623157e308, 0.1 + 0.2),
    *map(Decimal, ("0", "-0", "0E+99999", "0E-99999", "1E+99999", "1E-99999", "NaN", "-NaN", "sNaN", "Infinity")),
    *map(Decimal, ("1E+999999999999", "1E-999999999999", "9999999999999.995", "0." + "3" * 5000, "7" * 5000)),
    *([], {}, [[]], [{}], {"": None}, {"a": {"b": [1, "c"]}}, [None], [True], ["a", 1], {"a\x00": "\ud800"}),
    *("", " ", "\t", "\x00", "a\x00b", "\ud800", "\udfff\ud800", "\ud83d\ude00", "\ufeff", "\u200b", "\u2028", "\x85"),
    *(
        "N/A",
        "null",
        "None",
        "-",
        "--",
        "TBD",
        "NaN",
        "Infinity",
        "-inf",
        "1e400",
        "0x1F",
        "1_000",
        "\u0661\u0662\u0663",
    ),
    *("now", "today", "epoch", "infinity", "10000-01-01", "0000-00-00", "0001-01-01T00:00:00", "24:00", "Sep", "5"),
    *(
        "12,34",
        "1.234,56",
        "(",
        ")",
        "()",
        "(-)",
        "$",
        "%",
        "-$",
        "$%",
        "1,",
        ",1",
        ".",
        "-.",
        "1.2.3",
        "--1",
        "1-",
        "\u00bd",
    ),
    *("@", "a@", "@b", "a@b", "a@@b.com", '"@"@b.com', "<a@b.com", "<>", "mailto:", "a@xn--.com", "a@" + "b." * 200),
    *("a@" + "xn--" + "a" * 60 + ".com", "\u00e9@\u00e9.com", "a@\u3002.com", "a@\u00df.com", "a\u0338@b.com"),
    *(
        "x",
        "ext",
        ";ext=",
        "+",
        "++1",
        "+1",
        "1" * 20,
        "tel:+13055550142;ext=1;ext=2",
        "(305",
        "305) 555-0142",
        "0" * 10,
    ),
    *("{}", "{", "}", "{}{}", "urn:uuid:", "http://", "https://[", "//", "javascript:", "http://\ud800.com", "a:b:c"),
    *("/Date()/", "/Date(99999999999999999999)/", "/Date(0+9999)/", "1/1/1", "99/99/9999", "2025-02-01T00:00:00+99:99"),
    *("a" * 100_000, "1" * 100_000, " " * 100_000, "(" * 100_000, "a@" * 50_000, "-" * 100_000, "\n" * 100_000),
    *("e" + "\u0301\u0316" * 50_000, "\u0344" * 30_000, ",1" * 50_000, "1," * 50_000, "x " * 50_000, "<" * 100_000),
    *(
        "a." * 50_000 + "@b.com",
        "a@" + "a-" * 50_000 + ".com",
        "1 " * 50_000,
        "/" * 100_000,
        "0" * 100_000,
        "%" * 100_000,
    ),
    *(
        "=cmd|'/C calc'!A0",
        "Robert'); DROP TABLE students;--",
        "\\N",
        "\\.",
        "%s%n",
        "{0.__class__}",
        "\r\nERROR forged",
    ),
    *(
        date(2025, 2, 1),
        date(1, 1, 1),
        datetime(2025, 2, 1, tzinfo=UTC),
        datetime.max.replace(tzinfo=UTC),
        datetime.min.replace(tzinfo=UTC),
        UUID(int=0),
        b"a",
    ),
]


def deep(levels: int) -> list[Any]:
    """Return a list nested that deep."""
    found: list[Any] = []
    for _ in range(levels):
        found = [found]
    return found


def cases_folder() -> Path:
    """Return where the public corpora of hostile values lie, if this machine has them."""
    beside = Path(__file__).parents[3] / "shared" / "cases"
    return Path(os.environ.get("QQETL_CASES", beside))


@cache
def corpus() -> list[Any]:
    """Return the hostile values: our own always, and those of the public corpora where they are at hand."""
    found = [*HOSTILE, deep(500)]
    for file in (cases_folder() / "naughty.jsonl", cases_folder() / "json_body.jsonl"):
        for line in file.read_text().splitlines() if file.exists() else ():
            case = json.loads(line)
            found.extend([case["input"]] if "input" in case else decoded(case))
    return found


def decoded(case: dict[str, str]) -> list[Any]:
    """Return the values within a body of the corpus, or nothing when it is no JSON."""
    packed = case.get("zb64")
    body = zlib.decompress(base64.b64decode(packed)) if packed else base64.b64decode(case["b64"])
    try:
        whole = json.loads(body, parse_float=Decimal)
    except (ValueError, RecursionError, ArithmeticError):
        return [body.decode("utf-8", "replace")]
    parts = whole if isinstance(whole, list) else whole.values() if isinstance(whole, dict) else ()
    return [whole, *parts]


def texts_in(value: Any) -> Iterator[str]:
    """Return every text and key within a value; nesting beyond any that is kept is not followed."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, part in value.items():
            yield from (*texts_in(key), *texts_in(part))
    elif isinstance(value, list):
        for part in value:
            yield from texts_in(part)


def outcome(kind: Kind, raw: Any) -> Any:
    """Return the clean value, also one that stands beside a complaint, after asking what every outcome must hold."""
    found = kind.clean(raw)
    if isinstance(found, Violation):
        assert found.rule.startswith(f"{kind.name}-"), found
        assert re.fullmatch(r"[a-z]+(-[a-z]+)+", found.rule), found
        assert found.message
        assert "\n" not in found.message
        assert (found.value is None) == (found.severity in {Severity.DROPPED, Severity.REFUSED}), found
        found = found.value
    for text in texts_in(found):
        assert "\x00" not in text
        text.encode("utf-8")  # raises for half of a surrogate pair
    return found


def same(one: Any, other: Any) -> bool:
    """Return whether two values are equal and of one type, and numbers written alike."""
    return type(one) is type(other) and one == other and (not isinstance(one, Decimal) or str(one) == str(other))


def ask(kind: Kind, raw: Any) -> None:
    """Ask a kind to clean a value, within the time allowed, and its outcome to stay as it is when cleaned again."""
    started = time.perf_counter()
    found = outcome(kind, raw)
    assert time.perf_counter() - started < SECONDS_ALLOWED, f"{kind} hangs on {str(raw)[:60]!r}"
    again = outcome(kind, found)
    assert same(again, found), f"{kind} is not idempotent: {raw!r:.80} gives {found!r:.80}, that gives {again!r:.80}"


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.decimals()
    | st.text(st.characters(exclude_categories=()), max_size=40),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
#: Text of the characters that the forms of the kinds are made of, so that near misses are met.
near_misses = st.text("0123456789 -+().,/:;@$%xXtTzZaAmMpPeE_'<>{}\u200b\u00a0\u0661\u0301", max_size=30)
instances = pytest.mark.parametrize("kind", INSTANCES, ids=lambda kind: repr(kind)[:60])


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
class TestDeclaration:
    """What a kind says of itself."""

    def test_accepts(self, kind: type[Kind]) -> None:
        """Each value of the table cleans to what stands beside it, type included."""
        assert len(kind.accepts) >= 5
        for raw, clean in kind.accepts:
            found = kind.example().clean(raw)
            assert same(found, clean), f"{kind.__name__}: {raw!r} gives {found!r}, not {clean!r}"

    def test_rejects(self, kind: type[Kind]) -> None:
        """Each value of the table is complained of by the rule beside it, in words without the value."""
        assert len(kind.rejects) >= 5
        for raw, rule in kind.rejects:
            found = kind.example().clean(raw)
            assert isinstance(found, Violation), f"{kind.__name__}: {raw!r:.80} gives {found!r:.80}, not {rule}"
            assert found.rule == rule, f"{kind.__name__}: {raw!r:.80} breaks {found.rule}, not {rule}"
            assert not isinstance(raw, str) or len(raw) < 6 or raw not in found.message

    def test_tells_absent_from_bad(self, kind: type[Kind]) -> None:
        """Null and the empty text are absent for every kind, and an unknown type is bad for every kind."""
        assert kind.example().clean(None) is None
        assert kind.example().clean("") is None
        assert isinstance(kind.example().clean({1: object()}), Violation)

    def test_words(self, kind: type[Kind]) -> None:
        """The name is kebab-case, the noun and the description are sentences' parts that documentation can show."""
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", kind.name)
        assert kind.noun.strip()
        assert kind.example().describe().endswith(".")

    def test_is_a_value(self, kind: type[Kind]) -> None:
        """Two of the same settings are one: equal, of one hash, with one stable text, and nobody changes them."""
        one, other = kind.example(), kind.example()
        assert one == other
        assert hash(one) == hash(other)
        assert repr(one) == repr(other)
        assert " at 0x" not in repr(one)
        with pytest.raises(dataclasses.FrozenInstanceError):
            one.name = "other"  # type: ignore[misc]

    def test_column_type(self, kind: type[Kind]) -> None:
        """The column type compiles for PostgreSQL and says the Python type of what cleaning returns."""
        column = kind.example().column_type
        assert column.compile(dialect=postgresql.dialect())  # type: ignore[no-untyped-call]
        if kind not in {values.Json, values.Reference}:  # any JSON; the id that the UUID is computed from
            clean = next(clean for _, clean in kind.accepts if clean is not None)
            assert isinstance(clean, column.python_type)


def test_names_are_unique() -> None:
    """No two kinds share the first part of their rules."""
    names = [kind.name for kind in KINDS]
    assert len(set(names)) == len(names)


def test_all_are_exported() -> None:
    """Every kind declared in a file of the package is importable from the package."""
    declared = {
        found.__name__
        for module in pkgutil.iter_modules(values.__path__, "etl.values.")
        for found in vars(__import__(module.name, fromlist=["_"])).values()
        if inspect.isclass(found) and issubclass(found, Kind) and found.__module__ == module.name
    }
    assert declared <= set(values.__all__)
    assert sorted(values.__all__) == values.__all__


@instances
def test_total_and_idempotent_on_the_corpus(kind: Kind) -> None:
    """Whatever a field holds, a value or a finding comes out, in time, storable and the same when cleaned twice."""
    for raw in corpus():
        ask(kind, raw)


@instances
@settings(max_examples=150)
@given(raw=json_values)
def test_total_and_idempotent_on_any_json(kind: Kind, raw: Any) -> None:
    """The same, for generated JSON."""
    ask(kind, raw)


@instances
@settings(max_examples=150)
@given(raw=near_misses)
def test_total_and_idempotent_on_near_misses(kind: Kind, raw: str) -> None:
    """The same, for generated texts that look like numbers, dates, addresses and phones."""
    ask(kind, raw)
