"""Moments in time, aware and in UTC."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from etl.values.base import Complaint, Kind
from etl.values.datetimes import FIRST_YEAR, LAST_YEAR, in_range, moment_of

_SEPARATORS = "2025-02-01T00:00:00"[4:17:3]  # every third character is one: --T::
_zone = cache(ZoneInfo)


@dataclass(frozen=True)
class Timestamp(Kind):
    """A moment in time, kept in UTC; one written without an offset is read in `zone`, an IANA name.

    A local time that the clocks skipped moves forward by the gap; one that they passed twice is the first of the two.
    """

    name: ClassVar[str] = "timestamp"
    noun: ClassVar[str] = "a point in time"
    accepts: ClassVar[tuple[tuple[Any, Any], ...]] = (
        ("2023-05-04T14:11:09.13", datetime(2023, 5, 4, 14, 11, 9, 130_000, UTC)),
        ("2023-05-04T14:11:09", datetime(2023, 5, 4, 14, 11, 9, 0, UTC)),
        ("2023-05-04T14:11:09Z", datetime(2023, 5, 4, 14, 11, 9, 0, UTC)),
        ("2023-05-04T14:11:40.7960861+00:00", datetime(2023, 5, 4, 14, 11, 40, 796_086, UTC)),
        ("2023-05-04T14:11:40.123456789-05:00", datetime(2023, 5, 4, 19, 11, 40, 123_456, UTC)),
        ("2023-05-04T14:11+0530", datetime(2023, 5, 4, 8, 41, 0, 0, UTC)),
        (" 2023-05-04 14:11:09 z ", datetime(2023, 5, 4, 14, 11, 9, 0, UTC)),
        ("2023-05-04", datetime(2023, 5, 4, 0, 0, 0, 0, UTC)),
        ("7/19/2012 1:41:59 PM", datetime(2012, 7, 19, 13, 41, 59, 0, UTC)),
        ("7/19/2012 12:00:00 AM", datetime(2012, 7, 19, 0, 0, 0, 0, UTC)),
        ("7/19/2012 13:41", datetime(2012, 7, 19, 13, 41, 0, 0, UTC)),
        ("/Date(1342705319000)/", datetime(2012, 7, 19, 13, 41, 59, 0, UTC)),
        ("/Date(1342705319000-0500)/", datetime(2012, 7, 19, 13, 41, 59, 0, UTC)),
        (None, None),
        ("", None),
        ("N/A", None),
        ("0001-01-01T00:00:00", None),
        ("0001-01-01T00:00:00+05:00", None),
    )
    rejects: ClassVar[tuple[tuple[Any, str], ...]] = (
        ("2023-02-30T00:00:00", "timestamp-impossible"),
        ("2023-05-04T24:00:00", "timestamp-impossible"),
        ("2023-05-04T14:60:00", "timestamp-impossible"),
        ("2016-12-31T23:59:60Z", "timestamp-impossible"),
        ("2023-05-04T14:11:09+24:00", "timestamp-impossible"),
        ("9999-12-31T23:59:59.9999999", "timestamp-range"),
        ("2200-12-31T23:00:00-05:00", "timestamp-range"),
        ("1900-01-01T00:00:00+05:00", "timestamp-range"),
        ("00:00:00.1234567", "timestamp-no-day"),
        ("7/19/12 1:41 PM", "timestamp-two-digit-year"),
        ("2023-05-04T14", "timestamp-format"),
        ("2023-05-04X14:11:09", "timestamp-format"),
        ("2023-05-04T14:11:09 Eastern", "timestamp-format"),
        ("now", "timestamp-format"),
        ("infinity", "timestamp-format"),
        ("yesterday", "timestamp-format"),
        ("20230504T141109", "timestamp-format"),
        (1342705319, "timestamp-type"),
        (True, "timestamp-type"),
        ({"Date": "2023-05-04"}, "timestamp-type"),
    )

    zone: str = "UTC"

    def in_zone(self, zone: str) -> "Timestamp":
        """Return the same kind with another zone for times without an offset."""
        return replace(self, zone=zone)

    @property
    def column_type(self) -> sa.DateTime:
        """Timestamp with time zone."""
        return sa.DateTime(timezone=True)

    def clean(self, raw: Any) -> datetime | Complaint | None:
        """Return the moment in UTC, None when absent, or a Complaint; what is finer than a microsecond is cut."""
        if type(raw) is str and _is_iso(raw):
            try:
                moment = datetime.fromisoformat(raw)
                if moment.tzinfo is None and self.zone == "UTC":
                    moment = datetime.fromisoformat(raw + "Z")  # a sixth of the time that replacing the zone takes
            except ValueError:
                pass  # the careful reading says why
            else:
                # A year inside the range, so that an offset cannot lead out of it.
                if FIRST_YEAR < moment.year < LAST_YEAR:
                    return moment if moment.tzinfo is UTC else self._in_utc(moment)
        found = moment_of(raw, type(self))
        return in_range(self._in_utc(found), type(self)) if isinstance(found, datetime) else found

    def _in_utc(self, moment: datetime) -> datetime:
        """Return the moment in UTC; without an offset, read in the zone."""
        if moment.tzinfo is None:
            # fold 0 is the first of two; in a gap it is the offset before the change, so the time moves forward.
            moment = moment.replace(tzinfo=UTC if self.zone == "UTC" else _zone(self.zone), fold=0)
        return moment.astimezone(UTC)


def _is_iso(text: str) -> bool:
    """Return whether the text looks like 2025-02-01T08:30:00, with or without more, so that fromisoformat may read it.

    That function also takes week dates, digits without separators, any letter for the T, a fraction of a minute as one
    of a second and, of late, an hour 24.
    """
    return text[4:17:3] == _SEPARATORS and text[11:13] < "24"
