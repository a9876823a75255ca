"""The mail server: the emails sent, TLS and login, timeouts, and error messages without addresses."""

import asyncio
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from aiosmtplib import SMTPResponseException
from certificates import certificate
from mail_sink import PASSWORD, USER, Sink, free_port, mail_sink, mute_server

from etl.config.settings import Settings
from etl.errors import MailFailed, MailServerFailed
from etl.ledger.notifications import outbox
from etl.ledger.notifications.outbox import Mail
from etl.models.states import MailKind
from etl.notifications import mail_server as subject
from etl.notifications.mail_server import MailServer, build_email, send_one

LOGIN = f"{USER}:p%40ss%20word"


def settings(address: str, **more: Any) -> Settings:
    return Settings(
        _env_file=None,
        etl_smtp_url=address,
        etl_mail_from="qqetl@example.com",
        etl_mail_to="one@example.com, two@example.com",
        **more,
    )


def mail(kind: MailKind = MailKind.TROUBLE, name: str = "qqetl default: the run failed") -> Mail:
    return outbox.build_email(kind, name, "Plain: größer\n", "<p>HTML</p>\n")


def post(address: str, **more: Any) -> None:
    mail_settings = settings(address, **more)
    asyncio.run(send_one(mail_settings, mail()))


def test_an_email_arrives_as_text_and_html_with_its_headers() -> None:
    with mail_sink() as (sink, port):
        post(f"smtp://127.0.0.1:{port}")
    (arrived,) = sink.mails
    assert sink.subjects == ["qqetl default: the run failed"]
    assert arrived["From"] == "qqetl@example.com"
    assert sink.recipients == [["one@example.com", "two@example.com"]]
    assert arrived["Auto-Submitted"] == "auto-generated"
    assert str(arrived["Message-ID"]).endswith("@example.com>")
    assert (sink.text().strip(), sink.html().strip()) == ("Plain: größer", "<p>HTML</p>")


def test_the_digest_goes_to_its_own_recipients() -> None:
    mail_settings = settings("smtp://127.0.0.1", etl_digest_to="agency@example.com")
    assert build_email(mail_settings, mail(MailKind.DIGEST))["To"] == "agency@example.com"
    assert build_email(mail_settings, mail())["To"] == "one@example.com, two@example.com"


def test_the_library_refuses_a_subject_with_a_line_break() -> None:
    with pytest.raises(ValueError, match=r"linefeed|newline"):
        build_email(settings("smtp://127.0.0.1"), mail(name="x\r\nBcc: everybody@example.com"))


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("smtp://mail.example.com", ("mail.example.com", 587, False, True)),
        ("smtp://mail.example.com:25?tls=off", ("mail.example.com", 25, False, False)),
        ("smtps://mail.example.com", ("mail.example.com", 465, True, False)),
        ("smtp://127.0.0.1:25", ("127.0.0.1", 25, False, False)),
        ("smtp://localhost?tls=on", ("localhost", 587, False, True)),
        ("smtp://localhost.example.com", ("localhost.example.com", 587, False, True)),
    ],
)
def test_tls_is_required_by_default_except_on_this_machine(address: str, expected: tuple[Any, ...]) -> None:
    server = MailServer.from_url(address)
    assert (server.host, server.port, server.implicit_tls, server.starttls) == expected


