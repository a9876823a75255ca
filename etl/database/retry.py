"""Retries of transactions after transient PostgreSQL errors such as deadlocks and server restarts."""

import random
import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Self, TypeVar

from etl.database.deadline import were_calls_canceled_since
from etl.database.waits import reports
from etl.errors import CommitUnknown, DatabaseUnavailable, Interrupted, TooSlow

T = TypeVar("T")


#: How long one transaction is retried, in seconds from its first try.
RETRY_SECONDS = 60.0
#: Work that timed out once may have been unlucky; work that timed out twice will time out again.
MAX_SLOW_TRIES = 2
#: The maximum pause between two tries, in seconds.
MAX_PAUSE = 8.0


class Attempts:
    """The tries of one transaction: `for attempt in Attempts(): with attempt: ...` ends after the first that succeeds.

    The block is one transaction and has no other effects. Raises the last DatabaseUnavailable, or Interrupted when the
    process canceled its pending calls. A block that raises CommitUnknown is not tried again.
    """

    def __init__(self, retry_seconds: float = RETRY_SECONDS) -> None:
        """Try again for up to `retry_seconds` from now."""
        self.start = time.monotonic()
        self.end = self.start + retry_seconds
        self.tries = self.slow_tries = 0
        self.has_succeeded = False

    def __iter__(self) -> Iterator[Self]:
        while not self.has_succeeded:
            yield self

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if error is None:
            reports.report_end(answers=True)
            self.has_succeeded = True
            return True
        if not isinstance(error, DatabaseUnavailable) or isinstance(error, CommitUnknown):
            return False
        return self.pause_after(error)

    def pause_after(self, error: DatabaseUnavailable) -> bool:
        """Wait before the next try; return False when no try is left."""
        self.tries += 1
        self.slow_tries += isinstance(error, TooSlow)
        self.raise_if_canceled()
        pause = backoff(self.tries)
        if self.slow_tries >= MAX_SLOW_TRIES or time.monotonic() + pause > self.end:
            reports.report_end(answers=False)
            return False
        reports.report(self.start, self.end, str(error))
        time.sleep(pause)
        self.raise_if_canceled()
        return True

    def raise_if_canceled(self) -> None:
        """Raise Interrupted when the process canceled its pending calls since the first try."""
        if were_calls_canceled_since(self.start):
            raise Interrupted from None


def with_retries(work: Callable[[], T], retry_seconds: float = RETRY_SECONDS) -> T:
    """Return the result of `work`, which is tried as a block of Attempts is."""
    for attempt in Attempts(retry_seconds):
        with attempt:
            result = work()
    return result


def backoff(tries: int) -> float:
    """Return the pause after this many tries: exponential with jitter, so that two that collided separate."""
    longest = min(MAX_PAUSE, 0.02 * 4**tries)
    return random.uniform(longest / 2, longest)  # noqa: S311 (jitter, no secret)
