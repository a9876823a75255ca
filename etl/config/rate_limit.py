"""The configured call limit of an account: a number of calls in any window of time, or no limit."""

import re
from dataclasses import dataclass

#: QQCatalyst allows 60 calls a minute; two are left for people who use the account at the same time.
DEFAULT = "58/60s"
#: The vendor's hosts, which refuse more calls than the default.
VENDOR_DOMAIN = "qqcatalyst.com"

_UNITS = {"s": 1, "m": 60, "h": 3600}
_FORM = re.compile(r"([0-9]{1,6})\s*/\s*([0-9]{0,4})\s*(s|m|h)(?:ec|in|econds?|inutes?|ours?)?", re.ASCII)
_OFF = frozenset({"off", "0"})


@dataclass(frozen=True, slots=True)
class RateLimit:
    """A number of calls in any window of a number of seconds."""

    calls: int | None  #: None: no limit; a refusal by the API still counts in windows
    seconds: float

    @property
    def per_second(self) -> float:
        """Calls a second on average; 0 without a limit."""
        return self.calls / self.seconds if self.calls is not None else 0.0

    def seconds_for(self, calls: int) -> float:
        """Return how long this many calls wait for the limit: the calls of the first window need not wait."""
        return 0.0 if self.calls is None else max(0, -(-calls // self.calls) - 1) * self.seconds

    def exceeds(self, other: "RateLimit") -> bool:
        """Return whether this limit allows more calls than another."""
        return self.calls is None or (other.calls is not None and self.per_second > other.per_second)

    def __str__(self) -> str:
        """Return the limit in the format of ETL_RATE_LIMIT."""
        return "off" if self.calls is None else f"{self.calls}/{self.seconds:g}s"


def parse_rate_limit(text: str) -> RateLimit:
    """Return the limit of a text such as `58/60s`, `60/min` or `off`; raise ValueError for other texts."""
    text = text.strip().lower()
    if text in _OFF:
        return RateLimit(None, 60.0)
    match = _FORM.fullmatch(text)
    if match is None:
        raise ValueError("must be calls and a window, such as 58/60s, or off")
    calls, seconds = int(match[1]), int(match[2] or 1) * _UNITS[match[3]]
    if not calls or not 0 < seconds <= _UNITS["h"]:
        raise ValueError("must allow one call or more in a window of 1 s to 1 h")
    return RateLimit(calls, float(seconds))


def validated(text: str) -> str:
    """Return a limit in its usual form; raise ValueError for an invalid one."""
    return str(parse_rate_limit(text))


def per_second(rate: float) -> RateLimit:
    """Return the limit that ETL_RATE, the older form, means: calls a second, 0 for no limit."""
    if not rate:
        return RateLimit(None, 1.0)
    calls = max(1, round(rate))
    return RateLimit(calls, max(1.0, calls / rate))
