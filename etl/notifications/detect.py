"""Detects incidents after a run: its error, failed resources, stale data, changes of the API."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import groupby

from sqlalchemy import Connection

from etl.config.redaction import escape_control_characters, redact_text
from etl.errors import (
    CredentialsRefused,
    DatabaseNotReady,
    DatabaseUnavailable,
    EtlError,
    Interrupted,
    LeaseHeld,
    TaskDied,
    UsageError,
)
from etl.ledger.notifications.incidents import Incident, read_open_incidents
from etl.ledger.quality import drift
from etl.ledger.quality.empty_columns import is_empty_column
from etl.models.states import NOT_READING, DriftState, IncidentKind
from etl.queries import Queries
from etl.status.format import format_duration, join_words
from etl.status.lags import resource_lags

SQL = Queries(__file__)

#: Maximum length of an error in an email.
MAX_ERROR_LENGTH = 400

#: Errors that say nothing about the data: a wrong command, a requested stop, another active run.
NOT_INCIDENTS = (UsageError, Interrupted, LeaseHeld)
#: Errors of the database itself, reported without using it.
DATABASE_ERRORS = (DatabaseUnavailable, DatabaseNotReady)

RUN_KINDS = (IncidentKind.RUN_FAILED, IncidentKind.CREDENTIALS_REFUSED)
RESOURCE_KINDS = (IncidentKind.RESOURCE_FAILED, IncidentKind.BALANCE_OFF, IncidentKind.BRAKE_PULLED)

#: Drift that loses data; a new field or code loses nothing, so only the run reports it.
BREAKING_DRIFT = (DriftState.LOST, DriftState.EMPTIED, DriftState.RETYPED)


@dataclass(frozen=True, slots=True)
class Detected:
    """The incidents detected, and the kinds checked completely, whose other incidents are resolved."""

    incidents: Sequence[Incident] = ()
    checked_kinds: Sequence[IncidentKind] = field(default=(*RESOURCE_KINDS, IncidentKind.STALE, IncidentKind.DRIFT))


def detect(connection: Connection, tenant: str, stale_after: timedelta, error: Exception | None) -> Detected:
    """Return the incidents of a tenant after a run that ended with this error, or finished."""
    known_incidents = [incident for incident in read_open_incidents(connection, tenant) if incident.kind in RUN_KINDS]
    run_incidents = [] if error is None or is_already_known(error, known_incidents) else [incident_from_error(error)]
    failed = list(find_failed_resources(connection, tenant))
    blocked = bool(run_incidents) or (bool(known_incidents) and error is not None)
    stale = (
        []
        if blocked
        else list(find_stale(resource_lags(connection, tenant), stale_after, {incident.subject for incident in failed}))
    )
    drift_incidents = list(find_drift(connection, tenant))
    kinds = (*Detected().checked_kinds, *(RUN_KINDS if error is None else ()))
    return Detected((*run_incidents, *failed, *stale, *drift_incidents), kinds)


def is_already_known(error: Exception, known_incidents: Sequence[Incident]) -> bool:
    """Return whether an error is no new incident: not an incident at all, or a dead task whose reason is known."""
    return isinstance(error, NOT_INCIDENTS) or (isinstance(error, TaskDied) and bool(known_incidents))


def incident_from_error(error: Exception) -> Incident:
    """Return the incident for an error that ended a run."""
    kind = IncidentKind.CREDENTIALS_REFUSED if isinstance(error, CredentialsRefused) else IncidentKind.RUN_FAILED
    return Incident(kind, message=describe_error(error))


def describe_error(error: Exception) -> str:
    """Return an error as text for people; of an unexpected error only its type, because its message may quote data."""
    if isinstance(error, EtlError):
        return redact_and_shorten(str(error))
    return f"Unexpected error ({type(error).__name__}); see the log for details."


def redact_and_shorten(message: str) -> str:
    """Return a message fit for an email: redacted, on one line, and not too long."""
    return escape_control_characters(redact_text(" ".join(message.split()), MAX_ERROR_LENGTH))


def find_failed_resources(connection: Connection, tenant: str) -> Iterator[Incident]:
    """Yield an incident for each resource whose newest run failed, or whose deletions are stopped."""
    bound = {"tenant": tenant, "not_reading": list(NOT_READING)}
    for row in connection.execute(SQL["failed_resources"], bound):
        kind = IncidentKind(row.trouble) if row.trouble else IncidentKind.RESOURCE_FAILED
        yield Incident(kind, row.resource, redact_and_shorten(row.error or "no reason was stored"), row.id)


def find_drift(connection: Connection, tenant: str) -> Iterator[Incident]:
    """Yield an incident for each field that the API stopped returning, empties, or returns with another type.

    A column that was empty from the first sync on is no change: the summary and the doctor name it.
    """
    for change in drift.read_current_changes(connection, tenant):
        if change.state in BREAKING_DRIFT and not is_empty_column(change):
            yield Incident(
                IncidentKind.DRIFT, f"{change.resource}.{change.path}", redact_and_shorten(change.description)
            )


def find_stale(
    resource_lags: Mapping[str, timedelta], stale_after: timedelta, explained: set[str]
) -> Iterator[Incident]:
    """Yield one incident for all resources that lag by more than `stale_after` and have no other incident."""
    late = {
        name: lag for name, lag in resource_lags.items() if stale_after and lag > stale_after and name not in explained
    }
    if late:
        groups = groupby(
            sorted(late, key=lambda name: (-late[name], name)), key=lambda name: format_duration(late[name])
        )
        lags = "; ".join(f"{join_words(list(names))} by {lag}" for lag, names in groups)
        yield Incident(IncidentKind.STALE, message=f"More than {format_duration(stale_after)} behind: {lags}.")
