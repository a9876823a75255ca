"""Every kind of value: its declaration, and that cleaning is total, idempotent, storable and fast."""

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
    member
    for name in values.__all__
    if inspect.isclass(member := getattr(values, name)) and issubclass(member, Kind) and member is not Kind
]
#: Words of programmers, and of telephone companies: a carrier is an insurer here.
TECHNICAL_WORDS = re.compile(
    r"\b(uuid|hexa\w*|json|object|nul|null|surrogate|unicode|utf|ascii|markup|host|finite|float|fraction|regex|parse\w*|"
    r"string|domain|mailbox|malformed|offset|region|subscriber|carrier|point in time|neither http)\b",
    re.IGNORECASE,
)
#: Every kind as its tables use it, and kinds with settings that change their behavior.
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

#: Values that the API could send in any field, and values that only a careless decoder would pass on.
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
    """Return a list nested to a depth."""
    nested: list[Any] = []
    for _ in range(levels):
        nested = [nested]
    return nested


def cases_folder() -> Path:
    """Return the folder of the public corpora of hostile values, which may not exist."""
    default = Path(__file__).parents[3] / "shared" / "cases"
    return Path(os.environ.get("QQETL_CASES", default))


@cache
def corpus() -> list[Any]:
    """Return the hostile values: our own, and those of the public corpora if available."""
    corpus_values = [*HOSTILE, deep(500)]
    for file in (cases_folder() / "naughty.jsonl", cases_folder() / "json_body.jsonl"):
        for line in file.read_text().splitlines() if file.exists() else ():
            case = json.loads(line)
            corpus_values.extend([case["input"]] if "input" in case else decode_case(case))
    return corpus_values


def decode_case(case: dict[str, str]) -> list[Any]:
    """Return the values in a body of the corpus; the body as text if it is not JSON."""
    packed = case.get("zb64")
    body = zlib.decompress(base64.b64decode(packed)) if packed else base64.b64decode(case["b64"])
    try:
        document = json.loads(body, parse_float=Decimal)
    except (ValueError, RecursionError, ArithmeticError):
        return [body.decode("utf-8", "replace")]
    parts = document if isinstance(document, list) else document.values() if isinstance(document, dict) else ()
    return [document, *parts]


