"""Coded values: one-letter statuses and the like, with the meaning of each code."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import sqlalchemy as sa

from etl.values.base import Complaint, Kind, Severity
from etl.values.text import word_of

_LONGEST = 200
#: What can be a code at all: short, without spaces or markup.
_CODE = re.compile(r"[A-Z0-9][A-Z0-9_.&+-]{0,11}", re.ASCII)


@dataclass(frozen=True)
class Code(Kind):
    """A code of a vocabulary, in capitals.

    `vocabulary` names it ("policy status"), `meanings` says what each code means. An open vocabulary keeps an unknown
    code and notes it, because the vendor publishes few of them; a `closed` one drops it. Junk that is no code at all is
    dropped too, and refuses the whole record where the code is its `status`.
    """

    name: ClassVar[str] = "code"
    noun: ClassVar[str] = "a code"
    accepts: ClassVar[tuple[tuple[Any, Any], ...]] = (
        ("A", "A"),
        ("a", "A"),
        (" C ", "C"),
        (None, None),
        ("", None),
        ("  ", None),
        ("N/A", None),
    )
    rejects: ClassVar[tuple[tuple[Any, str], ...]] = (
        ("X", "code-unknown"),
        ("nb-1", "code-unknown"),
        (7, "code-unknown"),
        ("in force since May", "code-junk"),
        ("<b>A</b>", "code-junk"),
        ("ABCDEFGHIJKLM", "code-junk"),
        ("\u00df", "code-junk"),
        ("\u0131", "code-junk"),
        (True, "code-type"),
        (["A"], "code-type"),
    )

    vocabulary: str
    meanings: Mapping[str, str] = field(hash=False)
    closed: bool = False
    status: bool = False

    def __post_init__(self) -> None:
        """Keep a copy of the meanings; raise ValueError for a code that cleaning could never return."""
        object.__setattr__(self, "meanings", dict(self.meanings))
        wrong = [code for code in self.meanings if not _CODE.fullmatch(code)]
        if wrong:
            raise ValueError(f"The {self.vocabulary} codes {wrong} must be capitals, at most 12, without spaces.")

    @classmethod
    def example(cls) -> "Code":
        """Return the open vocabulary of a policy's status."""
        return cls("policy status", {"A": "active", "C": "cancelled", "D": "deleted"}, status=True)

    @property
    def column_type(self) -> sa.Text:
        """Text: the vocabulary grows at the source."""
        return sa.Text()

    def clean(self, raw: Any) -> str | Complaint | None:
        """Return the code, None when absent, or a Complaint, which in an open vocabulary keeps an unknown code."""
        if type(raw) is str and raw in self.meanings:
            return raw
        text = word_of(raw, type(self), _LONGEST)
        if isinstance(text, Complaint):
            return self._junk(text)
        if text is None:
            return None
        # Capitals of some letters outside ASCII lie inside: those are no codes.
        code = text.upper() if text.isascii() else ""
        if code in self.meanings:
            return code
        if not _CODE.fullmatch(code):
            return self._junk(self.complain("junk", f"is no {self.vocabulary} code: too long, or not plain letters"))
        words = f"is no {self.vocabulary} code that is known"
        return self.complain("unknown", words) if self.closed else self.complain("unknown", words, Severity.NOTED, code)

    def _junk(self, found: Complaint) -> Complaint:
        """Return the complaint of something that is no code, as grave as the field is."""
        severity = Severity.REFUSED if self.status else Severity.DROPPED
        return Complaint(found.rule, found.words, severity)
