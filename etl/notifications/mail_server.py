"""The mail server: one connection over TLS, with a timeout, for several emails."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP as SMTP_LINES
from email.utils import format_datetime
from typing import Self
from urllib.parse import unquote, urlsplit

from aiosmtplib import (
    SMTP,
    SMTPAuthenticationError,
    SMTPConnectError,
    SMTPException,
    SMTPRecipientsRefused,
    SMTPResponseException,
    SMTPServerDisconnected,
)

from etl.config.parsers import is_loopback
from etl.config.settings import Settings, secret_text
from etl.errors import MailFailed, MailServerFailed
from etl.ledger.notifications.outbox import Mail
from etl.models.states import MailKind

#: Seconds for the connection, and for each email.
TIMEOUT_SECONDS = 10.0

PORTS = {"smtp": 587, "smtps": 465}


class Connection(SMTP):
    """A connection that ends at once: TLS would wait for the server's last word, and outlive the event loop."""

    def close(self) -> None:
        """Close the connection without a farewell of TLS; `quit` has said it in SMTP."""
        if isinstance(self.transport, asyncio.WriteTransport):
            self.transport.abort()
        super().close()


@dataclass(frozen=True, slots=True)
class MailServer:
    """The address, encryption and credentials of the mail server."""

    host: str
    port: int
    implicit_tls: bool  #: TLS from the start, instead of STARTTLS
    starttls: bool  #: required
    user: str = ""
    password: str = ""

    @classmethod
    def from_url(cls, url: str) -> Self:
        """Return the mail server of a URL; one on this machine needs no TLS unless the URL requires it."""
        parts = urlsplit(url)
        host, implicit = parts.hostname or "", parts.scheme == "smtps"
        starttls = not implicit and parts.query != "tls=off" and (parts.query == "tls=on" or not is_loopback(host))
        port = parts.port or PORTS[parts.scheme]
        return cls(host, port, implicit, starttls, unquote(parts.username or ""), unquote(parts.password or ""))

    def connection(self) -> Connection:
        """Return a connection, not yet opened, that is encrypted and logged in as required."""
        return Connection(
            hostname=self.host,
            port=self.port,
            use_tls=self.implicit_tls,
            start_tls=self.starttls,
            username=self.user or None,
            password=self.password or None,
            local_hostname=socket.gethostname() or "localhost",  # the library would look the full name up
            timeout=None,  # the deadline of the whole step holds
        )

    def __str__(self) -> str:
        return f"The mail server {self.host}:{self.port}"


@asynccontextmanager
async def open_mail_server(settings: Settings) -> AsyncIterator[SMTP]:
    """Open a connection to the mail server and log in; raise MailServerFailed if that fails."""
    server = MailServer.from_url(secret_text(settings.etl_smtp_url))
    client = server.connection()
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            await client.connect()
    except (OSError, SMTPException) as error:
        raise MailServerFailed(f"{server} {failure_reason(error)}.") from None
    try:
        yield client
    finally:
        with suppress(OSError, SMTPException):
            async with asyncio.timeout(TIMEOUT_SECONDS):
                await client.quit()
        client.close()


async def send_mail(client: SMTP, settings: Settings, mail: Mail) -> None:
    """Send an email; raise MailFailed if the server refuses it, MailServerFailed if the server cannot be used."""
    message = build_email(settings, mail)
    server = MailServer.from_url(secret_text(settings.etl_smtp_url))
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            refused, _ = await client.send_message(message)
    except (SMTPResponseException, SMTPRecipientsRefused) as error:
        raise MailFailed(f"{server} {failure_reason(error)}.") from None
    except (OSError, SMTPException) as error:
        client.close()
        raise MailServerFailed(f"{server} {failure_reason(error)}.") from None
    if refused:
        raise MailFailed(f"{server} accepted the email for only some recipients ({len(refused)} refused).")


async def send_one(settings: Settings, mail: Mail) -> None:
    """Send an email over a connection of its own; raise MailFailed if that fails."""
    async with open_mail_server(settings) as client:
        await send_mail(client, settings, mail)


def build_email(settings: Settings, mail: Mail) -> EmailMessage:
    """Return an email as it is sent; the library refuses a header with a line break."""
    message = EmailMessage(policy=SMTP_LINES)
    recipients = settings.etl_digest_to if mail.kind is MailKind.DIGEST else None
    message["From"] = settings.etl_mail_from or ""
    message["To"] = recipients or settings.etl_mail_to or ""
    message["Subject"] = mail.subject
    message["Date"] = format_datetime(mail.created_at or datetime.now(UTC))
    message["Message-ID"] = f"<{mail.id}@{(settings.etl_mail_from or '@').rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.body)
    message.add_alternative(mail.html, subtype="html")
    return message


#: The reason for a failure, in our own words; the first type that fits. `{code}` is the server's reply code.
REASONS: tuple[tuple[type[BaseException], str], ...] = (
    (SMTPAuthenticationError, "rejected the user or password in ETL_SMTP_URL ({code})"),
    (
        ssl.SSLCertVerificationError,
        "has a certificate that cannot be verified; for a private certificate authority, set SSL_CERT_FILE",
    ),
    (SMTPResponseException, "returned an error ({code})"),
    (SMTPRecipientsRefused, "refused every recipient"),
    (TimeoutError, f"did not answer within {TIMEOUT_SECONDS:g} s"),
    (SMTPServerDisconnected, "disconnected"),
    (OSError, "cannot be reached ({kind})"),
    (
        SMTPException,  # the library has no type of its own for this
        "does not support STARTTLS or login, which ETL_SMTP_URL requires; add ?tls=off to send unencrypted",
    ),
)


def failure_reason(error: Exception) -> str:
    """Return the reason for a failure, without the server's reply, which may quote an email address."""
    cause = error.__cause__ if type(error) is SMTPConnectError and error.__cause__ else error
    template = next(template for kind, template in REASONS if isinstance(cause, kind))
    return template.format(code=getattr(cause, "code", ""), kind=type(cause).__name__)
