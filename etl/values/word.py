"""Short words of a vocabulary that the vendor does not publish."""

import re
from dataclasses import dataclass
from typing import Any, ClassVar

import sqlalchemy as sa

from etl.values.base import Complaint, Kind, Severity
from etl.values.text import is_placeholder, word_of

_MARKUP = re.compile(r"[<>{}\\]")


@dataclass(frozen=True)
class Word(Kind):
    """A short word or two of an unpublished vocabulary, as the source writes it: Cell, Direct Bill, Personal Auto.

    Where the word is the record's `status`, junk in its place refuses the whole record.
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
    )
    rejects: ClassVar[tuple[tuple[Any, str], ...]] = (
        ("<b>Cell</b>", "word-junk"),
        ("{{Cell}}", "word-junk"),
        ("x" * 61, "word-too-long"),
        (True, "word-type"),
        (["Cell"], "word-type"),
    )

    max_length: int = 60
    status: bool = False

    @property
    def column_type(self) -> sa.Text:
        """Text: the vocabulary is the source's."""
        return sa.Text()

    def clean(self, raw: Any) -> str | Complaint | None:
        """Return the word, None when absent, or a Complaint."""
        if type(raw) is str and raw.isascii() and raw.isalnum() and len(raw) <= self.max_length:
            return None if is_placeholder(raw) else raw
        found = word_of(raw, type(self), self.max_length)
        if isinstance(found, str) and _MARKUP.search(found):
            found = self.complain("junk", "holds markup where a word belongs")
        if isinstance(found, Complaint) and self.status:
            return Complaint(found.rule, found.words, Severity.REFUSED)
        return found
