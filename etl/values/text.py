"""Free text in one normal form, and the placeholder words that count as absent."""

import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar

from etl.values.base import Kind, Severity, Violation
from etl.values.number import is_number, to_decimal

#: What people type into a required field when they have no value. Compared in lower case.
PLACEHOLDERS = frozenset({
    "-", "--", "---", "_", ".", "..", "...", "?", "??", "???", "/", "n/a", "n.a.", "n.a", "n/a.", "#n/a", "n/k",
    "none", "(none)", "null", "(null)", "<null>", "nil", "unknown", "(unknown)", "unk", "undefined",
    "tbd", "tba", "t.b.d.", "t.b.a.", "to be determined", "to be announced",
    "not applicable", "not available", "not provided", "not known", "no data",
})  # fmt: skip
_LONGEST_PLACEHOLDER = max(map(len, PLACEHOLDERS))

#: Placeholders that are also names of people. A name field keeps them.
_NAMES_LIKE_PLACEHOLDERS = frozenset({"na", "nil", "none", "null"})
#: Replaces NUL and half of a surrogate pair, which PostgreSQL cannot store.
DAMAGED = "\N{REPLACEMENT CHARACTER}"
DAMAGED_MESSAGE = "contains a damaged character, which was already damaged in QQCatalyst"

#: Invisible characters: controls other than white space, zero-width and bidirectional controls, tags.
_INVISIBLE: dict[int, str | None] = dict.fromkeys((
    *range(0x01, 0x09), *range(0x0E, 0x1C), *range(0x7F, 0x85), *range(0x86, 0xA0), 0xAD, 0x61C, 0x180E,
    *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070), 0xFEFF, *range(0xFFF9, 0xFFFC),
    *range(0xE0000, 0xE0080),
))  # fmt: skip
INVISIBLE = "".join(map(chr, _INVISIBLE))
_INVISIBLE[0] = DAMAGED
#: The characters that `str.split` takes for white space.
BLANKS = "".join(character for character in map(chr, range(0x3001)) if character.isspace())
_BLANK_LINES = re.compile(r"\n{3,}")


@dataclass(frozen=True)
class Text(Kind):
    """Free text in one normal form: composed accents, single spaces, no invisible characters.

    With `placeholders`, words such as N/A or unknown count as absent, except that a `person` may be called Null or Na,
    which is noted; with `lines`, line breaks are kept.
    """

    name: ClassVar[str] = "text"
    noun: ClassVar[str] = "text"
    accepts: ClassVar[tuple[tuple[Any, Any], ...]] = (
        ("Rivera, Dana", "Rivera, Dana"),
        ("  9   Elm\tSt ", "9 Elm St"),
        ("Jose\u0301", "Jos\u00e9"),
        ("ab\u200bc\u202ed", "abcd"),
        ("\ud83d\ude00", "\U0001f600"),
        ("first\r\nsecond\u2028third", "first\nsecond\nthird"),
        (1044, "1044"),
        (Decimal("12.50"), "12.50"),
        (Decimal("12345.0"), "12345"),
        ("Pending", "Pending"),
        (None, None),
        (" \u00a0\u3000", None),
        ("N/A", None),
        ("unknown", None),
        ("-", None),
        ("TBD", None),
    )
    rejects: ClassVar[tuple[tuple[Any, str], ...]] = (
        (True, "text-type"),
        (["a"], "text-type"),
        ({"Name": "a"}, "text-type"),
        (float("nan"), "text-not-finite"),
        ("x" * 10_001, "text-too-long"),
        ("Null", "text-like-placeholder"),
        ("NA", "text-like-placeholder"),
        ("a\x00b", "text-damaged"),
        ("half \ud83d pair", "text-damaged"),
        ("half \ufffd pair", "text-damaged"),
    )

    placeholders: bool = False
    person: bool = False
    lines: bool = False
    max_length: int = 10_000

    @classmethod
    def example(cls) -> "Text":
        """Return the kind that drops placeholders, knows names and keeps line breaks."""
        return cls(placeholders=True, person=True, lines=True)

    def clean(self, raw: Any) -> str | Violation | None:
        """Return the text in normal form, None when blank or a placeholder, or a Violation."""
        if type(raw) is str and raw.isascii() and raw.isprintable():
            text = raw.strip()
            if "  " in text:
                text = " ".join(text.split())
            if len(text) <= self.max_length:
                return self._without_placeholder(text) if self.placeholders else text or None
        cleaned = clean_any_text(raw, type(self), self.max_length, lines=self.lines)
        if not isinstance(cleaned, str):
            return cleaned
        if DAMAGED in cleaned:
            return self.violation("damaged", DAMAGED_MESSAGE, Severity.REPAIRED, cleaned)
        return self._without_placeholder(cleaned) if self.placeholders else cleaned

    def _without_placeholder(self, text: str) -> str | Violation | None:
        """Return the text, None for a placeholder, or the Violation that notes a name that looks like one."""
        if self.person and text.lower() in _NAMES_LIKE_PLACEHOLDERS:
            message = "is a word that often means no value; it is kept, because it is also a name"
            return self.violation("like-placeholder", message, Severity.NOTED, text)
        return None if is_placeholder(text) else text or None


