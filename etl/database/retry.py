"""Retries of transactions after transient PostgreSQL errors such as deadlocks and server restarts."""

import random
import time
from collections.abc import Callable
from typing import TypeVar

from etl.database.deadline import were_calls_canceled_since
from etl.database.sqlstate import TooSlow
from etl.database.waits import reports
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


def with_retries(work: Callable[[], T], retry_seconds: float = RETRY_SECONDS) -> T:
    """Return the result of `work`, retrying it after transient database errors for up to `retry_seconds`.

    `work` is one transaction and has no other effects. Raises the last DatabaseUnavailable, or Interrupted when the
    process canceled its pending calls. Work that raises CommitUnknown is not retried.
    """
    start = time.monotonic()
    tries = slow_tries = 0
    while True:
        try:
            result = work()
        except CommitUnknown:
            raise
        except DatabaseUnavailable as error:
            tries += 1
            slow_tries += isinstance(error, TooSlow)
            if were_calls_canceled_since(start):
                raise Interrupted from None
            pause = backoff(tries)
            if slow_tries >= MAX_SLOW_TRIES or time.monotonic() + pause > start + retry_seconds:
                reports.report_end(answers=False)
                raise
            reports.report(start, start + retry_seconds, str(error))
        else:
            reports.report_end(answers=True)
            return result
        time.sleep(pause)
        if were_calls_canceled_since(start):
            raise Interrupted


def backoff(tries: int) -> float:
    """Return the pause after this many tries: exponential with jitter, so that two that collided separate."""
    longest = min(MAX_PAUSE, 0.02 * 4**tries)
    return random.uniform(longest / 2, longest)  # noqa: S311 (jitter, no secret)
