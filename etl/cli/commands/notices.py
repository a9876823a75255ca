"""`qqetl notices`: open incidents and unsent emails; send a test email."""

from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any

import typer

from etl.cli.session import CommandSession, open_session
from etl.cli.ui.options import AsJson, Embedded, create_app, format_examples, reject_combination
from etl.cli.ui.terminal import print_json, print_line, print_notice
from etl.database.revisions import check_migrated
from etl.errors import ExitStatus, UsageError
from etl.ledger.notifications import incidents, outbox
from etl.ledger.notifications.incidents import Incident
from etl.ledger.notifications.outbox import Mail
from etl.notifications.after_run import update_incidents
from etl.notifications.message import to_mail
from etl.notifications.send import SendResult, send_queued
from etl.notifications.templates import build_test_message, describe_resolved, headline
from etl.status.format import format_count

app = create_app()

Test = Annotated[bool, typer.Option("--test", help="Send a test email with all open incidents, and unsent emails.")]
Look = Annotated[bool, typer.Option("--look", help="Check for incidents now, as after a run, and send emails.")]


@dataclass(frozen=True, slots=True)
class NoticeStatus:
    """Open incidents and unsent emails."""

    open: list[Incident]
    waiting: list[Mail]
    sent: SendResult | None = None  #: None if nothing was to be sent


@app.command(
    epilog=format_examples(
        "qqetl notices           open incidents and unsent emails",
        "qqetl notices --test    send a test email",
        "qqetl notices --look    check for incidents, for example from cron",
    )
)
def command(*, test: Test = False, look: Look = False, embedded: Embedded = False, as_json: AsJson = False) -> None:
    """Show open incidents and unsent emails. Exits with status 1 if an email could not be sent."""
    if test:
        reject_combination("--test", {"--look": look})
    with open_session(embedded=embedded) as session:
        check_migrated(session.engine)
        sent = send_mails(session, test=test) if test or look else None
        status = session.read(partial(read_status, tenant=session.tenant, sent=sent))
    if as_json:
        print_json(notice_status_to_json(status))
    else:
        show_status(status)
    if sent is not None and sent.failed:
        print_notice(sent.error or "An email could not be sent.", style="red")
        raise typer.Exit(ExitStatus.FAILED)


def send_mails(session: CommandSession, *, test: bool) -> SendResult:
    """Queue emails about new incidents, and a test email that names all open ones; send all unsent emails."""
    if session.settings.etl_smtp_url is None:
        raise UsageError("No mail server is configured. Set ETL_SMTP_URL, ETL_MAIL_FROM and ETL_MAIL_TO.")
    update_incidents(session.ledger, session.settings, at_end=False)
    if test:
        open_incidents = session.read(partial(incidents.read_open_incidents, tenant=session.tenant))
        mail = to_mail(build_test_message(session.tenant, open_incidents))
        session.ledger.commit(partial(outbox.enqueue, tenant=session.tenant, mail=mail))
    return send_queued(session.ledger, session.settings)


def read_status(connection: Any, tenant: str, sent: SendResult | None) -> NoticeStatus:
    """Return open incidents and unsent emails."""
    return NoticeStatus(incidents.read_open_incidents(connection, tenant), outbox.read_unsent(connection, tenant), sent)


def show_status(status: NoticeStatus) -> None:
    """Print open incidents and unsent emails."""
    if status.sent is not None and status.sent.sent:
        print_line(f"{format_count(status.sent.sent, 'email')} sent.")
    for incident in status.open:
        print_line(f"✗ {describe_resolved(incident)}", style="red")
        print_line(f"  {incident.message}")
    if not status.open:
        print_line("Action needed: none")
    for mail in status.waiting:
        reason = f": {mail.error}" if mail.error else ""
        print_line(f"Not sent after {format_count(mail.attempts, 'attempt')}: {mail.subject}{reason}")


def notice_status_to_json(status: NoticeStatus) -> dict[str, Any]:
    """Return open incidents and unsent emails as JSON."""
    return {
        "open": [incident_to_json(incident) for incident in status.open],
        "unsent": [
            {"kind": mail.kind, "subject": mail.subject, "attempts": mail.attempts, "error": mail.error}
            for mail in status.waiting
        ],
        "sent": status.sent.sent if status.sent else 0,
    }


def incident_to_json(incident: Incident) -> dict[str, Any]:
    """Return one incident as JSON."""
    return {
        "kind": incident.kind,
        "subject": incident.subject,
        "headline": headline([incident]),
        "words": incident.message,
        "batch": incident.batch_id,
        "since": incident.opened_at,
        "times_seen": incident.times_seen,
        "told": incident.reported_at is not None,
    }
