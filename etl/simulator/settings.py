"""The settings of a simulator."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class SimulatorSettings:
    """The settings of one simulator; the same settings produce the same answers."""

    seed: int = 1  #: the same seed makes the same agency
    contacts: int = 300  #: number of contacts of the agency; the other records are in proportion
    port: int = 0  #: on 127.0.0.1; 0 selects a free port
    client_id: str = "demo"  #: of the application; also the key of Basic (enterprise) access
    client_secret: str = "demo-secret"  # noqa: S105 - opens only this agency: of the application; also the secret of Basic (enterprise) access
    username: str = "demo"  #: of the agency's user
    password: str = "demo-password"  # noqa: S105 - of the agency's user
    token_seconds: float = 3600  #: lifetime of an access token
    client_in: str = "both"  #: where the token endpoint takes client id and secret: `form`, `header` or `both`
    denial: str = "json"  #: how a bad token is refused: `json`, `empty`, or `invalid_token` in the header too
    documented_only: bool = False  #: leave out the paths that are only assumed to exist
    end_inclusive: bool = False  #: make the feeds include the whole day of `endDate` instead of ending at its midnight
    live: bool = False  #: simulate ongoing changes while the server runs
    live_seconds: float = 2.0  #: seconds between two changes
    founded: datetime | None = None  #: the time (aware) up to which data is generated; None: the start of the server
    now: datetime | None = None  #: fixed time of the clock (aware); None: the real time
    latency: float = 0.0  #: minimum duration of each answer in seconds
    faults: tuple[str, ...] = ()  #: the faults, each as `name[:argument][@every]`; see `FAULTS`
