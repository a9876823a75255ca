"""What happens when a run has ended: what is the matter is kept and told, mails go out, the watchdog is called."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from sqlalchemy import Connection

from etl.config.logs import logger
from etl.config.settings import Settings
from etl.errors import DatabaseUnavailable, EtlError, Interrupted
from etl.ledger.notifications import incidents, outbox
from etl.ledger.transaction import Ledger
from etl.notifications import offline, templates
from etl.notifications.detect import NO_TROUBLE, OF_DATABASE, look
from etl.notifications.digest import write_digest
from etl.notifications.heartbeat import beat
from etl.notifications.message import as_mail
from etl.notifications.send import send_waiting
from etl.status.metrics import write_textfile

log = logger(__name__)

Step = tuple[str, Callable[[], object]]


def after_run(ledger: Ledger | None, settings: Settings, error: Exception | None = None, *, whole: bool = True) -> None:
    """Look after a run that ended with an error, or came to its end with every resource `whole` or not.

    Raises nothing: whatever goes wrong here is logged, and never hides how the run itself ended. Without a ledger, or
    after an error of the database, only what needs no database is done.
    """
    for name, step in steps(ledger, settings, error, whole=whole):
        try:
            step()
        except Exception as failure:  # noqa: BLE001 (how the run ended counts, and it is told by whoever called)
            words = str(failure) if isinstance(failure, EtlError) else type(failure).__name__
            log.warning("after the run", step=name, reason=words)


def steps(ledger: Ledger | None, settings: Settings, error: Exception | None, *, whole: bool) -> Iterator[Step]:
    """Yield what is to be done, in an order in which a step that fails keeps no other back."""
    if isinstance(error, OF_DATABASE):
        yield "notice", partial(offline.tell_without_database, settings, error)
    elif ledger is not None:
        yield "notice", partial(take_note, ledger, settings, error)
        yield "digest", partial(write_digest, ledger, settings)
        yield "mail", partial(send_waiting, ledger, settings)
    if settings.etl_metrics_file is not None:
        read = unreadable if ledger is None else ledger.read
        yield "metrics", partial(write_textfile, settings.etl_metrics_file, read)
    if not isinstance(error, NO_TROUBLE):
        yield "heartbeat", partial(beat, settings, well=error is None and whole)


def unreadable(query: Callable[[Connection], Any]) -> Any:
    """Raise DatabaseUnavailable, for metrics that tell just that."""
    del query
    raise DatabaseUnavailable


def take_note(ledger: Ledger, settings: Settings, error: Exception | None = None, *, at_end: bool = True) -> None:
    """Keep what is the matter now, and write the mails that tell what is new and what is over.

    Without the end of a run nothing says that runs succeed again.
    """
    error = error if at_end else Interrupted()
    note = offline.note_of(settings)
    since = offline.since(note)
    ledger.commit(partial(kept_and_told, tenant=ledger.tenant, settings=settings, error=error, since=since))
    if since is not None:
        offline.forget(note)


def kept_and_told(
    connection: Connection, tenant: str, settings: Settings, error: Exception | None, since: str | None
) -> None:
    """Keep the troubles as they stand, with the mails about them, in one transaction; none is written without a server.

    `since` names the moment from which on the database could not be used, as a mail has told.
    """
    found = look(connection, tenant, settings.etl_stale_after, error)
    incidents.keep(connection, tenant, found.seen)
    over = incidents.close(connection, tenant, found.settled, found.seen)
    if settings.etl_smtp_url is None:
        return
    if since is not None:
        outbox.write(connection, tenant, as_mail(templates.of_database_again(tenant, since)))
    known = [one for one in incidents.still_open(connection, tenant) if one.told_at]
    if new := incidents.untold(connection, tenant):
        outbox.write(connection, tenant, as_mail(templates.of_troubles(tenant, new, known)))
    if told := [one for one in over if one.told_at]:
        outbox.write(connection, tenant, as_mail(templates.of_ends(tenant, told, [*known, *new])))