def is_placeholder(text: str) -> bool:
    """Return whether the normalized text is a placeholder for "no value"; "Na" in this case may be a name or a city."""
    return len(text) <= _LONGEST_PLACEHOLDER and (text == "NA" or text.lower() in PLACEHOLDERS)


def clean_text(raw: object, kind: type[Kind], max_length: int) -> str | Violation | None:
    """Return a text or number as normalized text, None when blank, or the kind's Violation.

    For ids, codes, addresses and numbers: with a damaged character they would be another value.
    """
    text = clean_any_text(raw, kind, max_length)
    return kind.violation("damaged", DAMAGED_MESSAGE) if isinstance(text, str) and DAMAGED in text else text


def clean_any_text(raw: object, kind: type[Kind], max_length: int, *, lines: bool = False) -> str | Violation | None:
    """Return a text or number as normalized text, None when blank, or the kind's Violation (wrong type, too long).

    A damaged character is U+FFFD. A number without a fraction is its digits: to JSON, 12345.0 is an integer.
    """
    if raw is None:
        return None
    if isinstance(raw, str):
        text = normalize_text(raw, 2 * max_length, lines=lines)
    elif is_number(raw):
        number = to_decimal(raw, kind)
        if isinstance(number, Violation):
            return number
        text = str(int(number)) if number == number.to_integral_value() else format(number, "f")
    else:
        return kind.type_violation(raw)
    if text is None or len(text) > max_length:
        return kind.violation("too-long", f"is longer than {max_length:,} characters")
    return text or None


def clean_word(raw: object, kind: type[Kind], max_length: int) -> str | Violation | None:
    """Return what `clean_text` returns, with placeholders as absent: for kinds whose values never look like one."""
    text = clean_text(raw, kind, max_length)
    return None if isinstance(text, str) and is_placeholder_word(text) else text


def is_placeholder_word(text: str) -> bool:
    """Return whether the normalized text is a placeholder where "na" cannot be a name."""
    return is_placeholder(text) or text.lower() == "na"


def normalize_text(raw: str, max_length: int, *, lines: bool = False) -> str | None:
    """Return the text in normal form, or None when more than `max_length` characters would have to be composed."""
    if not raw.isprintable():
        raw = _normalize_whitespace(raw, lines=lines)
    elif "  " in raw or raw[:1] == " " or raw[-1:] == " ":
        raw = " ".join(raw.split())
    if raw.isascii():
        return raw
    # Composing takes quadratic time on long runs of combining marks: 40,000 marks take seconds.
    return unicodedata.normalize("NFC", raw) if len(raw) <= max_length else None


def _normalize_whitespace(raw: str, *, lines: bool) -> str:
    """Return the text with single spaces and without invisible characters, which composing could change."""
    raw = replace_surrogates(raw).translate(_INVISIBLE)
    if not lines:
        return " ".join(raw.split())
    lines_out = (" ".join(line.split()) for line in raw.splitlines())
    return _BLANK_LINES.sub("\n\n", "\n".join(lines_out)).strip("\n")


def replace_surrogates(raw: str) -> str:
    """Return the text with split surrogate pairs joined and each lone half replaced by U+FFFD, so it can be stored."""
    return raw.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
