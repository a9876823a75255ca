"""`qqetl notices`: what needs a person, which mails wait, and whether notices arrive at all."""

from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any

import typer

from etl.cli.session import Work, working
from etl.cli.ui.format import counted
from etl.cli.ui.options import AsJson, Embedded, command_app, examples, only_with
from etl.cli.ui.terminal import say, show, show_json
from etl.database.revisions import check_migrated
from etl.errors import UsageError
from etl.ledger.notifications import incidents, outbox
from etl.ledger.notifications.incidents import Trouble
from etl.ledger.notifications.outbox import Mail
from etl.notifications.after_run import take_note
from etl.notifications.message import as_mail
from etl.notifications.send import Sent, send_waiting
from etl.notifications.templates import headline, of_test, summed_up

app = command_app()

Test = Annotated[bool, typer.Option("--test", help="Send a mail that says that notices arrive, and all that waits.")]
Look = Annotated[bool, typer.Option("--look", help="Look how things stand now, as after a run, and send what waits.")]


@dataclass(frozen=True, slots=True)
class Standing:
    """What is the matter, and which mails wait."""

    open: list[Trouble]
    waiting: list[Mail]
    sent: Sent | None = None  #: what came of sending, where that was asked for


@app.command(
    epilog=examples(
        "qqetl notices           what needs a person, and mails that wait",
        "qqetl notices --test    do mails arrive?",
        "qqetl notices --look    from another machine: is anything stale? tell it",
    )
)
def command(*, test: Test = False, look: Look = False, embedded: Embedded = False, as_json: AsJson = False) -> None:
    """Show what needs a person and which mails wait for their server; ends with 1 where a mail could not be sent."""
    if test:
        only_with("--test", {"--look": look})
    with working(embedded=embedded) as work:
        check_migrated(work.engine)
        sent = sending(work, test=test) if test or look else None
        standing = work.read(partial(stands, tenant=work.tenant, sent=sent))
    if as_json:
        show_json(for_programs(standing))
    else:
        show_standing(standing)
    if sent is not None and sent.failed:
        say(sent.error or "A mail could not be sent.", style="red")
        raise typer.Exit(1)


def sending(work: Work, *, test: bool) -> Sent:
    """Write a test mail, or what a look at things now calls for, and send all that waits."""
    if work.settings.etl_smtp_url is None:
        raise UsageError("There is no mail server. Set ETL_SMTP_URL, ETL_MAIL_FROM and ETL_MAIL_TO.")
    if test:
        mail = as_mail(of_test(work.tenant))
        work.ledger.commit(partial(outbox.write, tenant=work.tenant, mail=mail))
    else:
        take_note(work.ledger, work.settings, at_end=False)
    return send_waiting(work.ledger, work.settings)


def stands(connection: Any, tenant: str, sent: Sent | None) -> Standing:
    """Return how notices stand."""
    return Standing(incidents.still_open(connection, tenant), outbox.waiting(connection, tenant), sent)


def show_standing(standing: Standing) -> None:
    """Write how notices stand for a person."""
    if standing.sent is not None and standing.sent.sent:
        show(f"{counted(standing.sent.sent, 'mail')} sent.")
    for one in standing.open:
        show(f"✗ {summed_up(one)}", style="red")
        show(f"  {one.words}")
    if not standing.open:
        show("Nothing needs you.")
    for mail in standing.waiting:
        why = f": {mail.error}" if mail.error else ""
        show(f"Not sent, {counted(mail.attempts, 'attempt')}: {mail.subject}{why}")


def for_programs(standing: Standing) -> dict[str, Any]:
    """Return how notices stand for JSON."""
    return {
        "open": [trouble_for_programs(one) for one in standing.open],
        "unsent": [
            {"kind": one.kind.value, "subject": one.subject, "attempts": one.attempts, "error": one.error}
            for one in standing.waiting
        ],
        "sent": standing.sent.sent if standing.sent else 0,
    }


def trouble_for_programs(one: Trouble) -> dict[str, Any]:
    """Return one trouble for JSON."""
    return {
        "kind": one.kind.value,
        "subject": one.subject,
        "headline": headline([one]),
        "words": one.words,
        "batch": str(one.batch_id) if one.batch_id else None,
        "since": one.opened_at.isoformat() if one.opened_at else None,
        "times_seen": one.times_seen,
        "told": one.told_at is not None,
    }
