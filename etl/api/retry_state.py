"""The attempts of one call: what it has cost so far, and whether and when there is another."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from random import Random

from etl.api.protocol import CallFailed
from etl.api.protocol.answers import TooMany
from etl.api.retry_policy import LONGEST_WAIT, Circuit, Patience
from etl.api.traffic import Traffic
from etl.config.logs import get_logger
from etl.errors import ApiUnavailable, EtlError

#: Attempts at an undocumented call that fails with status 500 or with an envelope that says so.
MOST_UNDOCUMENTED_ATTEMPTS = 3

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Means:
    """What all trials of a client share."""

    patience: Patience
    circuit: Circuit
    traffic: Traffic
    clock: Callable[[], float]
    sleep: Callable[[float], Awaitable[object]]
    random: Random


class Trial:
    """One call on its way through its attempts."""

    def __init__(self, what: object, means: Means) -> None:
        self._what = what
        self._resource = str(getattr(what, "resource", what))
        self._means = means
        self._begun = means.clock()
        self._failures = 0
        self._complaints = 0
        self._obeyed = 0.0  # seconds waited because the API asked
        self.attempts = 0
        self.sent = self._begun  #: when the last attempt was sent
        self.unauthorized = False  #: whether a key was refused on the way

    def begin(self) -> None:
        """Count an attempt; raise ApiUnavailable when the API counts as down."""
        means = self._means
        if not means.circuit.admits(means.clock(), self._resource):
            raise Down(f"{self._what}: not asked, QQCatalyst is down. The batch is resumable: run `qqetl retry`.")
        means.traffic.retries += self.attempts > 0
        self.attempts += 1

    async def bear(self, error: EtlError) -> None:
        """Wait before the next attempt after a failure; raise the error when patience is at its end."""
        means = self._means
        self._failures += 1
        asked = error.retry_after if isinstance(error, ApiUnavailable) else None
        is_absence = isinstance(error, CallFailed) and not getattr(self._what, "proven", True)
        if self._is_over(asked) or (is_absence and self._failures >= MOST_UNDOCUMENTED_ATTEMPTS):
            # An account that lacks an undocumented call may answer 500 to it, which says nothing of other calls.
            if isinstance(error, ApiUnavailable) and not is_absence:
                means.circuit.failed(means.clock(), self._resource)
            raise error
        pause = self._obedient(asked) if asked is not None else means.patience.pause(self._failures, means.random)
        log.info("trying again", what=str(self._what), failures=self._failures, pause_seconds=round(pause, 1))
        await self._pause(pause)

    async def obey(self, error: TooMany) -> None:
        """Wait as the API asked, which is no failure; raise the error when it asks for more than a run waits."""
        means = self._means
        self._complaints += 1
        asked = error.retry_after
        pause = self._obedient(means.patience.pause(self._complaints, means.random) if asked is None else asked)
        if self._complaints >= means.patience.complaints or self._obeyed > LONGEST_WAIT:
            raise error
        await self._pause(pause)

    def _is_over(self, asked: float | None) -> bool:
        """Tell whether the budget of attempts or of time is spent, or the API asks for more than a run waits."""
        means = self._means
        spent = means.clock() - self._begun - self._obeyed
        return (
            self._failures >= means.patience.attempts
            or spent > means.patience.total
            or self._obeyed + (asked or 0.0) > LONGEST_WAIT
            or means.circuit.is_open(self._resource)
        )

    def _obedient(self, asked: float) -> float:
        """Return the pause for the wait that the API asked for, and count it."""
        pause = self._means.patience.obedient(asked, self._means.random)
        self._obeyed += pause
        return pause

    async def _pause(self, seconds: float) -> None:
        """Wait, and count it."""
        self._means.traffic.waited_seconds += seconds
        await self._means.sleep(seconds)


class Down(ApiUnavailable):
    """QQCatalyst counts as down, and was not asked."""
