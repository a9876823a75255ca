"""The heartbeat: a good end, a bad one, nothing sent along, and a watchdog that does not answer."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from mail_sink import free_port, mute_server

from etl.config.settings import Settings
from etl.errors import ApiUnavailable, DatabaseUnavailable, Interrupted
from etl.notifications import after_run, heartbeat
from etl.notifications.heartbeat import send_heartbeat

SECRET = "0d3c-secret"


class Watchdog(HTTPServer):
    """Keeps what it is asked."""

    def __init__(self, status: int) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.status = status
        self.asked: list[str] = []


class Answers(BaseHTTPRequestHandler):
    """Answers with what the watchdog is to answer."""

    def do_GET(self) -> None:
        assert isinstance(self.server, Watchdog)
        assert self.headers.get("Content-Length") in (None, "0")
        self.server.asked.append(self.path)
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class's name)
        pass


@contextmanager
def watchdog(status: int = 200) -> Iterator[Watchdog]:
    with Watchdog(status) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def settings(port: int) -> Settings:
    return Settings(_env_file=None, etl_heartbeat_url=f"http://127.0.0.1:{port}/ping/{SECRET}?x=1")


def test_a_good_end_a_bad_one_and_what_is_neither() -> None:
    with watchdog() as dog:
        made = settings(dog.server_port)
        after_run(None, made)
        after_run(None, made, whole=False)
        after_run(None, made, ApiUnavailable())
        after_run(None, made, DatabaseUnavailable())
        after_run(None, made, Interrupted())
    good, bad = f"/ping/{SECRET}?x=1", f"/ping/{SECRET}/fail?x=1"
    assert dog.asked == [good, bad, bad, bad]


def test_nobody_is_called_where_no_address_is_set() -> None:
    assert send_heartbeat(Settings(_env_file=None), well=True)


def test_a_watchdog_that_is_away_refuses_or_never_answers_is_logged_without_its_address(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heartbeat, "TIMEOUT_SECONDS", 0.2)
    assert not send_heartbeat(settings(free_port()), well=True)
    with mute_server() as port:
        assert not send_heartbeat(settings(port), well=True)
    with watchdog(500) as dog:
        assert not send_heartbeat(settings(dog.server_port), well=True)
    assert caplog.text.count("heartbeat failed") == 3
    assert SECRET not in caplog.text
