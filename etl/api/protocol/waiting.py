"""How long a server asks to wait: the Retry-After header in all its forms."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

#: The largest wait, in seconds; keeps absurd numbers out of clocks and tables.
LONGEST = 7 * 86_400.0

_SECONDS = re.compile(r"[0-9]{1,20}", re.ASCII)
_DAY = "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)"
_MONTH = "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
#: The three forms of a date in HTTP (RFC 9110, 5.6.7): today's, RFC 850's and asctime's.
_DATES = re.compile(
    rf"{_DAY}, [0-9]{{2}} {_MONTH} [0-9]{{4}} [0-9:]{{8}} GMT"
    rf"|{_DAY}[a-z]*, [0-9]{{2}}-{_MONTH}-[0-9]{{2}} [0-9:]{{8}} GMT"
    rf"|{_DAY} {_MONTH} [ 0-9][0-9] [0-9:]{{8}} [0-9]{{4}}",
    re.ASCII,
)


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Return the seconds of a Retry-After header, None if it is absent or unusable.

    A date in the past means now; the answer's Date header replaces `now` if present.
    """
    text = headers.get("Retry-After", "").strip()
    if _SECONDS.fullmatch(text):
        return min(float(text), LONGEST)
    moment = http_date(text)
    if moment is None:
        return None
    there = http_date(headers.get("Date", "")) or now
    return min(max(0.0, (moment - there).total_seconds()), LONGEST)


def http_date(text: str | None) -> datetime | None:
    """Return an HTTP date as an aware UTC instant, None if it has none of the three forms."""
    if not text or not _DATES.fullmatch(text.strip()):
        return None
    try:
        moment = parsedate_to_datetime(text.strip())
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
