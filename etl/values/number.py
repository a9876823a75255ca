"""A JSON number of any type as an exact, finite decimal of sane size."""

from decimal import Decimal
from typing import TypeGuard

from etl.values.base import Complaint, Kind

#: More digits before or after the point than any amount or id has; writing out 1e999999 would fill the memory.
MOST_DIGITS = 60
_TOO_LONG = Decimal(10) ** (2 * MOST_DIGITS)


def is_number(raw: object) -> TypeGuard[float | Decimal]:
    """Return whether the JSON value is a number; true and false, which Python counts as such, are none."""
    return isinstance(raw, (Decimal, int, float)) and not isinstance(raw, bool)


def exact(number: float | Decimal, kind: type[Kind]) -> Decimal | Complaint:
    """Return the number as a decimal, or the kind's Complaint when it is not finite or over `MOST_DIGITS` long."""
    if isinstance(number, Decimal):
        found = number
    elif isinstance(number, int):
        found = Decimal(number) if number.bit_length() < 4 * MOST_DIGITS else _TOO_LONG
    else:
        # The shortest digits of a float are what was sent; of a whole one, only all of them are the number.
        found = Decimal(number) if number.is_integer() else Decimal(repr(number))
    if not found.is_finite():
        return kind.complain("not-finite", "is not a finite number")
    if not -MOST_DIGITS <= found.adjusted() <= MOST_DIGITS:
        if not found:
            return Decimal(0)
        return kind.complain("too-long", f"is a number of more than {MOST_DIGITS} digits")
    return found
