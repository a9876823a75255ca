"""The heartbeat: calls after success and failure, without data, and a monitoring service that does not answer."""

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
    """A monitoring service that records its requests."""

    def __init__(self, status: int) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.status = status
        self.paths: list[str] = []


class Handler(BaseHTTPRequestHandler):
    """Records the path and answers with the status of the server."""

    def do_GET(self) -> None:
        assert isinstance(self.server, Watchdog)
        assert self.headers.get("Content-Length") in (None, "0")
        self.server.paths.append(self.path)
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


def test_success_and_failure_are_reported_and_an_interruption_is_not() -> None:
    with watchdog() as dog:
        with_heartbeat = settings(dog.server_port)
        after_run(None, with_heartbeat)
        after_run(None, with_heartbeat, whole=False)
        after_run(None, with_heartbeat, ApiUnavailable())
        after_run(None, with_heartbeat, DatabaseUnavailable())
        after_run(None, with_heartbeat, Interrupted())
    good, bad = f"/ping/{SECRET}?x=1", f"/ping/{SECRET}/fail?x=1"
    assert dog.paths == [good, bad, bad, bad]


def test_without_a_url_nothing_is_called() -> None:
    assert send_heartbeat(Settings(_env_file=None), well=True)


def test_a_failed_heartbeat_is_logged_without_its_url(
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