def texts_in(value: Any) -> Iterator[str]:
    """Yield every text and key in a value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, part in value.items():
            yield from (*texts_in(key), *texts_in(part))
    elif isinstance(value, list):
        for part in value:
            yield from texts_in(part)


def clean_and_check(kind: Kind, raw: Any) -> Any:
    """Clean a value, check the result, and return the clean value, including that of a violation."""
    result = kind.clean(raw)
    if isinstance(result, Violation):
        assert result.rule.startswith(f"{kind.name}-"), result
        assert re.fullmatch(r"[a-z]+(-[a-z]+)+", result.rule), result
        assert result.message
        assert "\n" not in result.message
        assert (result.value is None) == (result.severity in {Severity.DROPPED, Severity.REFUSED}), result
        result = result.value
    for text in texts_in(result):
        assert "\x00" not in text
        text.encode("utf-8")  # raises for half of a surrogate pair
    return result


def is_same(first: Any, second: Any) -> bool:
    """Return whether two values are equal, of the same type, and numbers have the same digits."""
    is_equal = type(first) is type(second) and first == second
    return is_equal and (not isinstance(first, Decimal) or str(first) == str(second))


def check_cleaning(kind: Kind, raw: Any) -> None:
    """Check that a kind cleans a value in time, and that cleaning the result again does not change it."""
    started = time.perf_counter()
    result = clean_and_check(kind, raw)
    assert time.perf_counter() - started < SECONDS_ALLOWED, f"{kind} hangs on {str(raw)[:60]!r}"
    again = clean_and_check(kind, result)
    assert is_same(again, result), (
        f"{kind} is not idempotent: {raw!r:.80} gives {result!r:.80}, that gives {again!r:.80}"
    )


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
#: Text of the characters that occur in valid values, to generate near misses.
near_misses = st.text("0123456789 -+().,/:;@$%xXtTzZaAmMpPeE_'<>{}\u200b\u00a0\u0661\u0301", max_size=30)
instances = pytest.mark.parametrize("kind", INSTANCES, ids=lambda kind: repr(kind)[:60])


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
class TestDeclaration:
    """The declaration of a kind."""

    def test_accepts(self, kind: type[Kind]) -> None:
        """Each accepted example is cleaned to its declared value and type."""
        assert len(kind.accepts) >= 5
        for raw, clean in kind.accepts:
            result = kind.example().clean(raw)
            assert is_same(result, clean), f"{kind.__name__}: {raw!r} gives {result!r}, not {clean!r}"

    def test_rejects(self, kind: type[Kind]) -> None:
        """Each rejected example violates its declared rule, with a message that does not contain the value."""
        assert len(kind.rejects) >= 5
        for raw, rule in kind.rejects:
            result = kind.example().clean(raw)
            assert isinstance(result, Violation), f"{kind.__name__}: {raw!r:.80} gives {result!r:.80}, not {rule}"
            assert result.rule == rule, f"{kind.__name__}: {raw!r:.80} breaks {result.rule}, not {rule}"
            assert not isinstance(raw, str) or len(raw) < 6 or raw not in result.message

    def test_messages_use_the_words_of_an_agency(self, kind: type[Kind]) -> None:
        """No message needs to be translated for the staff of an agency, who fix the values in QQCatalyst."""
        for raw in (*(raw for raw, _ in kind.rejects), {"a": 1}, [1], 1.5, True, "x", "?" * 50_000, {1: object()}):
            result = kind.example().clean(raw)
            if isinstance(result, Violation):
                assert not TECHNICAL_WORDS.search(result.message), f"{kind.__name__}: {result.message}"

    def test_distinguishes_absent_from_invalid(self, kind: type[Kind]) -> None:
        """For every kind, null and the empty text are absent, and an unknown type is invalid."""
        assert kind.example().clean(None) is None
        assert kind.example().clean("") is None
        assert isinstance(kind.example().clean({1: object()}), Violation)

    def test_texts(self, kind: type[Kind]) -> None:
        """The name is kebab-case, and the noun and the description can be shown in documentation."""
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", kind.name)
        assert kind.noun.strip()
        assert kind.example().describe().endswith(".")

    def test_is_a_value(self, kind: type[Kind]) -> None:
        """Two instances with the same settings are equal, with the same hash and text, and immutable."""
        first, second = kind.example(), kind.example()
        assert first == second
        assert hash(first) == hash(second)
        assert repr(first) == repr(second)
        assert " at 0x" not in repr(first)
        with pytest.raises(dataclasses.FrozenInstanceError):
            first.name = "other"  # type: ignore[misc]

    def test_column_type(self, kind: type[Kind]) -> None:
        """The column type compiles for PostgreSQL and declares the Python type of clean values."""
        column = kind.example().column_type
        assert column.compile(dialect=postgresql.dialect())  # type: ignore[no-untyped-call]
        if kind not in {values.Json, values.Reference}:  # any JSON; the id that the UUID is computed from
            clean = next(clean for _, clean in kind.accepts if clean is not None)
            assert isinstance(clean, column.python_type)


def test_names_are_unique() -> None:
    """No two kinds share the prefix of their rules."""
    names = [kind.name for kind in KINDS]
    assert len(set(names)) == len(names)


def test_all_are_exported() -> None:
    """Every kind declared in a file of the package is importable from the package."""
    declared = {
        member.__name__
        for module in pkgutil.iter_modules(values.__path__, "etl.values.")
        for member in vars(__import__(module.name, fromlist=["_"])).values()
        if inspect.isclass(member) and issubclass(member, Kind) and member.__module__ == module.name
    }
    assert declared <= set(values.__all__)
    assert sorted(values.__all__) == values.__all__


@instances
def test_total_and_idempotent_on_the_corpus(kind: Kind) -> None:
    """Any value results in a clean value or a violation, in time, storable, and unchanged when cleaned again."""
    for raw in corpus():
        check_cleaning(kind, raw)


@instances
@settings(max_examples=150)
@given(raw=json_values)
def test_total_and_idempotent_on_any_json(kind: Kind, raw: Any) -> None:
    """The same, for generated JSON."""
    check_cleaning(kind, raw)


@instances
@settings(max_examples=150)
@given(raw=near_misses)
def test_total_and_idempotent_on_near_misses(kind: Kind, raw: str) -> None:
    """The same, for generated texts that look like numbers, dates, addresses and phones."""
    check_cleaning(kind, raw)
