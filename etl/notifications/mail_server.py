"""The mail server: one connection within a deadline, over TLS, that takes mails one by one."""

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

#: Seconds that the server has for a connection, and then for each mail.
TIMEOUT_SECONDS = 10.0

PORTS = {"smtp": 587, "smtps": 465}


class MailFailed(Exception):
    """A mail was not taken; what the words say holds no address, since servers quote whom they refuse."""


class ServerFailed(MailFailed):
    """The mail server cannot be used, so that no other mail is worth a try."""


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where the mail server is, and how it is spoken to."""

    host: str
    port: int
    implicit_tls: bool  #: TLS, rather than STARTTLS
    starttls: bool  #: demanded
    user: str = ""
    password: str = ""

    @classmethod
    def from_url(cls, address: str) -> Self:
        """Return the place that a setting names; this machine's own is trusted without TLS unless that is asked for."""
        parts = urlsplit(address)
        host, implicit = parts.hostname or "", parts.scheme == "smtps"
        starttls = not implicit and parts.query != "tls=off" and (parts.query == "tls=on" or not is_loopback(host))
        port = parts.port or PORTS[parts.scheme]
        return cls(host, port, implicit, starttls, unquote(parts.username or ""), unquote(parts.password or ""))

    def __str__(self) -> str:
        return f"The mail server {self.host}:{self.port}"


@contextmanager
def open_mail_server(settings: Settings) -> Iterator[smtplib.SMTP]:
    """Give the connection to the mail server, signed in; raise ServerFailed when it cannot be used."""
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
    """Return a connection to the server that is encrypted and signed in as the place demands."""
    name, context = socket.gethostname() or "localhost", ssl.create_default_context()
    client = (
        smtplib.SMTP_SSL(local_hostname=name, timeout=TIMEOUT_SECONDS, context=context)
        if server.implicit_tls
        else smtplib.SMTP(local_hostname=name, timeout=TIMEOUT_SECONDS)
    )
    vars(client)["_host"] = server.host  # the name that TLS checks; else only a constructor that connects sets it
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
    """Hand a mail to the server; raise MailFailed when it refuses this one, ServerFailed when it takes none."""
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
        raise MailFailed(f"{server} took the mail for some of its recipients alone ({len(refused)} refused).")


def build_email(settings: Settings, mail: Mail) -> EmailMessage:
    """Return a mail as it is sent; a header that could break out of its line is refused by the library itself."""
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
    """Cut the connection when the block takes too long: a server that answers letter by letter never times out."""
    timer = threading.Timer(TIMEOUT_SECONDS, shut_down_socket, [client])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def shut_down_socket(client: smtplib.SMTP) -> None:
    """End a connection under whoever waits for it."""
    if client.sock is not None:
        with suppress(OSError):
            socket.socket.shutdown(client.sock, socket.SHUT_RDWR)


#: What went wrong, in words of ours: the first kind that fits. `{code}` stands for the server's number.
REASONS: tuple[tuple[type[Exception], str], ...] = (
    (smtplib.SMTPAuthenticationError, "refused the user or the password in ETL_SMTP_URL ({code})"),
    (
        smtplib.SMTPNotSupportedError,
        "does not offer what is demanded, STARTTLS or a log-in; ?tls=off in ETL_SMTP_URL sends in the clear",
    ),
    (
        ssl.SSLCertVerificationError,
        "has a certificate that cannot be verified; name the file of a private authority in SSL_CERT_FILE",
    ),
    (smtplib.SMTPResponseException, "refused ({code})"),
    (smtplib.SMTPRecipientsRefused, "refused every recipient"),
    (TimeoutError, f"did not answer within {TIMEOUT_SECONDS:g} s"),
    (smtplib.SMTPServerDisconnected, f"broke off, or took longer than {TIMEOUT_SECONDS:g} s"),
    (Exception, "cannot be reached ({kind})"),
)


def failure_reason(error: Exception) -> str:
    """Return what is wrong, without the server's own words, which may quote whom it refuses."""
    words = next(words for kind, words in REASONS if isinstance(error, kind))
    return words.format(code=getattr(error, "smtp_code", ""), kind=type(error).__name__)
