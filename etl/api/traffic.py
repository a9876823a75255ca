"""Counts of the calls of a run."""

from dataclasses import dataclass


@dataclass(slots=True)
class Traffic:
    """The call counts of one client."""

    calls: int = 0  #: requests sent to the API, repeated ones included
    retries: int = 0
    refused: int = 0  #: requests refused because of the call limit
    logins: int = 0  #: requests for a token
    waited_seconds: float = 0.0  #: for the call limit, and between attempts
    received_bytes: int = 0
    noted: tuple[int, float] = (0, 0.0)  #: calls and seconds already added to the batch
    counted: int = 0  #: calls already added to the account's

    @property
    def accepted_calls(self) -> int:
        """The calls without those that the call limit refused."""
        return self.calls - self.refused

    def not_yet_noted(self) -> tuple[int, float]:
        """Return the calls and the seconds waited since the last call of this method."""
        before, self.noted = self.noted, (self.calls, self.waited_seconds)
        return self.noted[0] - before[0], self.noted[1] - before[1]

    def not_yet_counted(self) -> int:
        """Return the calls since the last call of this method."""
        before, self.counted = self.counted, self.calls
        return self.counted - before
