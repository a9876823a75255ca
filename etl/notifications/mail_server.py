"""The mail server: one connection over TLS, with a timeout, for several emails."""

import smtplib
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Self
from urllib.parse import unquote, urlsplit

from etl.config.parsers import is_loopback
from etl.config.settings import Settings, secret_text
from etl.ledger.notifications.outbox import Mail
from etl.models.states import MailKind
from etl.notifications.smtp_login import Utf8Smtp, Utf8SmtpOverTls

#: Seconds for the connection, and for each email.
TIMEOUT_SECONDS = 10.0

PORTS = {"smtp": 587, "smtps": 465}


class MailFailed(Exception):
    """An email was not accepted. The message holds no email address, although servers quote them."""


class ServerFailed(MailFailed):
    """The mail server cannot be used, so no other email is tried."""


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

    def __str__(self) -> str:
        return f"The mail server {self.host}:{self.port}"


@contextmanager
def open_mail_server(settings: Settings) -> Iterator[smtplib.SMTP]:
    """Open a connection to the mail server and log in; raise ServerFailed if that fails."""
    server = MailServer.from_url(secret_text(settings.etl_smtp_url))
    try:
        client = connect_and_log_in(server)
    except (OSError, smtplib.SMTPException) as error:
        raise ServerFailed(f"{server} {failure_reason(error)}.") from None
    try:
        yield client
    finally:
        with suppress(OSError, smtplib.SMTPException), within_timeout(client):
            client.quit()
        client.close()


def connect_and_log_in(server: MailServer) -> smtplib.SMTP:
    """Return a connection to the server, encrypted and logged in as required."""
    name, context = socket.gethostname() or "localhost", ssl.create_default_context()
    client = (
        Utf8SmtpOverTls(local_hostname=name, timeout=TIMEOUT_SECONDS, context=context)
        if server.implicit_tls
        else Utf8Smtp(local_hostname=name, timeout=TIMEOUT_SECONDS)
    )
    vars(client)["_host"] = (
        server.host
    )  # the name that TLS verifies; smtplib sets it only in a constructor that connects
    try:
        with within_timeout(client):
            client.connect(server.host, server.port)
            client.ehlo_or_helo_if_needed()
            if server.starttls:
                client.starttls(context=context)
                client.ehlo()
            if server.user:
                client.login(server.user, server.password)
    except BaseException:
        client.close()
        raise
    return client


def send_mail(client: smtplib.SMTP, settings: Settings, mail: Mail) -> None:
    """Send an email; raise MailFailed if the server refuses it, ServerFailed if the server cannot be used."""
    message = build_email(settings, mail)
    server = MailServer.from_url(secret_text(settings.etl_smtp_url))
    try:
        with within_timeout(client):
            refused = client.send_message(message)
    except (smtplib.SMTPResponseException, smtplib.SMTPRecipientsRefused) as error:
        raise MailFailed(f"{server} {failure_reason(error)}.") from None
    except (OSError, smtplib.SMTPException) as error:
        raise ServerFailed(f"{server} {failure_reason(error)}.") from None
    if refused:
        raise MailFailed(f"{server} accepted the email for only some recipients ({len(refused)} refused).")


def build_email(settings: Settings, mail: Mail) -> EmailMessage:
    """Return an email as it is sent; the library refuses a header with a line break."""
    message = EmailMessage(policy=SMTP)
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


@contextmanager
def within_timeout(client: smtplib.SMTP) -> Iterator[None]:
    """Shut down the connection if the block takes too long: a server that sends byte by byte never times out."""
    timer = threading.Timer(TIMEOUT_SECONDS, shut_down_socket, [client])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def shut_down_socket(client: smtplib.SMTP) -> None:
    """Shut down the socket of a connection, so that a blocked call returns."""
    if client.sock is not None:
        with suppress(OSError):
            socket.socket.shutdown(client.sock, socket.SHUT_RDWR)


#: The reason for a failure, in our own words; the first type that fits. `{code}` is the server's reply code.
REASONS: tuple[tuple[type[Exception], str], ...] = (
    (smtplib.SMTPAuthenticationError, "rejected the user or password in ETL_SMTP_URL ({code})"),
    (
        smtplib.SMTPNotSupportedError,
        "does not support STARTTLS or login, which ETL_SMTP_URL requires; add ?tls=off to send unencrypted",
    ),
    (
        ssl.SSLCertVerificationError,
        "has a certificate that cannot be verified; for a private certificate authority, set SSL_CERT_FILE",
    ),
    (smtplib.SMTPResponseException, "returned an error ({code})"),
    (smtplib.SMTPRecipientsRefused, "refused every recipient"),
    (TimeoutError, f"did not answer within {TIMEOUT_SECONDS:g} s"),
    (smtplib.SMTPServerDisconnected, f"disconnected, or took longer than {TIMEOUT_SECONDS:g} s"),
    (Exception, "cannot be reached ({kind})"),
)


def failure_reason(error: Exception) -> str:
    """Return the reason for a failure, without the server's reply, which may quote an email address."""
    template = next(template for kind, template in REASONS if isinstance(error, kind))
    return template.format(code=getattr(error, "smtp_code", ""), kind=type(error).__name__)
