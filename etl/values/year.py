"""Model years."""

from dataclasses import dataclass
from typing import Any, ClassVar

import sqlalchemy as sa

from etl.values.base import Complaint, Kind
from etl.values.integer import whole

#: The first motor car was built in 1886. The upper end is fixed: cleaning reads no clock.
FIRST, LAST = 1886, 2100
_CENTURY = 100


@dataclass(frozen=True)
class Year(Kind):
    """A year of four digits, as of a vehicle's model; 0 is absent."""

    name: ClassVar[str] = "year"
    noun: ClassVar[str] = "a year"
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

    @property
    def column_type(self) -> sa.SmallInteger:
        """Small integer."""
        return sa.SmallInteger()

    def clean(self, raw: Any) -> int | Complaint | None:
        """Return the year, None when absent, or a Complaint."""
        found = raw if type(raw) is int else whole(raw, type(self))
        if not isinstance(found, int) or FIRST <= found <= LAST:
            return found
        if found == 0:
            return None
        if 0 < found < _CENTURY:
            return self.complain("two-digits", "has two digits, which can mean several years")
        return self.complain("range", f"is not between {FIRST} and {LAST}")
