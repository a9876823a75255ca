"""Mail servers for tests: a sink with configurable TLS, login and rejections, and a server that never answers."""

import hmac
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any, cast

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

MECHANISMS = {"PLAIN", "LOGIN", "CRAM-MD5"}
USER, PASSWORD = "notices", "p@ss word"


class Sink:
    """Stores the mails that arrive, and rejects unwanted recipients."""

    def __init__(self, unwanted: str = "", *, demands_login: bool = False, account: tuple[str, str]) -> None:
        self.mails: list[EmailMessage] = []
        self.recipients: list[list[str]] = []
        self.unwanted = unwanted
        self.demands_login = demands_login
        self.account = account

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802 (aiosmtpd's)
        if self.demands_login and not session.authenticated:
            return "530 sign in first"
        if self.unwanted and self.unwanted in address:
            return f"550 <{address}> is not known here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def auth_CRAM__MD5(self, server: Any, args: list[str]) -> AuthResult:  # noqa: N802 (aiosmtpd's)
        """Compare the answer to a challenge with the one that RFC 2195 defines."""
        answer = await server.challenge_auth("<1@sink>")
        user, password = self.account
        digest = hmac.new(password.encode(), b"<1@sink>", "md5").hexdigest()
        return AuthResult(success=answer == f"{user} {digest}".encode(), handled=False)

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 (aiosmtpd's)
        self.mails.append(message_from_bytes(envelope.content, policy=SMTP))
        self.recipients.append(list(envelope.rcpt_tos))
        return "250 OK"

    @property
    def subjects(self) -> list[str]:
        return [str(mail["Subject"]).strip() for mail in self.mails]

    def text(self, index: int = -1) -> str:
        """Return the plain text of a mail."""
        return str(part(self.mails[index], "plain").get_content()).replace("\r\n", "\n")

    def html(self, index: int = -1) -> str:
        """Return the HTML of a mail."""
        return str(part(self.mails[index], "html").get_content()).replace("\r\n", "\n")


def part(mail: EmailMessage, kind: str) -> EmailMessage:
    """Return the plain or HTML part of a mail."""
    body = mail.get_body((kind,))
    assert body is not None
    return cast("EmailMessage", body)


def free_port() -> int:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return int(bound.getsockname()[1])


@contextmanager
def mail_sink(
    port: int | None = None,
    *,
    tls: ssl.SSLContext | None = None,
    from_the_first_word: bool = False,
    login: bool = False,
    user: str = USER,
    password: str = PASSWORD,
    mechanism: str = "",
    unwanted: str = "",
) -> Iterator[tuple[Sink, int]]:
    """Run a mail server on this machine; yield the sink and its port."""
    sink, port = Sink(unwanted, demands_login=login, account=(user, password)), port or free_port()

    def knows(server: Any, session: Any, envelope: Any, mechanism: str, data: LoginPassword) -> AuthResult:
        return AuthResult(success=(data.login, data.password) == (user.encode(), password.encode()), handled=False)

    controller = Controller(
        sink,
        hostname="127.0.0.1",
        port=port,
        ssl_context=tls if from_the_first_word else None,
        tls_context=None if from_the_first_word else tls,
        authenticator=knows if login else None,
        auth_require_tls=False,
        auth_exclude_mechanism=MECHANISMS - {mechanism} if mechanism else {"CRAM-MD5"},
    )
    controller.start()
    try:
        yield sink, port
    finally:
        controller.stop()


@contextmanager
def mute_server(*, drips: bytes = b"") -> Iterator[int]:
    """Run a server that accepts connections and never answers, or drips bytes; yield its port."""
    stopped = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    talk(*server.accept(), drips, stopped)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield int(server.getsockname()[1])
        stopped.set()
        server.shutdown(socket.SHUT_RDWR)
        thread.join(5)


def talk(caller: socket.socket, address: Any, drips: bytes, stopped: threading.Event) -> None:
    """Keep a client waiting until it disconnects."""
    with caller:
        while not stopped.wait(0.05):
            try:
                if drips:
                    caller.sendall(drips)
                elif not caller.recv(1024, socket.MSG_DONTWAIT):
                    return
            except BlockingIOError:
                continue
            except OSError:
                return
