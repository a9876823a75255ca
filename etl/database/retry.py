"""Trying again what PostgreSQL could not do at the moment: collisions pass, and a restarting server takes seconds."""

import random
import time
from collections.abc import Callable
from typing import TypeVar

from etl.database.deadline import were_calls_cancelled_since
from etl.database.sqlstate import TooSlow
from etl.errors import DatabaseUnavailable, Interrupted

T = TypeVar("T")


class CommitUnknown(DatabaseUnavailable):
    """What became of a commit stays unknown: whoever did the work once more might do it twice."""


#: How long one transaction is tried again and again, in seconds from its first try.
RETRY_SECONDS = 60.0
#: What took too long once may have been unlucky; what takes too long twice will again.
MAX_SLOW_TRIES = 2
#: The longest pause between two tries, in seconds.
MAX_PAUSE = 8.0


def with_retries(work: Callable[[], T], retry_seconds: float = RETRY_SECONDS) -> T:
    """Return what `work` returns, trying it again after transient errors of the database until patience is at an end.

    `work` is one transaction and has no effect beside it. Raises its last DatabaseUnavailable, and Interrupted when
    the process let go of its calls meanwhile. Work that raises Undecided is not tried again.
    """
    start = time.monotonic()
    tries = slow_tries = 0
    while True:
        try:
            return work()
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
        time.sleep(pause)
        if were_calls_cancelled_since(start):
            raise Interrupted


def backoff(tries: int) -> float:
    """Return how long to wait after so many tries: ever longer, and by chance, so that two that collided part."""
    longest = min(MAX_PAUSE, 0.02 * 4**tries)
    return random.uniform(longest / 2, longest)  # noqa: S311 (jitter, no secret)
