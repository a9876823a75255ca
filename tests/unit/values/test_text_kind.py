"""Free text: normalization, options, and the fast path compared with the slow path."""

import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl.values import Text, Violation
from etl.values.text import normalize_text

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
        ("\ud83d!", "\ufffd!"),
        ("!\ude00", "!\ufffd"),
        ("a\u00a0\u2003\u3000b", "a b"),
        ("e\u200b\u0301", "\u00e9"),
        ("\u0601 12", "\u0601 12"),
    ],
)
def test_invisible_characters(raw: str, clean: str) -> None:
    """Control characters are removed, lone surrogates are replaced, and visible characters are kept."""
    assert PLAIN.clean(raw) == clean


@given(st.text(st.characters(exclude_categories=()), max_size=60))
def test_every_text_is_normalized(raw: str) -> None:
    """A clean text is composed, trimmed and single-spaced, and can be stored."""
    clean = PLAIN.clean(raw)
    if clean is not None:
        assert isinstance(clean, str)
        assert unicodedata.is_normalized("NFC", clean)
        assert clean == " ".join(clean.split())
        assert "\x00" not in clean
        clean.encode()


@given(st.text(st.characters(max_codepoint=127), max_size=60))
def test_the_fast_path_matches_the_slow_path(raw: str) -> None:
    """For plain text, `clean` and the slow path return the same value."""
    assert PLAIN.clean(raw) == (normalize_text(raw, 100) or None)
