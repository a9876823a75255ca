"""The steps after a run: update incidents, write the digest, send emails, write metrics, call the heartbeat."""

from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection

from etl.config.logs import get_logger
from etl.config.settings import Settings
from etl.errors import DatabaseUnavailable, EtlError, Interrupted
from etl.ledger.notifications import incidents, outbox
from etl.ledger.transaction import Ledger
from etl.local_time import show_times_in
from etl.notifications import offline, templates
from etl.notifications.detect import DATABASE_ERRORS, NOT_INCIDENTS, detect
from etl.notifications.digest import write_digest
from etl.notifications.heartbeat import send_heartbeat
from etl.notifications.message import to_mail
from etl.notifications.send import send_queued
from etl.status.metrics import write_metrics_file

log = get_logger(__name__)

Step = tuple[str, Callable[[], object]]


def after_run(ledger: Ledger | None, settings: Settings, error: Exception | None = None, *, whole: bool = True) -> None:
    """Notify about a run that ended with an error, or finished; `whole` tells whether every resource is complete.

    Raises nothing: a failure here is logged and never hides the result of the run. Without a ledger, or after a
    database error, only the steps that need no database run.
    """
    show_times_in(settings.people_zone)
    for name, step in plan_steps(ledger, settings, error, whole=whole):
        try:
            step()
        except Exception as failure:  # noqa: BLE001 (the result of the run counts, and the caller reports it)
            reason = str(failure) if isinstance(failure, EtlError) else type(failure).__name__
            log.warning("notification failed", step=name, reason=reason)


def plan_steps(ledger: Ledger | None, settings: Settings, error: Exception | None, *, whole: bool) -> Iterator[Step]:
    """Yield the steps to run, in order; they are independent, so a failure of one does not stop the others."""
    if isinstance(error, DATABASE_ERRORS):
        yield "notice", partial(offline.mail_database_outage, settings, error)
    elif ledger is not None:
        yield "notice", partial(update_incidents, ledger, settings, error)
        yield "digest", partial(write_digest, ledger, settings)
        yield "mail", partial(send_queued, ledger, settings)
    if settings.etl_metrics_file is not None:
        read = raise_unavailable if ledger is None else ledger.read
        yield "metrics", partial(write_metrics_file, settings.etl_metrics_file, read)
    if not isinstance(error, NOT_INCIDENTS):
        yield "heartbeat", partial(send_heartbeat, settings, well=error is None and whole)


def raise_unavailable(query: Callable[[Connection], Any]) -> Any:
    """Raise DatabaseUnavailable, so that the metrics report the database as down."""
    del query
    raise DatabaseUnavailable


def update_incidents(
    ledger: Ledger, settings: Settings, error: Exception | None = None, *, at_end: bool = True
) -> None:
    """Update the stored incidents, and queue emails about new and resolved ones.

    With `at_end` false, no run has ended, so incidents of runs stay open.
    """
    error = error if at_end else Interrupted()
    outage_note = offline.outage_file(settings)
    since = offline.outage_start(outage_note)
    ledger.commit(partial(save_incidents, tenant=ledger.tenant, settings=settings, error=error, since=since))
    if since is not None:
        offline.clear_outage(outage_note)


def save_incidents(
    connection: Connection, tenant: str, settings: Settings, error: Exception | None, since: datetime | None
) -> None:
    """Store the current incidents and queue the emails about them in one transaction.

    Without a mail server, queues no email. `since` is the start of a database outage that was reported.
    """
    detected = detect(connection, tenant, settings.etl_stale_after, error)
    incidents.write_incidents(connection, tenant, detected.incidents)
    resolved = incidents.close_resolved(connection, tenant, detected.checked_kinds, detected.incidents)
    if settings.etl_smtp_url is None:
        return
    if since is not None:
        outbox.enqueue(connection, tenant, to_mail(templates.database_restored_message(tenant, since)))
    open_incidents = [
        incident for incident in incidents.read_open_incidents(connection, tenant) if incident.reported_at
    ]
    if new := incidents.claim_unreported(connection, tenant):
        outbox.enqueue(connection, tenant, to_mail(templates.new_incidents_message(tenant, new, open_incidents)))
    if announced := [incident for incident in resolved if incident.reported_at]:
        outbox.enqueue(
            connection, tenant, to_mail(templates.resolved_message(tenant, announced, [*open_incidents, *new]))
        )
