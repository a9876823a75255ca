"""Retries of transactions after transient PostgreSQL errors such as deadlocks and server restarts."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from etl.config.logs import get_logger
from etl.database.deadline import were_calls_cancelled_since
from etl.database.sqlstate import TooSlow
from etl.errors import DatabaseUnavailable, Interrupted

T = TypeVar("T")


class CommitUnknown(DatabaseUnavailable):
    """Whether a commit succeeded is unknown; running the work again could apply it twice."""


#: How long one transaction is retried, in seconds from its first try.
RETRY_SECONDS = 60.0
#: Work that timed out once may have been unlucky; work that timed out twice will time out again.
MAX_SLOW_TRIES = 2
#: The maximum pause between two tries, in seconds.
MAX_PAUSE = 8.0
#: Seconds after which a wait for the database is reported, and between two reports.
LONG_WAIT, REPORT_EVERY = 3.0, 15.0

log = get_logger(__name__)


@dataclass(slots=True)
class DatabaseWait:
    """A wait for the database, and what was said about it."""

    start: float  #: by the monotonic clock
    limit: float  #: seconds after which it ends
    reported_at: float | None = None

    def report(self, error: DatabaseUnavailable) -> None:
        """Say what is waited for and since when, once the wait is long, and again from time to time."""
        now = time.monotonic()
        if now - self.start < LONG_WAIT or (self.reported_at is not None and now - self.reported_at < REPORT_EVERY):
            return
        self.reported_at = now
        since = datetime.now(UTC) - timedelta(seconds=now - self.start)
        log.warning(
            "waiting for the database",
            since=f"{since:%H:%M:%S} UTC",
            reason=str(error),
            gives_up_in_seconds=max(0, round(self.start + self.limit - now)),
            afterwards="the run ends; `qqetl retry` continues it where it stopped",
        )

    def report_end(self) -> None:
        """Say that the database answers again, if the wait was reported."""
        if self.reported_at is not None:
            log.warning("the database answers again", after_seconds=round(time.monotonic() - self.start))


def with_retries(work: Callable[[], T], retry_seconds: float = RETRY_SECONDS) -> T:
    """Return the result of `work`, retrying it after transient database errors for up to `retry_seconds`.

    `work` is one transaction and has no other effects. Raises the last DatabaseUnavailable, or Interrupted when the
    process cancelled its pending calls. Work that raises CommitUnknown is not retried.
    """
    start = time.monotonic()
    tries = slow_tries = 0
    wait = DatabaseWait(start, retry_seconds)
    while True:
        try:
            result = work()
        except CommitUnknown:
            raise
        except DatabaseUnavailable as error:
            tries += 1
            slow_tries += isinstance(error, TooSlow)
            if were_calls_cancelled_since(start):
                raise Interrupted from None
            pause = backoff(tries)
            if slow_tries >= MAX_SLOW_TRIES or time.monotonic() + pause > start + retry_seconds:
                raise
            wait.report(error)
        else:
            wait.report_end()
            return result
        time.sleep(pause)
        if were_calls_cancelled_since(start):
            raise Interrupted


def backoff(tries: int) -> float:
    """Return the pause after this many tries: exponential with jitter, so that two that collided separate."""
    longest = min(MAX_PAUSE, 0.02 * 4**tries)
    return random.uniform(longest / 2, longest)  # noqa: S311 (jitter, no secret)
