"""How often and how long a failing call is retried, and when the API counts as down."""

from collections import Counter
from dataclasses import dataclass
from random import Random

#: The longest Retry-After of a failing server that a run accepts, in seconds; beyond it the run stops, resumable.
LONGEST_WAIT = 900.0


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """The budget of one call. Times are in seconds."""

    attempts: int = 5
    undocumented_attempts: int = 3  #: at an undocumented call that fails with status 500 or an envelope that says so
    first_pause: float = 1.0
    longest_pause: float = 30.0
    total: float = 600.0  #: since the first attempt, without waits for permits and for Retry-After

    def backoff(self, failures: int, random: Random) -> float:
        """Return the pause after a number of failures: exponential, capped, with full jitter."""
        return random.uniform(0.0, min(self.longest_pause, self.first_pause * 2.0 ** (failures - 1)))

    def wait_retry_after(self, asked: float, random: Random) -> float:
        """Return the pause for a Retry-After: at least that long, with jitter to spread the calls."""
        return asked + random.uniform(0.0, self.first_pause)


class CircuitBreaker:
    """Opens when consecutive calls fail after all attempts: the API is down.

    Failures of one resource open it for that resource only, even if others are answered. It opens for all if several
    resources fail and none is answered. While it is open, calls fail at once, except for an occasional trial; the first
    success closes it.
    """

    def __init__(self, failures: int = 3, trial_after: float = 30.0) -> None:
        self._threshold = failures
        self._trial_after = trial_after
        self._own: Counter[str] = Counter()  # failures of each resource since its last success
        self._together: Counter[str] = Counter()  # of all resources since the last success of any
        self._opened_at = float("-inf")

    def is_open(self, resource: str) -> bool:
        """Return whether the API counts as down for a resource."""
        together = self._together.total() >= self._threshold and len(self._together) > 1
        return together or self._own[resource] >= self._threshold

    def admits(self, now: float, resource: str) -> bool:
        """Return whether a call may be tried; while open, an occasional trial may."""
        if not self.is_open(resource):
            return True
        if now - self._opened_at < self._trial_after:
            return False
        self._opened_at = now
        return True

    def succeeded(self, resource: str) -> None:
        """Record that the API answered."""
        self._own.pop(resource, None)
        self._together.clear()

    def failed(self, now: float, resource: str) -> None:
        """Record that a call for a resource failed after all attempts."""
        was_open = self.is_open(resource)
        self._own[resource] += 1
        self._together[resource] += 1
        if self.is_open(resource) and not was_open:
            self._opened_at = now
