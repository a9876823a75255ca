"""The groups of settings that go down into a run: what needs a few values gets these, and not all settings."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path


@dataclass(frozen=True, slots=True)
class CleaningOptions:
    """What decides how a record becomes a row, beside the rules."""

    tenant: str
    zone: str  #: time zone of API times that have no offset
    validation: str  #: lenient or strict


@dataclass(frozen=True, slots=True)
class ReadingOptions:
    """How resources are read."""

    page_size: int  #: records per page
    concurrency: int  #: maximum number of concurrent calls
    child_budget: int | None  #: maximum calls for details in a run; None: no limit
    choices: str  #: the resources that ETL_RESOURCES adds and leaves out
    overlap: timedelta  #: how far a window reaches back beyond the previous one
    zone: str  #: time zone of API times that have no offset
    account: str  #: the key under which the calls of the account are counted
    daily_calls: int  #: calls of the account in 24 hours up to which details are read again because of their age
    refused_limit: float  #: share of a resource's records that may be refused


@dataclass(frozen=True, slots=True)
class LogOptions:
    """Where the log goes, from which level on, and what it must not show."""

    level: str
    is_level_set: bool  #: whether the level is set, and not the default
    file: Path | None
    secrets: tuple[str, ...]
