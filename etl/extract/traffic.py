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
