"""Yes and no, in all the ways the API says them."""

from dataclasses import dataclass
from typing import Any, ClassVar

import sqlalchemy as sa

from etl.values.base import Complaint, Kind
from etl.values.number import exact, is_number
from etl.values.text import word_of

_LONGEST = 60
_WORDS = {"true": True, "yes": True, "y": True, "t": True, "1": True}
_TRUTHS = frozenset({0, 1})
_WORDS |= {"false": False, "no": False, "n": False, "f": False, "0": False}


@dataclass(frozen=True)
class Boolean(Kind):
    """True or false, also from the words and numbers that stand for them."""

    name: ClassVar[str] = "boolean"
    noun: ClassVar[str] = "yes or no"
    accepts: ClassVar[tuple[tuple[Any, Any], ...]] = (
        (True, True),
        (False, False),
        ("True", True),
        ("False", False),
        ("true", True),
        (" YES ", True),
        ("No", False),
        ("Y", True),
        ("N", False),
        ("1", True),
        ("0", False),
        (1, True),
        (0, False),
        (1.0, True),
        (None, None),
        ("", None),
        ("N/A", None),
    )
    rejects: ClassVar[tuple[tuple[Any, str], ...]] = (
        ("maybe", "boolean-unknown"),
        ("2", "boolean-unknown"),
        (2, "boolean-unknown"),
        (-1, "boolean-unknown"),
        (0.5, "boolean-unknown"),
        (float("nan"), "boolean-not-finite"),
        ([True], "boolean-type"),
        ({}, "boolean-type"),
    )

    @property
    def column_type(self) -> sa.Boolean:
        """Boolean."""
        return sa.Boolean()

    def clean(self, raw: Any) -> bool | Complaint | None:
        """Return True or False, None when absent, or a Complaint."""
        if raw is True or raw is False:
            return raw
        if is_number(raw):
            number = exact(raw, type(self))
            if isinstance(number, Complaint):
                return number
            found = bool(number) if number in _TRUTHS else None
        else:
            text = word_of(raw, type(self), _LONGEST)
            if not isinstance(text, str):
                return text
            found = _WORDS.get(text.lower())
        return self.complain("unknown", "is neither yes nor no") if found is None else found
