"""The exception tree, sorted by what to do: try again, the record is bad, a person is needed.

EtlError
├── TryAgain                 the same call may succeed later; a batch stays resumable (exit 1)
│   ├── ApiUnavailable
│   ├── QuotaSpent
│   ├── DatabaseUnavailable  (exit 4)
│   ├── LeaseLost
│   ├── RunDied
│   └── Interrupted
├── RecordBad                one record's own fault; its neighbours go on
└── PersonNeeded             nothing gets better by trying again
    ├── UsageError           (exit 2)
    │   ├── SettingsError
    │   └── WindowError
    ├── LeaseHeld            (exit 3)
    ├── DatabaseNotReady     (exit 4)
    ├── CredentialsRefused   (exit 5)
    ├── NotOffered
    └── ShapeChanged
"""

from datetime import UTC, datetime, timedelta
from typing import ClassVar


class EtlError(Exception):
    """Something went wrong."""

    exit_status: ClassVar[int] = 1

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or " ".join((type(self).__doc__ or "").split()))


class TryAgain(EtlError):
    """The same call may succeed later; what was done so far is kept."""


class ApiUnavailable(TryAgain):
    """QQCatalyst did not answer as it should. The batch is resumable: run `qqetl retry`."""

    def __init__(self, message: str | None = None, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class QuotaSpent(TryAgain):
    """The QQCatalyst call limit is used up. Progress is saved: run `qqetl retry` later."""

    def __init__(self, seconds: float | None = None) -> None:
        """Say when to go on, where the API has said it."""
        super().__init__(_when(seconds) if seconds else None)
        self.retry_after = seconds


def _when(seconds: float) -> str:
    """Return until when the call limit is used up, and what to do then."""
    until = datetime.now(UTC) + timedelta(seconds=seconds)
    return (
        f"The QQCatalyst call limit is used up until {until:%Y-%m-%d %H:%M} UTC. Progress is saved: run `qqetl retry` "
        "then."
    )


class DatabaseUnavailable(TryAgain):
    """PostgreSQL cannot be reached. Check DATABASE_URL and that the server runs."""

    exit_status = 4


class LeaseLost(TryAgain):
    """This run no longer holds its lease: another run took over. Nothing of the cut-off page was written."""


class RunDied(TryAgain):
    """A part of the run died without a word. What was read is kept; the next run goes on there."""


class Interrupted(TryAgain):
    """The run was asked to stop. The batch is resumable: run `qqetl retry`."""


class RecordBad(EtlError):
    """One record cannot be used; the others go on."""


class PersonNeeded(EtlError):
    """A person has to act; trying again changes nothing."""


class UsageError(PersonNeeded):
    """The call cannot be carried out as given."""

    exit_status = 2


class SettingsError(UsageError):
    """The settings are incomplete or wrong."""


class WindowError(UsageError):
    """The sync window cannot be used."""


class LeaseHeld(PersonNeeded):
    """Another run holds the lock. It ends by itself, or within a minute if its process died."""

    exit_status = 3


class DatabaseNotReady(PersonNeeded):
    """The database is not at the newest migration. Run `qqetl db upgrade`."""

    exit_status = 4


class CredentialsRefused(PersonNeeded):
    """QQCatalyst refused the credentials. Check the QQCATALYST_ settings; they are not tried again."""

    exit_status = 5


class NotOffered(PersonNeeded):
    """This account does not offer the resource."""


class ShapeChanged(PersonNeeded):
    """The answer has another shape than declared. The API may have changed: look for a newer version."""
