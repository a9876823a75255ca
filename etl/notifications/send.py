"""Sends the emails in the outbox: claimed, sent, marked; an email that fails waits for the next run."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from etl.config.logs import get_logger
from etl.config.settings import Settings
from etl.errors import MailFailed, MailServerFailed
from etl.ledger.notifications import outbox
from etl.ledger.notifications.outbox import Mail
from etl.ledger.transaction import Ledger
from etl.notifications.mail_server import open_mail_server, send_mail

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class SendResult:
    """The number of emails sent and failed, and the last error."""

    sent: int = 0
    failed: int = 0
    error: str | None = None


def send_queued(ledger: Ledger, settings: Settings) -> SendResult:
    """Send the queued emails and return the result; an unreachable mail server raises nothing.

    If the process dies after sending and before marking, the email is sent again, with the same Message-ID.
    """
    if settings.etl_smtp_url is None:
        return SendResult()
    mails = ledger.commit(partial(outbox.claim_emails, tenant=ledger.tenant))
    if not mails:
        return SendResult()
    return asyncio.run(send_all(ledger, settings, mails))


async def send_all(ledger: Ledger, settings: Settings, mails: Sequence[Mail]) -> SendResult:
    """Send emails over one connection; a refused email does not stop the others."""
    done = failed = 0
    last = None
    try:
        async with open_mail_server(settings) as client:
            for mail in mails:
                try:
                    await send_mail(client, settings, mail)
                except MailServerFailed:
                    raise
                except MailFailed as error:
                    failed, last = failed + 1, requeue(ledger, [mail], error).error
                else:
                    ledger.commit(partial(outbox.mark_sent, mail_id=mail.id))
                    done += 1
    except MailServerFailed as error:
        unsent = requeue(ledger, mails[done + failed :], error)
        return SendResult(done, failed + unsent.failed, unsent.error)
    return SendResult(done, failed, last)


def requeue(ledger: Ledger, mails: Sequence[Mail], error: MailFailed) -> SendResult:
    """Return emails to the queue for the next run, with the reason."""
    log.warning("emails not sent", number=len(mails), reason=str(error))
    ledger.commit(partial(outbox.mark_send_failed, mail_ids=[mail.id for mail in mails], error=str(error)))
    return SendResult(failed=len(mails), error=str(error))
