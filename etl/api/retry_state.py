"""The attempts of one call: how many, how long, and whether there is another."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from random import Random

from etl.api.retry_policy import LONGEST_WAIT, CircuitBreaker, RetryPolicy
from etl.api.traffic import Traffic
from etl.config.logs import get_logger
from etl.errors import ApiUnavailable, CallFailed, CircuitOpen, EtlError, NoAnswer

log = get_logger(__name__)

#: Seconds below which a wait is the time that it takes to get a permit, and not a wait for one.
SHORTEST_WAIT = 0.05


@dataclass(frozen=True, slots=True)
class RetryContext:
    """The retry objects that all calls of a client share."""

    policy: RetryPolicy
    circuit: CircuitBreaker
    traffic: Traffic
    clock: Callable[[], float]
    sleep: Callable[[float], Awaitable[object]]
    random: Random


class RetryState:
    """The attempts of one call."""

    def __init__(self, call: object, context: RetryContext) -> None:
        self._call = call
        self._resource = str(getattr(call, "resource", call))
        self._context = context
        self._begun_at = context.clock()
        self._failures = 0
        self._asked = 0.0  # seconds waited because of Retry-After
        self._excused = 0.0  # seconds waited without a failure of the call: for Retry-After and for permits
        self.attempts = 0

    def begin(self) -> None:
        """Count an attempt; raise CircuitOpen if the API counts as down."""
        context = self._context
        if not context.circuit.admits(context.clock(), self._resource):
            raise CircuitOpen(
                f"{self._call}: not requested, QQCatalyst is down. The batch is resumable: run `qqetl retry`."
            )
        context.traffic.retries += self.attempts > 0
        self.attempts += 1

    def waited(self, seconds: float) -> None:
        """Count a wait that is not a failure of the call; the traffic shows it from SHORTEST_WAIT on."""
        self._excused += seconds
        if seconds >= SHORTEST_WAIT:
            self._context.traffic.waited_seconds += seconds

    @property
    def _is_documented(self) -> bool:
        return getattr(self._call, "documented", True)

    def _is_too_large(self, error: ApiUnavailable) -> bool:
        """Return whether the server may fail at the size of the answer, so that a smaller call replaces this one."""
        return getattr(self._call, "divisible", False) and error.is_overload

    def may_be_absent(self, error: ApiUnavailable) -> bool:
        """Return whether the attempts at an undocumented call are used up by bad answers, which others need not get."""
        is_last = self._failures + 1 == self._context.policy.undocumented_attempts
        is_bad_answer = not isinstance(error, NoAnswer) and error.retry_after is None and not self._is_too_large(error)
        return is_last and is_bad_answer and not self._is_documented

    @property
    def is_tried_once(self) -> bool:
        """Whether an undocumented call has a single attempt."""
        return self._context.policy.undocumented_attempts == 1

    async def backoff(self, error: EtlError) -> None:
        """Wait before the next attempt after a failure; raise the error if the budget is spent."""
        context = self._context
        self._failures += 1
        asked = error.retry_after if isinstance(error, ApiUnavailable) else None
        is_absence = isinstance(error, CallFailed) and not self._is_documented
        is_too_large = isinstance(error, ApiUnavailable) and self._is_too_large(error)
        if self._is_over(asked) or (is_absence and self._failures >= context.policy.undocumented_attempts):
            # An account that lacks an undocumented call may answer 500 to it, which says nothing about other calls; nor
            # does the failure of a call that a smaller one replaces.
            if isinstance(error, ApiUnavailable) and not is_absence and not is_too_large:
                context.circuit.failed(context.clock(), self._resource)
            raise error
        if asked is None:
            pause = context.policy.backoff(self._failures, context.random)
            context.traffic.waited_seconds += pause
        else:
            pause = context.policy.wait_retry_after(asked, context.random)
            self._asked += pause
            self.waited(pause)
        log.info("trying again", what=str(self._call), failures=self._failures, pause_seconds=round(pause, 1))
        await context.sleep(pause)

    def _is_over(self, asked: float | None) -> bool:
        """Return whether the budget of attempts or time is spent, or Retry-After is longer than a run waits."""
        context = self._context
        spent = context.clock() - self._begun_at - self._excused
        return (
            self._failures >= (getattr(self._call, "attempts", None) or context.policy.attempts)
            or spent > context.policy.total
            or self._asked + (asked or 0.0) > LONGEST_WAIT
            or context.circuit.is_open(self._resource)
        )
