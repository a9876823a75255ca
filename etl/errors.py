"""All exceptions, grouped by what to do next: try again, skip the record, or ask a person to act.

EtlError
├── RetryableError           the same call may succeed later; a batch can be resumed (exit 1)
│   ├── ApiUnavailable       RateLimited, CallFailed, NoAnswer, TooLarge, CircuitOpen, TotalMismatch,
│   │                        TokenUnavailable, UnclearAnswer
│   ├── QuotaSpent
│   ├── DatabaseUnavailable  (exit 4) TooSlow, CommitUnknown, ConcurrentStaging
│   ├── LeaseLost
│   ├── TaskDied
│   ├── WorkerDied
│   └── Interrupted
├── InvalidRecord            one record cannot be used; the other records continue
├── ActionRequired           another try does not help
│   ├── UsageError           (exit 2)
│   │   ├── SettingsError
│   │   └── WindowError
│   ├── LeaseHeld            (exit 3) HeldByOther
│   ├── DatabaseNotReady     (exit 4)
│   ├── CredentialsRefused   (exit 5) RefreshRefused, ClientRefused, PasswordRefused
│   ├── CertificateRefused
│   ├── ServerFull
│   ├── NotOffered
│   └── UnexpectedResponse
└── EndpointRefused, NotFound: what they mean is decided by the caller

Aside from these, PageSizeRefused, RangeTooLong, NotWhole, NeedsReferencePath, MailFailed and MailServerFailed are
signals that their callers always handle.

A docstring is the default message of its class. The old names at the end of this file stay for one release.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from enum import IntEnum, StrEnum
from typing import ClassVar

from etl.docstrings import docstring_of
from etl.local_time import format_moment

#: What commands and services promise to raise; the other classes tell callers inside of this program apart.
__all__ = [
    "ActionRequired", "ApiUnavailable", "CredentialsRefused", "DatabaseNotReady", "DatabaseUnavailable", "EtlError",
    "ExitStatus", "Interrupted", "InvalidRecord", "LeaseHeld", "LeaseLost", "NotOffered", "PersonNeeded", "QuotaSpent",
    "RecordBad", "RetryableError", "RunDied", "SettingsError", "ShapeChanged", "TaskDied", "TryAgain",
    "UnexpectedResponse", "UsageError", "WindowError",
]  # fmt: skip


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


class RateLimited(ApiUnavailable):
    """The call limit is reached."""


class CallFailed(ApiUnavailable):
    """The API fails at this very call: status 500, or an envelope that says so."""


class NoAnswer(ApiUnavailable):
    """The API did not answer: no connection, or none in time."""


class TooLarge(ApiUnavailable):
    """The answer is larger than the limit for memory."""


class CircuitOpen(ApiUnavailable):
    """QQCatalyst counts as down, and no call was sent."""


class TotalMismatch(ApiUnavailable):
    """The API reports another number of records than it returns, in every attempt."""


class TokenUnavailable(ApiUnavailable):
    """The token address gave no valid answer; it is not requested again for the same call."""


class UnclearAnswer(TokenUnavailable):
    """The token address refused without a reason; it is requested once a run."""


class TooSlow(DatabaseUnavailable):
    """The database did not finish a statement in time; it is retried once."""


class CommitUnknown(DatabaseUnavailable):
    """Whether a commit succeeded is unknown; running the work again could apply it twice."""


class ConcurrentStaging(DatabaseUnavailable):
    """Two transactions staged the same record at the same time. The second one is retried."""


class WorkerDied(RetryableError):
    """A worker process exited unexpectedly, perhaps because memory ran out. What it had committed is kept."""


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


class RefreshRefused(CredentialsRefused):
    """The refresh token was refused; the password may be accepted."""


class ClientRefused(CredentialsRefused):
    """The client id and secret were refused in the form that was used."""


class PasswordRefused(CredentialsRefused):
    """The user name and password were refused."""


class CertificateRefused(ActionRequired):
    """The server's certificate could not be verified. Name the file of a private authority in SSL_CERT_FILE."""


class ServerFull(ActionRequired):
    """The database server has no disk space left. Free up space there, then run `qqetl retry`."""


class HeldByOther(LeaseHeld):
    """Another run holds the lease; with what is known of it."""

    def __init__(
        self, message: str, seconds: int, expiries: Mapping[tuple[str, str], datetime], *, may_be_dead: bool
    ) -> None:
        super().__init__(message)
        self.seconds = seconds  #: until the last of the leases expires
        self.expiries = expiries  #: by resource and holder
        #: The holder's process is of another machine or of another namespace: nobody here can tell whether it lives.
        self.may_be_dead = may_be_dead

    def is_renewed_since(self, earlier: "HeldByOther") -> bool:
        """Return whether a lease was renewed or acquired after an earlier look."""
        return any(expiry != earlier.expiries.get(key) for key, expiry in self.expiries.items())


class Refusal(StrEnum):
    """Why the API refuses a call."""

    FORBIDDEN = "forbidden"  #: 403
    METHOD = "wrong verb"  #: 405
    MISSING = "no such list"  #: 404 of a list
    HTML = "a web page instead of data"
    UNAUTHORIZED = "token refused here and taken elsewhere"  #: 401 while other calls with the same token succeed
    REQUEST = "bad request"  #: any other 4xx: the call itself is wrong
    TOO_LARGE = "answer too large"  #: larger than the limit for memory


#: The answers of an account that does not have a resource.
NOT_OFFERED = frozenset({Refusal.FORBIDDEN, Refusal.METHOD, Refusal.MISSING, Refusal.HTML, Refusal.UNAUTHORIZED})


class EndpointRefused(EtlError):
    """The API refuses this call; the caller decides whether the resource failed or is not offered."""

    def __init__(
        self, call: object, status: int, reason: Refusal, explanation: str = "", *, may_concern_size: bool = False
    ) -> None:
        super().__init__(f"{call}: QQCatalyst answered {status} ({reason.value}).{explanation}")
        self.status = status
        self.reason = reason
        self.may_concern_size = may_concern_size  #: whether a smaller page may be accepted

    @property
    def not_offered(self) -> bool:
        """Whether an account without the resource answers like this."""
        return self.reason in NOT_OFFERED


class NotFound(EtlError):
    """The API no longer has the record whose details were requested."""


class PageSizeRefused(Exception):
    """The API refuses a page size; a smaller one may be accepted."""

    def __init__(self, size: int, refusal: EndpointRefused) -> None:
        super().__init__(str(refusal))
        self.size = size
        self.refusal = refusal


class RangeTooLong(Exception):
    """The server fails at a date range, and may answer a shorter one."""

    def __init__(self, days: int, error: ApiUnavailable) -> None:
        super().__init__(str(error))
        self.days = days


class NotWhole(ValueError):
    """A JSON text ends too early, or its brackets do not match."""

    def __init__(self, offset: int) -> None:
        super().__init__(f"broken at byte {offset}")
        self.offset = offset


class NeedsReferencePath(Exception):
    """The record contains a value that only the reference path can handle."""


class MailFailed(Exception):
    """An email was not accepted. The message holds no email address, although servers quote them."""


class MailServerFailed(MailFailed):
    """The mail server cannot be used, so no other email is tried."""


#: The names of earlier releases: each is the same class as its new name. They go with the next release.
TryAgain = RetryableError
RecordBad = InvalidRecord
PersonNeeded = ActionRequired
RunDied = TaskDied
ShapeChanged = UnexpectedResponse
