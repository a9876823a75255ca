"""Free text: normalization, options, and the fast path compared with the slow path."""

import time
import unicodedata
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl.values import (
    Boolean,
    Code,
    Date,
    Email,
    Integer,
    Kind,
    Money,
    Percent,
    Phone,
    Reference,
    Severity,
    SourceId,
    State,
    Text,
    TextList,
    Timestamp,
    Url,
    Uuid,
    Vin,
    Violation,
    Word,
    Year,
    Zip,
)
from etl.values.text import DAMAGED_MESSAGE, normalize_text

PLAIN, EMPTYING, LINED = Text(), Text(placeholders=True), Text(lines=True)


@pytest.mark.parametrize("raw", ["N/A", "none", "Unknown", "-", "--", "null", "TBD", "n.a.", "NA", "not applicable"])
def test_placeholders_are_absent_only_if_the_kind_says_so(raw: str) -> None:
    """A policy's description may be "None"; a city may not."""
    assert PLAIN.clean(raw) == raw
    assert EMPTYING.clean(raw) is None
    assert EMPTYING.clean(f"  {raw} ") is None


@pytest.mark.parametrize("name", ["Na", "Nunn", "Nonesuch", "Unknown Rivera", "O'Null", "-5", "A-"])
def test_names_that_resemble_placeholders_are_kept(name: str) -> None:
    """A placeholder is the whole text, and Na is a surname."""
    assert EMPTYING.clean(name) == name


def test_line_breaks_are_kept_only_if_the_kind_says_so() -> None:
    """All line ends become the same, several empty lines become one, and without the option they become spaces."""
    raw = "\r\n first  line\r\nsecond\rthird\n\n\n\n fourth \x85fifth\n"
    assert LINED.clean(raw) == "first line\nsecond\nthird\n\nfourth\nfifth"
    assert PLAIN.clean(raw) == "first line second third fourth fifth"


def test_too_long_is_dropped_and_never_cut() -> None:
    """A text over the limit has no replacement, and the message names the limit."""
    assert Text(max_length=5).clean("12345") == "12345"
    assert Text(max_length=5).clean("  12345  ") == "12345"
    cleaned = Text(max_length=5).clean("123456")
    assert isinstance(cleaned, Violation)
    assert cleaned.value is None
    assert "5 characters" in cleaned.message
    assert Text(max_length=1).clean("e\u0301") == "\u00e9"


def test_endless_combining_marks_do_not_hang() -> None:
    """Composing takes quadratic time on a run of combining marks, so only texts within the limit are composed."""
    started = time.perf_counter()
    cleaned = PLAIN.clean("e" + "\u0301\u0316" * 500_000)
    assert isinstance(cleaned, Violation)
    assert time.perf_counter() - started < 1


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("a\u200bb\u200d\u2060c\ufeff", "abc"),
        ("\u202eabc\u202c\u2066d\u2069", "abcd"),
        ("\x1b[31mred\x1b[0m", "[31mred[0m"),
        ("soft\u00adhyphen", "softhyphen"),
        ("\ud83d\ude00", "\U0001f600"),
        ("a\u00a0\u2003\u3000b", "a b"),
        ("e\u200b\u0301", "\u00e9"),
        ("\u0601 12", "\u0601 12"),
    ],
)
def test_invisible_characters(raw: str, clean: str) -> None:
    """Control characters are removed, and visible characters are kept."""
    assert PLAIN.clean(raw) == clean


@pytest.mark.parametrize(
    ("raw", "clean"), [("\ud83d!", "\ufffd!"), ("!\ude00", "!\ufffd"), ("a\x00b", "a\ufffdb"), ("a\ufffdb", "a\ufffdb")]
)
def test_damaged_characters_are_marked_and_reported(raw: str, clean: str) -> None:
    """NUL and half of a surrogate pair become U+FFFD (Unicode 23.8), before or after staging, with a finding."""
    for kind in (PLAIN, EMPTYING, LINED):
        assert kind.clean(raw) == Violation("text-damaged", DAMAGED_MESSAGE, Severity.REPAIRED, clean)


@pytest.mark.parametrize(
    "kind",
    [Email(), Phone(), Url(), SourceId(), Reference("contacts"), Word(), Zip(), State(), Vin(), TextList(), Date(),
     Timestamp(), Money(), Percent(), Integer(), Year(), Boolean(), Uuid(), Code("term", {"A": "annual"})],
    ids=lambda kind: kind.name,
)  # fmt: skip
@pytest.mark.parametrize("damage", ["\x00", chr(0xD83C), "\ufffd"])
def test_a_value_that_is_no_free_text_is_dropped_if_damaged(kind: Kind, damage: str) -> None:
    """Without the damaged character, or with a mark in its place, an id or an address would be another one."""
    for raw in (raw for raw, clean in kind.accepts if isinstance(raw, str) and clean is not None):
        cleaned = kind.clean(raw[:1] + damage + raw[1:])
        assert isinstance(cleaned, Violation), raw
        assert (cleaned.rule, cleaned.severity, cleaned.value) == (f"{kind.name}-damaged", Severity.DROPPED, None)


@pytest.mark.parametrize("name", ["Null", "None", "Na", "NA", "NULL", "nil"])
def test_names_of_people_that_look_like_placeholders_are_kept_and_noted(name: str) -> None:
    cleaned = Text(placeholders=True, person=True).clean(f" {name} ")
    assert isinstance(cleaned, Violation)
    assert (cleaned.rule, cleaned.severity, cleaned.value) == ("text-like-placeholder", Severity.NOTED, name)


@pytest.mark.parametrize("raw", ["N/A", "unknown", "-", "TBD", "(none)", ""])
def test_other_placeholders_are_no_names(raw: str) -> None:
    assert Text(placeholders=True, person=True).clean(raw) is None


def test_a_json_number_without_a_fraction_is_an_integer() -> None:
    """JSON Schema 2020-12, 4.2.3: 12345.0 is an integer. A text with a fraction stays a text."""
    assert PLAIN.clean(Decimal("12345.0")) == PLAIN.clean(12345.0) == "12345"
    assert PLAIN.clean(Decimal("12345.50")) == "12345.50"
    assert PLAIN.clean("12345.0") == "12345.0"
    assert Zip().clean(32801.0) == "32801"
    assert Phone().clean(Decimal("3055550142.0")) == "+13055550142"


@given(st.text(st.characters(exclude_categories=()), max_size=60))
def test_every_text_is_normalized(raw: str) -> None:
    """A clean text is composed, trimmed and single-spaced, and can be stored."""
    cleaned = PLAIN.clean(raw)
    clean = cleaned.value if isinstance(cleaned, Violation) else cleaned
    if clean is not None:
        assert isinstance(clean, str)
        assert unicodedata.is_normalized("NFC", clean)
        assert clean == " ".join(clean.split())
        assert "\x00" not in clean
        clean.encode()


@given(st.text(st.characters(max_codepoint=127), max_size=60))
def test_the_fast_path_matches_the_slow_path(raw: str) -> None:
    """For plain text, `clean` and the slow path return the same value."""
    cleaned = PLAIN.clean(raw)
    assert (cleaned.value if isinstance(cleaned, Violation) else cleaned) == (normalize_text(raw, 100) or None)
