"""Calendar dates, never shifted by a time zone."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.types import TypeEngine

from etl.values.base import Kind, Violation
from etl.values.datetimes import FIRST_YEAR, LAST_YEAR, parse_datetime

#: How the API writes a date: with a midnight time, or without a time.
_MIDNIGHT = frozenset({"T00:00:00", ""})


@dataclass(frozen=True)
class Date(Kind):
    """A calendar date as the source wrote it; a time and an offset after it are ignored and never shift the date."""

    name: ClassVar[str] = "date"
    noun: ClassVar[str] = "a date"
    stored_as: ClassVar[TypeEngine[Any]] = sa.Date()
    accepts: ClassVar[tuple[tuple[Any, Any], ...]] = (
        ("2025-02-01", date(2025, 2, 1)),
        ("2025-02-01T00:00:00", date(2025, 2, 1)),
        ("2025-02-01T23:59:59.9999999-05:00", date(2025, 2, 1)),
        ("2025-02-01T00:00:00Z", date(2025, 2, 1)),
        (" 2025-02-01 08:30 ", date(2025, 2, 1)),
        ("2025/2/1", date(2025, 2, 1)),
        ("2/1/2025", date(2025, 2, 1)),
        ("7/19/2012 1:41:59 PM", date(2012, 7, 19)),
        ("/Date(1342662119000)/", date(2012, 7, 19)),
        ("/Date(1342670400000-0500)/", date(2012, 7, 18)),
        ("2024-02-29", date(2024, 2, 29)),
        (None, None),
        ("", None),
        ("N/A", None),
        ("0001-01-01T00:00:00", None),
        ("1/1/0001 12:00:00 AM", None),
        ("/Date(-62135596800000)/", None),
    )
    rejects: ClassVar[tuple[tuple[Any, str], ...]] = (
        ("2025-02-30", "date-impossible"),
        ("0001-12-31", "date-range"),
        ("2025-02-29", "date-impossible"),
        ("13/1/2025", "date-impossible"),
        ("2025-02-01T25:00:00", "date-impossible"),
        ("2025-02-01T24:00:00", "date-impossible"),
        ("0000-00-00", "date-impossible"),
        ("2025-02-01T08:00:00-03:99", "date-impossible"),
        ("/Date(1715000000000+0170)/", "date-impossible"),
        ("2025-02-01T08:00:00+05:30:15", "date-format"),
        ("7/19/2012 13:41:59 PM", "date-impossible"),
        ("/Date(999999999999999999)/", "date-impossible"),
        ("1899-12-31", "date-range"),
        ("2201-01-01", "date-range"),
        ("9999-12-31T23:59:59.9999999", "date-range"),
        ("7/19/12", "date-two-digit-year"),
        ("00:00:00.1234567", "date-no-day"),
        ("10am", "date-no-day"),
        ("now", "date-format"),
        ("today", "date-format"),
        ("infinity", "date-format"),
        ("epoch", "date-format"),
        ("Sep", "date-format"),
        ("5", "date-format"),
        ("20250201", "date-format"),
        ("2025-W05-6", "date-format"),
        ("10000-01-01", "date-format"),
        ("19-07-2012", "date-format"),
        ("\u0662\u0660\u0662\u0665-02-01", "date-format"),
        (20250201, "date-type"),
        (True, "date-type"),
        (["2025-02-01"], "date-type"),
    )

    def clean(self, raw: Any) -> date | Violation | None:
        """Return the date, None when absent, or a Violation."""
        # fromisoformat accepts 20250201 and 2025-W05-6 too, which have no hyphen at this position.
        if type(raw) is str and raw[10:] in _MIDNIGHT and raw[7:8] == "-":
            try:
                day = date.fromisoformat(raw[:10])
            except ValueError:
                pass  # parse_datetime says why
            else:
                if FIRST_YEAR <= day.year <= LAST_YEAR:
                    return day
        moment = parse_datetime(raw, type(self))
        return moment.date() if isinstance(moment, datetime) else moment
