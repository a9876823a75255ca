"""What can be set about a simulator."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class SimulatorSettings:
    """The settings of one simulator; two with the same ones answer alike."""

    seed: int = 1  #: the same seed makes the same agency
    contacts: int = 300  #: how many contacts the agency has; all else is in proportion
    port: int = 0  #: on 127.0.0.1; 0 takes a free one
    client_id: str = "demo"  #: of the application; also the key of Basic (enterprise) access
    client_secret: str = "demo-secret"  # noqa: S105 - opens only this agency: of the application; also the secret of Basic (enterprise) access
    username: str = "demo"  #: of the agency's user
    password: str = "demo-password"  # noqa: S105 - of the agency's user
    token_seconds: float = 3600  #: how long an access token is good
    client_in: str = "both"  #: where the token endpoint takes client id and secret: `form`, `header` or `both`
    denial: str = "json"  #: how a bad token is refused: `json`, `empty`, or `invalid_token` in the header too
    documented_only: bool = False  #: leave out the paths that are only assumed to exist
    end_inclusive: bool = False  #: let the feeds take `endDate` as a whole day instead of its midnight
    live: bool = False  #: let time pass with changes while the server runs
    live_seconds: float = 2.0  #: how often something happens then
    founded: datetime | None = None  #: the moment (aware) up to which the agency is made up; None: when it starts
    now: datetime | None = None  #: the clock stands at this moment (aware); None: it is the real one
    latency: float = 0.0  #: seconds that each answer takes at least
    faults: tuple[str, ...] = ()  #: what is to go wrong, `name[:argument][@every]`; see `FAULTS`
