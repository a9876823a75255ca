"""Free text: one form for white space, accents and invisible characters; placeholders to nothing."""

import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar

import sqlalchemy as sa

from etl.values.base import Complaint, Kind
from etl.values.number import exact, is_number

#: What people type when a field must be filled and they have nothing to say. Compared in lower case.
PLACEHOLDERS = frozenset({
    "-", "--", "---", "_", ".", "..", "...", "?", "??", "???", "/", "n/a", "n.a.", "n.a", "n/a.", "#n/a", "n/k",
    "none", "(none)", "null", "(null)", "<null>", "nil", "unknown", "(unknown)", "unk", "undefined",
    "tbd", "tba", "t.b.d.", "t.b.a.", "to be determined", "to be announced",
    "not applicable", "not available", "not provided", "not known", "no data",
})  # fmt: skip
_LONGEST_PLACEHOLDER = max(map(len, PLACEHOLDERS))

#: Characters that show nothing: controls other than white space, zero-width and bidirectional controls, tags.
_INVISIBLE = dict.fromkeys((
    *range(0x09), *range(0x0E, 0x1C), *range(0x7F, 0x85), *range(0x86, 0xA0), 0xAD, 0x61C, 0x180E,
    *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070), 0xFEFF, *range(0xFFF9, 0xFFFC),
    *range(0xE0000, 0xE0080),
))  # fmt: skip
_BLANK_LINES = re.compile(r"\n{3,}")


@dataclass(frozen=True)
class Text(Kind):
    """Free text in one form: composed accents, single spaces, no invisible characters.

    With `placeholders`, words such as N/A or unknown count as absent; with `lines`, line breaks stay.
    """

    name: ClassVar[str] = "text"
    noun: ClassVar[str] = "text"
    accepts: ClassVar[tuple[tuple[Any, Any], ...]] = (
        ("Rivera, Dana", "Rivera, Dana"),
        ("  9   Elm\tSt ", "9 Elm St"),
        ("Jose\u0301", "Jos\u00e9"),
        ("a\x00b\u200bc\u202ed", "abcd"),
        ("half \ud83d pair", "half \ufffd pair"),
        ("first\r\nsecond\u2028third", "first\nsecond\nthird"),
        (1044, "1044"),
        (Decimal("12.50"), "12.50"),
        ("Pending", "Pending"),
        (None, None),
        (" \u00a0\u3000", None),
        ("N/A", None),
        ("NA", None),
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
    )

    placeholders: bool = False
    lines: bool = False
    max_length: int = 10_000

    @classmethod
    def example(cls) -> "Text":
        """Return the text that drops placeholders and keeps line breaks."""
        return cls(placeholders=True, lines=True)

    @property
    def column_type(self) -> sa.Text:
        """Text without a limit: the limit is `clean`'s, and a longer text is never cut."""
        return sa.Text()

    def clean(self, raw: Any) -> str | Complaint | None:
        """Return the text in its one form, None when blank or a placeholder, or a Complaint."""
        if type(raw) is str and raw.isascii() and raw.isprintable():
            text = raw.strip()
            if "  " in text:
                text = " ".join(text.split())
            if len(text) <= self.max_length:
                return None if not text or (self.placeholders and is_placeholder(text)) else text
        found = text_of(raw, type(self), self.max_length, lines=self.lines)
        return None if self.placeholders and isinstance(found, str) and is_placeholder(found) else found


def is_placeholder(text: str) -> bool:
    """Return whether the tidy text only says that there is nothing to say."""
    # "Na" and "Null" are surnames; the first is told apart by its case, the second is too rare beside the word.
    return len(text) <= _LONGEST_PLACEHOLDER and (text == "NA" or text.lower() in PLACEHOLDERS)


def text_of(raw: object, kind: type[Kind], most: int, *, lines: bool = False) -> str | Complaint | None:
    """Return a text or number as tidy text, None when blank, or the kind's Complaint (wrong type, over `most`)."""
    if raw is None:
        return None
    if isinstance(raw, str):
        text = tidy(raw, 2 * most, lines=lines)
    elif is_number(raw):
        number = exact(raw, kind)
        if isinstance(number, Complaint):
            return number
        text = format(number, "f")
    else:
        return kind.wrong_type(raw)
    if text is None or len(text) > most:
        return kind.complain("too-long", f"is longer than the {most:,} characters that are kept")
    return text or None


def word_of(raw: object, kind: type[Kind], most: int) -> str | Complaint | None:
    """Return what `text_of` returns, with placeholders as absent: for kinds whose values never look like one."""
    found = text_of(raw, kind, most)
    return None if isinstance(found, str) and is_placeholder(found) else found


def tidy(raw: str, most: int, *, lines: bool = False) -> str | None:
    """Return the text in its one form, or None when more than `most` characters would have to be composed."""
    if not raw.isprintable():
        raw = _visible(raw, lines=lines)
    elif "  " in raw or raw[:1] == " " or raw[-1:] == " ":
        raw = " ".join(raw.split())
    if raw.isascii():
        return raw
    # Composing takes quadratic time on long runs of combining marks: 40,000 of them take seconds.
    return unicodedata.normalize("NFC", raw) if len(raw) <= most else None


def _visible(raw: str, *, lines: bool) -> str:
    """Return the text without invisible characters and with its white space, which composing can change, made even."""
    raw = joined(raw).translate(_INVISIBLE)
    if not lines:
        return " ".join(raw.split())
    kept = (" ".join(line.split()) for line in raw.splitlines())
    return _BLANK_LINES.sub("\n\n", "\n".join(kept)).strip("\n")


def joined(raw: str) -> str:
    """Return the text with split surrogate pairs joined and each lone half replaced by U+FFFD, so it can be stored."""
    return raw.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
