"""Short words of a vocabulary that the vendor does not publish."""

import re
from dataclasses import dataclass
from typing import Any, ClassVar

from etl.values.base import Kind, Severity, Violation
from etl.values.text import clean_word, is_placeholder_word

_MARKUP = re.compile(r"[<>{}\\]")


@dataclass(frozen=True)
class Word(Kind):
    """One or two words of an unpublished vocabulary, as the source writes them: Cell, Direct Bill, Personal Auto.

    Where the word is the record's `status`, a violation refuses the whole record.
    """

    name: ClassVar[str] = "word"
    noun: ClassVar[str] = "a word"
    accepts: ClassVar[tuple[tuple[Any, Any], ...]] = (
        ("Cell", "Cell"),
        (" Direct  Bill ", "Direct Bill"),
        ("Home", "Home"),
        (3, "3"),
        (None, None),
        ("", None),
        ("N/A", None),
        ("Unknown", None),
        ("na", None),
    )
    rejects: ClassVar[tuple[tuple[Any, str], ...]] = (
        ("<b>Cell</b>", "word-junk"),
        ("{{Cell}}", "word-junk"),
        ("Ce\x00ll", "word-damaged"),
        ("x" * 61, "word-too-long"),
        (True, "word-type"),
        (["Cell"], "word-type"),
    )

    max_length: int = 60
    status: bool = False

    def clean(self, raw: Any) -> str | Violation | None:
        """Return the word, None when absent, or a Violation."""
        if type(raw) is str and raw.isascii() and raw.isalnum() and len(raw) <= self.max_length:
            return None if is_placeholder_word(raw) else raw
        cleaned = clean_word(raw, type(self), self.max_length)
        if isinstance(cleaned, str) and _MARKUP.search(cleaned):
            cleaned = self.violation("junk", "contains web page code instead of a word")
        if isinstance(cleaned, Violation) and self.status:
            return Violation(cleaned.rule, cleaned.message, Severity.REFUSED)
        return cleaned
