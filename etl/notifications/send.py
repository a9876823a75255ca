"""Sending what waits in the outbox: claimed, sent, noted; what fails waits for the next run."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from etl.config.logs import logger
from etl.config.settings import Settings
from etl.ledger.notifications import outbox
from etl.ledger.notifications.outbox import Mail
from etl.ledger.transaction import Ledger
from etl.notifications.mail_server import MailFailed, ServerFailed, mail_server, send

log = logger(__name__)


@dataclass(frozen=True, slots=True)
class Sent:
    """What came of sending."""

    sent: int = 0
    failed: int = 0
    error: str | None = None  #: the last one


def send_waiting(ledger: Ledger, settings: Settings) -> Sent:
    """Send the mails that wait, and return what came of it; a mail server that is out of reach is no error.

    A process that dies between sending and noting leaves a mail that is sent once more, under the same Message-ID.
    """
    if settings.etl_smtp_url is None:
        return Sent()
    mails = ledger.commit(partial(outbox.claim, tenant=ledger.tenant))
    if not mails:
        return Sent()
    try:
        with mail_server(settings) as client:
            return sent_over(ledger, settings, mails, client)
    except ServerFailed as error:
        return put_back(ledger, mails, error)


def sent_over(ledger: Ledger, settings: Settings, mails: Sequence[Mail], client: object) -> Sent:
    """Send mails over one connection; one that is refused does not keep the others back."""
    done = failed = 0
    last = None
    for place, mail in enumerate(mails):
        try:
            send(client, settings, mail)  # type: ignore[arg-type]  # smtplib's own client
        except ServerFailed as error:
            rest = put_back(ledger, mails[place:], error)
            return Sent(done, failed + rest.failed, rest.error)
        except MailFailed as error:
            failed, last = failed + 1, put_back(ledger, [mail], error).error
        else:
            ledger.commit(partial(outbox.note_sent, mail_id=mail.id))
            done += 1
    return Sent(done, failed, last)


def put_back(ledger: Ledger, mails: Sequence[Mail], error: MailFailed) -> Sent:
    """Let mails wait for the next run, with the reason."""
    log.warning("mails wait", number=len(mails), reason=str(error))
    ledger.commit(partial(outbox.note_failed, mail_ids=[one.id for one in mails], error=str(error)))
    return Sent(failed=len(mails), error=str(error))
