"""The candidates of the comparison: how each is started, its steps, and where its rows are counted."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.book import CHANGED
from benchmarks.servers import ROOT
from etl.database.migrate import upgrade

VENVS = ROOT / "benchmarks/.venvs"
FULL, UNCHANGED, CHANGE = "full", "unchanged", "changed"
STEPS = (FULL, UNCHANGED, CHANGE)


@dataclass(frozen=True)
class Candidate:
    """One way to get the feeds into PostgreSQL."""

    name: str
    label: str
    module: str
    contacts: str  #: SQL after `SELECT count(*) FROM` that selects its contacts
    policies: str
    changed: tuple[str, str] | None = None  #: conditions on those two that select the changed rows
    steps: tuple[str, ...] = STEPS
    environment: str | None = None  #: the folder below `.venvs`; None: this program's environment
    most: int | None = None  #: maximum records that it reads in the first two steps; its times are scaled
    prepare: Callable[[str], object] | None = None  #: prepares its empty database, not timed

    @property
    def python(self) -> Path:
        """The interpreter that runs it."""
        return VENVS / self.environment / "bin/python" if self.environment else Path(sys.executable)


OURS = Candidate(
    "ours",
    "ours",
    "ours",
    "contacts WHERE NOT is_placeholder",
    "policies WHERE NOT is_placeholder",
    (f"middle_name = '{CHANGED}'", f"description = '{CHANGED}'"),
    prepare=upgrade,
)
COPY = Candidate(
    "copy",
    "raw COPY",
    "raw_copy",
    "yardstick WHERE record ? 'EntityID'",
    "yardstick WHERE record ? 'PolicyId'",
    steps=(FULL,),
)
DLT = Candidate(
    "dlt",
    "dlt rest_api",
    "dlt_rest",
    "peer.contacts WHERE true",
    "peer.policies WHERE true",
    (f"middle_name = '{CHANGED}'", f"description = '{CHANGED}'"),
    environment="dlt",
)
SINGER = Candidate(
    "singer",
    "Singer tap, target-postgres",
    "singer",
    "peer.contacts WHERE true",
    "peer.policies WHERE true",
    (f"\"MiddleName\" = '{CHANGED}'", f"\"Description\" = '{CHANGED}'"),
    environment="singer",
)
NAIVE = Candidate(
    "naive",
    "requests and one ORM merge per record",
    "naive",
    "contacts WHERE true",
    "policies WHERE true",
    (f"middlename = '{CHANGED}'", f"description = '{CHANGED}'"),
    environment="naive",
    most=20_000,
)
CANDIDATES = {candidate.name: candidate for candidate in (OURS, COPY, DLT, SINGER, NAIVE)}
