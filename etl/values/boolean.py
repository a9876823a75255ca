"""Booleans, in every form that the API sends."""

from dataclasses import dataclass
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.types import TypeEngine

from etl.values.base import Kind, Violation
from etl.values.number import is_number, to_decimal
from etl.values.text import clean_word

_LONGEST = 60
#: The words for true and false, in lower case.
WORDS = {
    **dict.fromkeys(("true", "yes", "y", "t", "1"), True),
    **dict.fromkeys(("false", "no", "n", "f", "0"), False),
}
_NUMERIC_VALUES = frozenset({0, 1})


@dataclass(frozen=True)
class Boolean(Kind):
    """True or false, also from words and numbers that mean them."""

    name: ClassVar[str] = "boolean"
    noun: ClassVar[str] = "yes or no"
    stored_as: ClassVar[TypeEngine[Any]] = sa.Boolean()
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

    def clean(self, raw: Any) -> bool | Violation | None:
        """Return True or False, None when absent, or a Violation."""
        if raw is True or raw is False:
            return raw
        if is_number(raw):
            number = to_decimal(raw, type(self))
            if isinstance(number, Violation):
                return number
            value = bool(number) if number in _NUMERIC_VALUES else None
        else:
            text = clean_word(raw, type(self), _LONGEST)
            if not isinstance(text, str):
                return text
            value = WORDS.get(text.lower())
        return self.violation("unknown", "is neither yes nor no") if value is None else value
