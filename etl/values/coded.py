"""Coded values such as one-letter statuses, with the meaning of each code."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from etl.values.base import Kind, Severity, Violation
from etl.values.text import clean_text, is_placeholder_word

_LONGEST = 200
#: The form of a code: short, without spaces or markup, and not a number with a fraction.
_CODE = re.compile(r"(?![0-9]+\.[0-9]+$)[A-Z0-9][A-Z0-9_.&+-]{0,11}", re.ASCII)


@dataclass(frozen=True)
class Code(Kind):
    """A code of a vocabulary, in capitals.

    `vocabulary` names it ("policy status"); `meanings` says what each code means. An open vocabulary keeps an unknown
    code and notes it, because the vendor publishes few codes; a `closed` one drops it. Text that cannot be a code is
    dropped too, and the whole record is refused if the code is its `status`.
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
        ("na", None),
    )
    rejects: ClassVar[tuple[tuple[Any, str], ...]] = (
        ("X", "code-unknown"),
        ("nb-1", "code-unknown"),
        (7, "code-unknown"),
        (2.0, "code-unknown"),
        ("2.50", "code-junk"),
        ("A\ud83c", "code-damaged"),
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
    assumed: frozenset[str] = frozenset()  #: codes whose meaning follows from their use and was not seen as text

    def __post_init__(self) -> None:
        """Copy the meanings; raise ValueError for a code that cleaning could never return."""
        object.__setattr__(self, "meanings", dict(self.meanings))
        wrong = [code for code in self.meanings if not _CODE.fullmatch(code)]
        if wrong:
            raise ValueError(f"The {self.vocabulary} codes {wrong} must be at most 12 capitals without spaces.")
        if unexplained := sorted(self.assumed - self.meanings.keys()):
            raise ValueError(f"The {self.vocabulary} codes {unexplained} are assumed to mean something, but not what.")

    @classmethod
    def example(cls) -> "Code":
        """Return the open vocabulary of policy statuses."""
        return cls("policy status", {"A": "active", "C": "canceled", "D": "deleted"}, status=True)

    def clean(self, raw: Any) -> str | Violation | None:
        """Return the code, None when absent, or a Violation.

        An open vocabulary keeps an unknown code in the Violation, and reports it if the vocabulary has any known code.
        """
        if type(raw) is str and raw in self.meanings:
            return raw
        text = clean_text(raw, type(self), _LONGEST)
        if isinstance(text, Violation):
            return self._junk_violation(text)
        return None if text is None or is_placeholder_word(text) else self._clean_code(text)

    def _clean_code(self, text: str) -> str | Violation:
        """Return the code that a text means, or a Violation."""
        # Some non-ASCII letters have ASCII capitals; they are not codes.
        code = text.upper() if text.isascii() else ""
        if not _CODE.fullmatch(code):
            return self._junk_violation(
                self.violation("junk", f"is not a {self.vocabulary} code: too long, or not plain letters")
            )
        is_open_to_all = not self.meanings and not self.closed  # nobody has published a code: none of them is news
        if code in self.meanings or is_open_to_all:
            return code
        message = f"is not a known {self.vocabulary} code"
        return (
            self.violation("unknown", message)
            if self.closed
            else self.violation("unknown", message, Severity.NOTED, code)
        )

    def _junk_violation(self, violation: Violation) -> Violation:
        """Return the violation for text that cannot be a code, with the severity that the field calls for."""
        severity = Severity.REFUSED if self.status else Severity.DROPPED
        return Violation(violation.rule, violation.message, severity)
