"""All exceptions, grouped by what to do next: try again, skip the record, or ask a person to act.

EtlError
├── RetryableError           the same call may succeed later; a batch can be resumed (exit 1)
│   ├── ApiUnavailable
│   ├── QuotaSpent
│   ├── DatabaseUnavailable  (exit 4)
│   ├── LeaseLost
│   ├── TaskDied
│   └── Interrupted
├── InvalidRecord            one record cannot be used; the other records continue
└── ActionRequired           another try does not help
    ├── UsageError           (exit 2)
    │   ├── SettingsError
    │   └── WindowError
    ├── LeaseHeld            (exit 3)
    ├── DatabaseNotReady     (exit 4)
    ├── CredentialsRefused   (exit 5)
    ├── NotOffered
    └── UnexpectedResponse

A docstring is the default message of its class. The old names at the end of this file stay for one release.
"""

from datetime import UTC, datetime, timedelta
from enum import IntEnum
from typing import ClassVar

from etl.docstrings import docstring_of
from etl.local_time import format_moment


class ExitStatus(IntEnum):
    """How a command ended, for schedulers and scripts."""

    DONE = 0
    FAILED = 1  #: failed or interrupted; a batch can be resumed
    INVALID_USAGE = 2
    LEASE_HELD = 3
    DATABASE_NOT_READY = 4
    CREDENTIALS_REFUSED = 5
    INCOMPLETE = 6  #: done, except resources that failed or do not balance


class EtlError(Exception):
    """Something went wrong."""

    exit_status: ClassVar[int] = ExitStatus.FAILED

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or " ".join(docstring_of(type(self)).split()))


class RetryableError(EtlError):
    """The operation failed but may succeed later. Progress is saved."""


class ApiUnavailable(RetryableError):
    """QQCatalyst did not return a usable response. Progress is saved; resume with `qqetl retry`."""

    def __init__(
        self, message: str | None = None, *, retry_after: float | None = None, is_overload: bool = False
    ) -> None:
        """Name the seconds after which to try again, and whether the server may answer a smaller request."""
        super().__init__(message)
        self.retry_after = retry_after
        self.is_overload = is_overload


class QuotaSpent(RetryableError):
    """QQCatalyst still limits the calls of this account. Progress is saved; run `qqetl retry` in an hour."""

    def __init__(self, seconds: float | None = None) -> None:
        """Name the time at which calls are possible again, if the API named one."""
        super().__init__(_limit_message(seconds) if seconds else None)
        self.retry_after = seconds


def _limit_message(seconds: float) -> str:
    """Return the message for a call limit that ends after `seconds`."""
    until = datetime.now(UTC) + timedelta(seconds=seconds)
    return (
        f"The QQCatalyst call limit is used up until {format_moment(until)}. Progress is saved; run `qqetl retry` "
        "after that time."
    )


class DatabaseUnavailable(RetryableError):
    """PostgreSQL cannot be reached. Check DATABASE_URL and that the server is running."""

    exit_status = ExitStatus.DATABASE_NOT_READY


class LeaseLost(RetryableError):
    """Another run took over the lease of this run. Nothing of the interrupted page was written."""


class TaskDied(RetryableError):
    """A worker process exited unexpectedly. Progress is saved; the next run resumes from here."""


class Interrupted(RetryableError):
    """The run was stopped. Progress is saved; resume with `qqetl retry`."""


class InvalidRecord(EtlError):
    """One record cannot be used. The other records continue."""


class ActionRequired(EtlError):
    """A person has to act. Another try does not help."""


class UsageError(ActionRequired):
    """The command cannot be run as given."""

    exit_status = ExitStatus.INVALID_USAGE


class SettingsError(UsageError):
    """The settings are incomplete or invalid."""


class WindowError(UsageError):
    """The sync window cannot be used."""


class LeaseHeld(ActionRequired):
    """Another run holds the lease. The lease is released when that run ends, or within a minute if its process died."""

    exit_status = ExitStatus.LEASE_HELD


class DatabaseNotReady(ActionRequired):
    """The database is not at the latest migration. Run `qqetl db upgrade`."""

    exit_status = ExitStatus.DATABASE_NOT_READY


class CredentialsRefused(ActionRequired):
    """QQCatalyst rejected the credentials. They are not retried. Check the QQCATALYST_ settings."""

    exit_status = ExitStatus.CREDENTIALS_REFUSED


class NotOffered(ActionRequired):
    """This account does not offer the resource."""


class UnexpectedResponse(ActionRequired):
    """Unexpected response format. The API may have changed; check for a newer version of this program."""


#: The names of earlier releases: each is the same class as its new name. They go with the next release.
TryAgain = RetryableError
RecordBad = InvalidRecord
PersonNeeded = ActionRequired
RunDied = TaskDied
ShapeChanged = UnexpectedResponse
