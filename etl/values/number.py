"""Conversion of any JSON number to an exact, finite decimal of limited size."""

from decimal import Decimal
from typing import TypeGuard

from etl.values.base import Kind, Violation

#: More digits before or after the decimal point than any amount or id has; writing out 1e999999 would fill the memory.
MAX_DIGITS = 60
_TOO_LONG = Decimal(10) ** (2 * MAX_DIGITS)


def is_number(raw: object) -> TypeGuard[float | Decimal]:
    """Return whether the JSON value is a number; true and false, which are integers in Python, are not."""
    return isinstance(raw, (Decimal, int, float)) and not isinstance(raw, bool)


def to_decimal(number: float | Decimal, kind: type[Kind]) -> Decimal | Violation:
    """Return the number as a decimal, or the kind's Violation when it is not finite or over `MOST_DIGITS` long."""
    if isinstance(number, Decimal):
        decimal = number
    elif isinstance(number, int):
        decimal = Decimal(number) if number.bit_length() < 4 * MAX_DIGITS else _TOO_LONG
    else:
        # The shortest digits of a float are what was sent; a whole float needs all of its digits.
        decimal = Decimal(number) if number.is_integer() else Decimal(repr(number))
    if not decimal.is_finite():
        return kind.violation("not-finite", "is infinite or not a number")
    if not -MAX_DIGITS <= decimal.adjusted() <= MAX_DIGITS:
        if not decimal:
            return Decimal(0)
        return kind.violation("too-long", f"is a number of more than {MAX_DIGITS} digits")
    return decimal
