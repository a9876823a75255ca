"""What the calls of a run came to."""

from dataclasses import dataclass


@dataclass(slots=True)
class Traffic:
    """Counts of one client, growing while it works."""

    calls: int = 0  #: requests sent to the API, repeated ones included
    retries: int = 0
    refused: int = 0  #: requests that came too fast for the API
    logins: int = 0  #: requests for a token
    waited_seconds: float = 0.0  #: for the pace, and between attempts
    received_bytes: int = 0
    noted: tuple[int, float] = (0, 0.0)  #: calls and seconds that a batch has on its account already

    def not_yet_noted(self) -> tuple[int, float]:
        """Return the calls and the seconds of waiting since this was last asked."""
        before, self.noted = self.noted, (self.calls, self.waited_seconds)
        return self.noted[0] - before[0], self.noted[1] - before[1]
