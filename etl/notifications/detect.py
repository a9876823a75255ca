"""What is the matter, seen from the end of a run: its error, resources that failed, what lags behind."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import groupby

from sqlalchemy import Connection, text

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
from etl.models.states import DriftState, TroubleKind
from etl.status.format import format_duration, join_words
from etl.status.lags import resource_lags

#: The most that a notice quotes of an error.
MAX_ERROR_LENGTH = 400

#: What says nothing of how the data stand: somebody's call, an end that was asked for, another run at work.
NOT_INCIDENTS = (UsageError, Interrupted, LeaseHeld)
#: The database itself is the matter; it is told without it.
DATABASE_ERRORS = (DatabaseUnavailable, DatabaseNotReady)

RUN_KINDS = (TroubleKind.RUN_FAILED, TroubleKind.CREDENTIALS_REFUSED)
RESOURCE_KINDS = (TroubleKind.RESOURCE_FAILED, TroubleKind.BALANCE_OFF, TroubleKind.BRAKE_PULLED)

#: Changes of the API's records that somebody may miss; a new field or code loses nothing, and is told by the run.
BREAKING_DRIFT = (DriftState.LOST, DriftState.EMPTIED, DriftState.RETYPED)

#: How each resource ended when it last came to an end; and a brake that no full reading since has let go: a run that
#: reads what is new says nothing of what vanished.
FAILED_RESOURCES = text("""
    SELECT * FROM (
        SELECT DISTINCT ON (part.resource) part.resource, part.status, part.error, part.trouble, batch.id
        FROM etl.batch_resources AS part JOIN etl.batches AS batch ON batch.id = part.batch_id
        WHERE batch.tenant = :tenant AND batch.command <> 'replay'
          AND part.status IN ('done', 'failed', 'not_offered')
        ORDER BY part.resource, batch.started_at DESC
    ) AS newest
    WHERE status = 'failed'
    UNION
    SELECT * FROM (
        SELECT DISTINCT ON (part.resource) part.resource, part.status, part.error, part.trouble, batch.id
        FROM etl.batch_resources AS part JOIN etl.batches AS batch ON batch.id = part.batch_id
        WHERE batch.tenant = :tenant AND batch.options ->> 'full' = 'true' AND batch.options ->> 'limit' IS NULL
          AND (part.status = 'done' OR part.trouble = 'brake_pulled')
        ORDER BY part.resource, batch.started_at DESC
    ) AS swept
    WHERE trouble = 'brake_pulled'
    ORDER BY resource
""")


@dataclass(frozen=True, slots=True)
class Detected:
    """What was seen, and of which kinds all that there is was seen."""

    incidents: Sequence[Incident] = ()
    checked_kinds: Sequence[TroubleKind] = field(default=(*RESOURCE_KINDS, TroubleKind.STALE, TroubleKind.DRIFT))


def detect(connection: Connection, tenant: str, stale_after: timedelta, error: Exception | None) -> Detected:
    """Return what is the matter with a tenant after a run that ended with this error, or came to its end."""
    known_incidents = [incident for incident in read_open_incidents(connection, tenant) if incident.kind in RUN_KINDS]
    run_incidents = [] if error is None or is_already_known(error, known_incidents) else [incident_from_error(error)]
    failed = list(find_failed_resources(connection, tenant))
    blocked = bool(run_incidents) or (bool(known_incidents) and error is not None)
    stale = [] if blocked else list(find_stale(resource_lags(connection, tenant), stale_after, {incident.subject for incident in failed}))
    drift_incidents = list(find_drift(connection, tenant))
    kinds = (*Detected().checked_kinds, *(RUN_KINDS if error is None else ()))
    return Detected((*run_incidents, *failed, *stale, *drift_incidents), kinds)


def is_already_known(error: Exception, known_incidents: Sequence[Incident]) -> bool:
    """Tell whether the end of a run is no trouble of its own: a run that died is none beside a reason that is known."""
    return isinstance(error, NOT_INCIDENTS) or (isinstance(error, TaskDied) and bool(known_incidents))


def incident_from_error(error: Exception) -> Incident:
    """Return the trouble that an error means which ended a run."""
    kind = TroubleKind.CREDENTIALS_REFUSED if isinstance(error, CredentialsRefused) else TroubleKind.RUN_FAILED
    return Incident(kind, message=describe_error(error))


def describe_error(error: Exception) -> str:
    """Return what a notice says of an error: of one that was not foreseen its kind alone, since it may quote data."""
    if isinstance(error, EtlError):
        return redact_and_shorten(str(error))
    return f"An error that was not foreseen ({type(error).__name__}); the log has the details."


def redact_and_shorten(words: str) -> str:
    """Return words as they may leave the house: redacted, on one line, and not too long."""
    return escape_control_characters(redact_text(" ".join(words.split()), MAX_ERROR_LENGTH))


def find_failed_resources(connection: Connection, tenant: str) -> Iterator[Incident]:
    """Yield the resources whose newest run did not end well, and those whose brake still holds."""
    for row in connection.execute(FAILED_RESOURCES, {"tenant": tenant}):
        kind = TroubleKind(row.trouble) if row.trouble else TroubleKind.RESOURCE_FAILED
        yield Incident(kind, row.resource, redact_and_shorten(row.error or "no reason was kept"), row.id)


def find_drift(connection: Connection, tenant: str) -> Iterator[Incident]:
    """Yield the fields on which people may rely and that the API no longer gives as it did."""
    for change in drift.read_current_changes(connection, tenant):
        if change.state in BREAKING_DRIFT:
            yield Incident(TroubleKind.DRIFT, f"{change.resource}.{change.path}", redact_and_shorten(change.description))


def find_stale(resource_lags: Mapping[str, timedelta], stale_after: timedelta, explained: set[str]) -> Iterator[Incident]:
    """Yield one trouble for all resources that lag behind by more than `most` and have no other trouble."""
    late = {name: lag for name, lag in resource_lags.items() if stale_after and lag > stale_after and name not in explained}
    if late:
        groups = groupby(sorted(late, key=lambda name: (-late[name], name)), key=lambda name: format_duration(late[name]))
        lags = "; ".join(f"{join_words(list(names))} by {lag}" for lag, names in groups)
        yield Incident(TroubleKind.STALE, message=f"More than {format_duration(stale_after)} behind: {lags}.")
