"""A long wait for the database is reported: what is waited for, since when, until when, and how to continue."""

import logging
import re
from collections.abc import Generator
from zoneinfo import ZoneInfo

import pytest

from etl.database import deadline, retry, waits
from etl.database.retry import with_retries
from etl.errors import DatabaseUnavailable


def attempts(number: int) -> list[Exception]:
    """Return the errors of a server that is down for this many attempts."""
    return [DatabaseUnavailable("Connection refused.") for _ in range(number)]


def run(errors: list[Exception]) -> str:
    """Retry work that fails with these errors first."""

    def work() -> str:
        if errors:
            raise errors.pop()
        return "done"

    return with_retries(work)


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "backoff", lambda _: 0.0)


def test_a_long_wait_for_the_database_is_reported(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(waits, "LONG_WAIT", 0.0)
    with caplog.at_level(logging.WARNING):
        assert run(attempts(3)) == "done"
    waiting, over = (record.getMessage() for record in caplog.records)
    assert "waiting for the database" in waiting
    assert re.search(r"since=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", waiting)
    assert "Connection refused" in waiting
    assert "qqetl retry" in waiting
    assert "the database answers again" in over


def test_a_person_reads_the_start_of_the_wait_in_the_zone_of_people(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waits, "LONG_WAIT", 0.0)
    monkeypatch.setattr("etl.local_time.PeopleZone.current", ZoneInfo("America/Phoenix"))
    lines: list[str] = []
    with waits.showing_waits(lines.append):
        assert run(attempts(3)) == "done"
    assert re.search(r"since \d\d:\d\d:\d\d MST: Connection refused\.", lines[0])


def test_a_call_without_an_answer_is_reported(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(waits, "LONG_WAIT", 0.0)
    monkeypatch.setattr(deadline, "LONG_SILENCE", 0.0)

    def call() -> Generator[int, int, str]:
        yield 1
        yield 2
        return "answer"

    with caplog.at_level(logging.WARNING):
        assert list(deadline._with_deadline(call(), 60.0)) == [1, 2]  # type: ignore[arg-type]
    waiting, over = (record.getMessage() for record in caplog.records)
    assert "waiting for the database" in waiting
    assert "no answer" in waiting
    assert "the database answers again" in over


def test_a_short_wait_is_not(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert run(attempts(3)) == "done"
    assert caplog.records == []
