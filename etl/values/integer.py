"""Whole numbers."""

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar

import sqlalchemy as sa

from etl.values.base import Kind, Violation
from etl.values.number import is_number, to_decimal
from etl.values.text import clean_word

_LONGEST = 60
_SMALL, _MIDDLE = 2**15, 2**31
_WHOLE = re.compile(r"[-+]?(?:[0-9]+|[1-9][0-9]{0,2}(?:,[0-9]{3})+)(?:\.0*)?", re.ASCII)
_DECIMAL_FRACTION = re.compile(r"[-+]?[0-9]*\.[0-9]+", re.ASCII)


@dataclass(frozen=True)
class Integer(Kind):
    """A whole number from `minimum` to `maximum`."""

    name: ClassVar[str] = "integer"
    noun: ClassVar[str] = "a whole number"
    accepts: ClassVar[tuple[tuple[Any, Any], ...]] = (
        (5, 5),
        (-5, -5),
        (5.0, 5),
        (Decimal("5.00"), 5),
        (" 5 ", 5),
        ("+5", 5),
        ("12,000", 12_000),
        ("5.0", 5),
        ("007", 7),
        (None, None),
        ("", None),
        ("N/A", None),
    )
    rejects: ClassVar[tuple[tuple[Any, str], ...]] = (
        (5.5, "integer-fraction"),
        ("5.5", "integer-fraction"),
        ("12,34", "integer-format"),
        ("1e3", "integer-format"),
        ("1_000", "integer-format"),
        ("five", "integer-format"),
        ("\uff15", "integer-format"),
        (2**31, "integer-range"),
        ("-2147483649", "integer-range"),
        (10**5000, "integer-range"),
        (Decimal("1E+5000"), "integer-too-long"),
        (float("nan"), "integer-not-finite"),
        (True, "integer-type"),
        ([5], "integer-type"),
    )

    minimum: int = -_MIDDLE
    maximum: int = _MIDDLE - 1

    @property
    def column_type(self) -> sa.Integer:
        """The smallest PostgreSQL integer type that holds both ends of the range."""
        if self.minimum >= -_SMALL and self.maximum < _SMALL:
            return sa.SmallInteger()
        return sa.Integer() if self.minimum >= -_MIDDLE and self.maximum < _MIDDLE else sa.BigInteger()

    def clean(self, raw: Any) -> int | Violation | None:
        """Return the number, None when absent, or a Violation."""
        number = raw if type(raw) is int else parse_integer(raw, type(self))
        if not isinstance(number, int) or self.minimum <= number <= self.maximum:
            return number
        return self.violation("range", f"is not between {self.minimum:,} and {self.maximum:,}")


def parse_integer(raw: object, kind: type[Kind]) -> int | Violation | None:
    """Return a JSON number or text as an integer, None when absent, or the kind's Violation."""
    if is_number(raw):
        number = to_decimal(raw, kind)
    else:
        text = clean_word(raw, kind, _LONGEST)
        if not isinstance(text, str):
            return text
        if not _WHOLE.fullmatch(text):
            return _integer_violation(text, kind)
        number = Decimal(text.replace(",", ""))
    if isinstance(number, Violation):
        return number
    return int(number) if number == number.to_integral_value() else _fraction_violation(kind)


def _integer_violation(text: str, kind: type[Kind]) -> Violation:
    """Return the Violation that says why the text is not a whole number."""
    return (
        _fraction_violation(kind)
        if _DECIMAL_FRACTION.fullmatch(text)
        else kind.violation("format", "is not a number in plain digits")
    )


def _fraction_violation(kind: type[Kind]) -> Violation:
    """Return the violation for a number that is not whole."""
    return kind.violation("fraction", "has decimals, but must be a whole number")
