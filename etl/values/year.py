"""Model years."""

from dataclasses import dataclass
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.types import TypeEngine

from etl.values.base import Kind, Violation
from etl.values.integer import parse_integer

#: The first car was built in 1886. The upper end is fixed: cleaning reads no clock.
FIRST, LAST = 1886, 2100
_CENTURY = 100


@dataclass(frozen=True)
class Year(Kind):
    """A four-digit year, such as a vehicle's model year; 0 is absent."""

    name: ClassVar[str] = "year"
    noun: ClassVar[str] = "a year"
    stored_as: ClassVar[TypeEngine[Any]] = sa.SmallInteger()
    accepts: ClassVar[tuple[tuple[Any, Any], ...]] = (
        (2019, 2019),
        ("2019", 2019),
        (" 2019 ", 2019),
        (2019.0, 2019),
        (None, None),
        ("", None),
        (0, None),
        ("0000", None),
        ("N/A", None),
    )
    rejects: ClassVar[tuple[tuple[Any, str], ...]] = (
        (19, "year-two-digits"),
        ("19", "year-two-digits"),
        (1885, "year-range"),
        (2101, "year-range"),
        (-2019, "year-range"),
        (20190, "year-range"),
        (2019.5, "year-fraction"),
        ("MMXIX", "year-format"),
        (True, "year-type"),
        ([2019], "year-type"),
    )

    def clean(self, raw: Any) -> int | Violation | None:
        """Return the year, None when absent, or a Violation."""
        year = raw if type(raw) is int else parse_integer(raw, type(self))
        if not isinstance(year, int) or FIRST <= year <= LAST:
            return year
        if year == 0:
            return None
        if 0 < year < _CENTURY:
            return self.violation("two-digits", "has only two digits, so the century is unknown")
        return self.violation("range", f"is not between {FIRST} and {LAST}")
