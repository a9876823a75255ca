"""Trying again what PostgreSQL could not do at the moment: collisions pass, and a restarting server takes seconds."""

import random
import time
from collections.abc import Callable
from typing import TypeVar

from etl.database.deadline import let_go_since
from etl.database.sqlstate import TooSlow
from etl.errors import DatabaseUnavailable, Interrupted

T = TypeVar("T")


class Undecided(DatabaseUnavailable):
    """What became of a commit stays unknown: whoever did the work once more might do it twice."""


#: How long one transaction is tried again and again, in seconds from its first try.
PATIENCE = 60.0
#: What took too long once may have been unlucky; what takes too long twice will again.
TRIES_IF_SLOW = 2
#: The longest pause between two tries, in seconds.
LONGEST_PAUSE = 8.0


def patiently(work: Callable[[], T], patience: float = PATIENCE) -> T:
    """Return what `work` returns, trying it again after transient errors of the database until patience is at an end.

    `work` is one transaction and has no effect beside it. Raises its last DatabaseUnavailable, and Interrupted when
    the process let go of its calls meanwhile. Work that raises Undecided is not tried again.
    """
    began = time.monotonic()
    tries = slow = 0
    while True:
        try:
            return work()
        except Undecided:
            raise
        except DatabaseUnavailable as error:
            tries += 1
            slow += isinstance(error, TooSlow)
            if let_go_since(began):
                raise Interrupted from None
            pause = pause_after(tries)
            if slow >= TRIES_IF_SLOW or time.monotonic() + pause > began + patience:
                raise
        time.sleep(pause)
        if let_go_since(began):
            raise Interrupted


def pause_after(tries: int) -> float:
    """Return how long to wait after so many tries: ever longer, and by chance, so that two that collided part."""
    longest = min(LONGEST_PAUSE, 0.02 * 4**tries)
    return random.uniform(longest / 2, longest)  # noqa: S311 (jitter, no secret)