@pytest.mark.parametrize("implicit_tls", [True, False])
def test_a_user_logs_in_over_verified_tls(implicit_tls: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tls, public = certificate(tmp_path)
    address = f"smtps://{LOGIN}@127.0.0.1:{{}}" if implicit_tls else f"smtp://{LOGIN}@127.0.0.1:{{}}?tls=on"
    with mail_sink(tls=tls, from_the_first_word=implicit_tls, login=True) as (sink, port):
        with pytest.raises(MailServerFailed, match="SSL_CERT_FILE"):
            post(address.format(port))
        monkeypatch.setenv("SSL_CERT_FILE", str(public))
        post(address.format(port))
    assert len(sink.mails) == 1


def failure(address: str) -> str:
    with pytest.raises(MailFailed) as caught:
        post(address)
    assert caught.value.__cause__ is None
    return str(caught.value)


def test_o1_a_server_that_does_not_listen_cannot_be_reached() -> None:
    assert "cannot be reached" in failure(f"smtp://127.0.0.1:{free_port()}")


def test_o1_a_server_that_never_answers_or_sends_byte_by_byte_times_out(monkeypatch: pytest.MonkeyPatch) -> None:
    assert subject.TIMEOUT_SECONDS == 10
    monkeypatch.setattr(subject, "TIMEOUT_SECONDS", 0.5)
    for drips in (b"", b"2"):
        with mute_server(drips=drips) as port:
            began = time.monotonic()
            with pytest.raises(MailServerFailed):
                post(f"smtp://127.0.0.1:{port}")
            assert time.monotonic() - began < 5


def test_o1_a_server_without_starttls_gets_neither_email_nor_password() -> None:
    with mail_sink() as (sink, port):
        message = failure(f"smtp://{LOGIN}@127.0.0.1:{port}?tls=on")
    assert "STARTTLS" in message
    assert sink.mails == []


@pytest.mark.parametrize("password", ["p\u00e4ss", "\u043f\u0430\u0440\u043e\u043b\u044c", "p\u00e4ss %@/"])
@pytest.mark.parametrize("implicit_tls", [False, True])
def test_a_password_of_any_letters_is_sent_as_utf_8(
    password: str, implicit_tls: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RFC 4616: user name and password are UTF-8."""
    tls, authority = certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    with mail_sink(tls=tls, from_the_first_word=implicit_tls, login=True, password=password) as (sink, port):
        post(f"{'smtps' if implicit_tls else 'smtp'}://{USER}:{quote(password, safe='')}@127.0.0.1:{port}")
    assert len(sink.mails) == 1


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN", "CRAM-MD5"])
def test_every_mechanism_sends_utf_8(mechanism: str) -> None:
    """RFC 4616 (PLAIN), RFC 2195 (CRAM-MD5), and LOGIN, which sends the same two texts one after the other."""
    user, password = "d\u00e4na", "p\u00e4ss"
    with mail_sink(login=True, user=user, password=password, mechanism=mechanism) as (sink, port):
        post(f"smtp://{quote(user)}:{quote(password)}@127.0.0.1:{port}")
        assert "ETL_SMTP_URL (535)" in failure(f"smtp://{quote(user)}:other@127.0.0.1:{port}")
    assert len(sink.mails) == 1


def test_o1_a_rejected_login_is_reported_without_the_password() -> None:
    with mail_sink(login=True) as (sink, port):
        message = failure(f"smtp://{USER}:wrong-password@127.0.0.1:{port}")
        post(f"smtp://{LOGIN}@127.0.0.1:{port}")
    assert "ETL_SMTP_URL (535)" in message
    assert "wrong" not in message
    assert PASSWORD not in message
    assert len(sink.mails) == 1


def test_o1_a_refused_recipient_is_reported_without_the_address() -> None:
    with mail_sink(unwanted="example.com") as (_, port):
        assert failure(f"smtp://127.0.0.1:{port}").endswith("refused every recipient.")
    with mail_sink(unwanted="two@") as (sink, port):
        assert "only some recipients (1 refused)" in failure(f"smtp://127.0.0.1:{port}")
    assert sink.recipients == [["one@example.com"]]


def test_o1_a_refused_email_is_reported_with_its_code(monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(self: Sink, *_: object) -> str:
        return "554 no, not for one@example.com"

    monkeypatch.setattr(Sink, "handle_DATA", refuse)
    with mail_sink() as (_, port):
        assert failure(f"smtp://127.0.0.1:{port}").endswith("returned an error (554).")


def test_errors_of_the_library_are_reported_in_our_own_words() -> None:
    quoting = SMTPResponseException(550, "jane@example.com is not known")
    assert "jane" not in subject.failure_reason(quoting)
    assert subject.failure_reason(TimeoutError()) == "did not answer within 10 s"
