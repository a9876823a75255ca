"""How often and how long a failing call is tried again, and when the API counts as down."""

from collections import Counter
from dataclasses import dataclass
from random import Random

#: The longest wait that a failing server may ask for, in seconds; beyond it a run stops and is resumed later.
LONGEST_WAIT = 900.0


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """The budget of one call. Times are in seconds."""

    attempts: int = 5
    first_pause: float = 1.0
    longest_pause: float = 30.0
    total: float = 600.0  #: from the first attempt on, without waits for permits and those that the API asked for

    def backoff(self, failures: int, random: Random) -> float:
        """Return the pause after so many failures: exponential, capped, with full jitter."""
        return random.uniform(0.0, min(self.longest_pause, self.first_pause * 2.0 ** (failures - 1)))

    def wait_retry_after(self, asked: float, random: Random) -> float:
        """Return the pause where the API asked for one: at least that, with jitter so that calls are spread."""
        return asked + random.uniform(0.0, self.first_pause)


class CircuitBreaker:
    """Opens when calls fail one after the other although each was tried to the end: the API is down.

    Failures of one resource say nothing of the others, nor do answers of the others say that it is well again: it
    opens for that resource only. It opens for all where several fail while none is answered. While open, calls fail at
    once, except for one trial in a while; the first success closes it.
    """

    def __init__(self, failures: int = 3, trial_after: float = 30.0) -> None:
        self._threshold = failures
        self._trial_after = trial_after
        self._own: Counter[str] = Counter()  # failures of each resource since its last success
        self._together: Counter[str] = Counter()  # and of all, since the last success of any
        self._opened_at = float("-inf")

    def is_open(self, resource: str) -> bool:
        """Tell whether the API counts as down, as far as calls for a resource go."""
        together = self._together.total() >= self._threshold and len(self._together) > 1
        return together or self._own[resource] >= self._threshold

    def admits(self, now: float, resource: str) -> bool:
        """Tell whether a call may be tried; while open, one trial in a while is."""
        if not self.is_open(resource):
            return True
        if now - self._opened_at < self._trial_after:
            return False
        self._opened_at = now
        return True

    def succeeded(self, resource: str) -> None:
        """Note that the API answered."""
        self._own.pop(resource, None)
        self._together.clear()

    def failed(self, now: float, resource: str) -> None:
        """Note that a call for a resource failed to the end."""
        was_open = self.is_open(resource)
        self._own[resource] += 1
        self._together[resource] += 1
        if self.is_open(resource) and not was_open:
            self._opened_at = now
