"""What is the matter, seen from the end of a run: its error, resources that failed, what lags behind."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import groupby

from sqlalchemy import Connection, text

from etl.config.redaction import on_one_line, redacted
from etl.errors import (
    CredentialsRefused,
    DatabaseNotReady,
    DatabaseUnavailable,
    EtlError,
    Interrupted,
    LeaseHeld,
    RunDied,
    UsageError,
)
from etl.ledger.notifications.incidents import Trouble, still_open
from etl.ledger.quality import drift
from etl.models.states import DriftState, TroubleKind
from etl.status.format import length, listed
from etl.status.lags import lags

#: The most that a notice quotes of an error.
LONGEST = 400

#: What says nothing of how the data stand: somebody's call, an end that was asked for, another run at work.
NO_TROUBLE = (UsageError, Interrupted, LeaseHeld)
#: The database itself is the matter; it is told without it.
OF_DATABASE = (DatabaseUnavailable, DatabaseNotReady)

OF_RUN = (TroubleKind.RUN_FAILED, TroubleKind.CREDENTIALS_REFUSED)
OF_RESOURCES = (TroubleKind.RESOURCE_FAILED, TroubleKind.BALANCE_OFF, TroubleKind.BRAKE_PULLED)

#: Changes of the API's records that somebody may miss; a new field or code loses nothing, and is told by the run.
MISSED = (DriftState.LOST, DriftState.EMPTIED, DriftState.RETYPED)

#: How each resource ended when it last came to an end; and a brake that no full reading since has let go: a run that
#: reads what is new says nothing of what vanished.
NEWEST = text("""
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
class Look:
    """What was seen, and of which kinds all that there is was seen."""

    seen: Sequence[Trouble] = ()
    settled: Sequence[TroubleKind] = field(default=(*OF_RESOURCES, TroubleKind.STALE, TroubleKind.DRIFT))


def look(connection: Connection, tenant: str, stale_after: timedelta, error: Exception | None) -> Look:
    """Return what is the matter with a tenant after a run that ended with this error, or came to its end."""
    known = [one for one in still_open(connection, tenant) if one.kind in OF_RUN]
    of_run = [] if error is None or says_nothing_new(error, known) else [of_error(error)]
    failed = list(failing(connection, tenant))
    blocked = bool(of_run) or (bool(known) and error is not None)
    stale = [] if blocked else list(lagging(lags(connection, tenant), stale_after, {one.subject for one in failed}))
    drifted = list(changed(connection, tenant))
    kinds = (*Look().settled, *(OF_RUN if error is None else ()))
    return Look((*of_run, *failed, *stale, *drifted), kinds)


def says_nothing_new(error: Exception, known: Sequence[Trouble]) -> bool:
    """Tell whether the end of a run is no trouble of its own: a run that died is none beside a reason that is known."""
    return isinstance(error, NO_TROUBLE) or (isinstance(error, RunDied) and bool(known))


def of_error(error: Exception) -> Trouble:
    """Return the trouble that an error means which ended a run."""
    kind = TroubleKind.CREDENTIALS_REFUSED if isinstance(error, CredentialsRefused) else TroubleKind.RUN_FAILED
    return Trouble(kind, words=in_words(error))


def in_words(error: Exception) -> str:
    """Return what a notice says of an error: of one that was not foreseen its kind alone, since it may quote data."""
    if isinstance(error, EtlError):
        return fit(str(error))
    return f"An error that was not foreseen ({type(error).__name__}); the log has the details."


def fit(words: str) -> str:
    """Return words as they may leave the house: redacted, on one line, and not too long."""
    return on_one_line(redacted(" ".join(words.split()), LONGEST))


def failing(connection: Connection, tenant: str) -> Iterator[Trouble]:
    """Yield the resources whose newest run did not end well, and those whose brake still holds."""
    for row in connection.execute(NEWEST, {"tenant": tenant}):
        kind = TroubleKind(row.trouble) if row.trouble else TroubleKind.RESOURCE_FAILED
        yield Trouble(kind, row.resource, fit(row.error or "no reason was kept"), row.id)


def changed(connection: Connection, tenant: str) -> Iterator[Trouble]:
    """Yield the fields on which people may rely and that the API no longer gives as it did."""
    for one in drift.listed(connection, tenant):
        if one.state in MISSED:
            yield Trouble(TroubleKind.DRIFT, f"{one.resource}.{one.path}", fit(one.words))


def lagging(behind: Mapping[str, timedelta], most: timedelta, explained: set[str]) -> Iterator[Trouble]:
    """Yield one trouble for all resources that lag behind by more than `most` and have no other trouble."""
    late = {name: lag for name, lag in behind.items() if most and lag > most and name not in explained}
    if late:
        alike = groupby(sorted(late, key=lambda name: (-late[name], name)), key=lambda name: length(late[name]))
        told = "; ".join(f"{listed(list(names))} by {lag}" for lag, names in alike)
        yield Trouble(TroubleKind.STALE, words=f"More than {length(most)} behind: {told}.")
