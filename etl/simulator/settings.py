"""What can be set about a simulator."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class SimulatorSettings:
    """The settings of one simulator; simulators with equal settings give equal answers."""

    seed: int = 1  #: the same seed makes the same agency
    contacts: int = 300  #: how many clients the agency has; carriers, MGAs and employees are contacts in addition
    port: int = 0  #: on 127.0.0.1; 0 takes a free one
    client_id: str = "demo"  #: of the application; also the key of Basic (enterprise) access
    client_secret: str = "demo-secret"  # noqa: S105 - opens only this agency: of the application; also the secret of Basic (enterprise) access
    username: str = "demo"  #: of the agency's user
    password: str = "demo-password"  # noqa: S105 - of the agency's user
    token_seconds: float = 3600  #: the lifetime of an access token
    client_in: str = "both"  #: where the token endpoint takes client id and secret: `form`, `header` or `both`
    denial: str = "json"  #: how a bad token is refused: `json`, `empty`, or `invalid_token` in the header too
    documented_only: bool = False  #: refuse the calls that are only assumed to exist, as an ordinary account does
    undocumented_answer: str = "help-page"  #: how a call is refused; see `REFUSALS`
    offered: tuple[str, ...] = ()  #: calls by name that answer though an ordinary account lacks them; see `EXTRA_CALLS`
    refused: tuple[str, ...] = ()  #: further calls by name that are refused
    enterprise_refusal: int = 403  #: the status with which an enterprise call refuses a bearer token
    max_page: int = 500  #: the largest page size; above it the answer is 400
    policy_info_spelling: str = "own"  #: of agent and CSR in `PolicyInfo`: own, summary (AgentName, CSRID), or mixed
    end_inclusive: bool = False  #: include the whole day of `endDate` in the feeds, not only its midnight
    live: bool = False  #: make changes while the server runs
    live_seconds: float = 2.0  #: seconds between two changes
    founded: datetime | None = None  #: end (aware) of the made-up history; None: when the server starts
    now: datetime | None = None  #: a fixed time (aware) for the clock; None: the real clock
    latency: float = 0.0  #: seconds that each answer takes at least
    faults: tuple[str, ...] = ()  #: faults, `name[:argument][@every]`; see `FAULTS`
