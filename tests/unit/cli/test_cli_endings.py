"""How a command ends: asked by a signal, by time, in a series, or with an error."""

import os
import signal
from datetime import timedelta

import pytest

from etl.cli.repeat import repeat_run
from etl.cli.run_command import describe_interruption
from etl.cli.ui import signals
from etl.cli.ui.errors import report_error
from etl.cli.ui.options import confirm, parse_duration, reject_combination
from etl.cli.ui.signals import StopRequest
from etl.errors import ApiUnavailable, CredentialsRefused, Interrupted, LeaseHeld, UsageError


def test_the_first_signal_asks_and_the_second_ends_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[int] = []
    monkeypatch.setattr(os, "_exit", ended.append)
    before = signal.getsignal(signal.SIGTERM)
    with StopRequest() as ear, ear.limit_time(None) as stop:
        signal.raise_signal(signal.SIGTERM)
        assert (stop.is_set(), ear.by_signal, ended) == (True, True, [])
        assert 0 < signal.getitimer(signal.ITIMER_REAL)[0] <= signals.PAGE_GRACE
        signal.raise_signal(signal.SIGINT)
        assert ended == [1]
    assert signal.getsignal(signal.SIGTERM) is before
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_a_page_that_does_not_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[int] = []
    monkeypatch.setattr(os, "_exit", ended.append)
    with StopRequest() as ear:
        with pytest.raises(Interrupted):
            signal.raise_signal(signal.SIGALRM)
        with pytest.raises(Interrupted):  # where the process would have ended
            signal.raise_signal(signal.SIGALRM)
        assert ended == [1]
        assert not ear.by_signal
    assert signals.PAGE_GRACE + signals.EXIT_GRACE < 30


def test_minutes_that_are_over_end_one_run_and_not_the_next() -> None:
    with StopRequest() as ear:
        with ear.limit_time(0.0001) as stop:
            assert stop.wait(5)
            assert "are over" in describe_interruption(ear, 0.0001)
        with ear.limit_time(None) as stop:
            assert not stop.is_set()
        signal.raise_signal(signal.SIGINT)
        with ear.limit_time(1) as stop:
            assert stop.is_set(), "who asked for an end gets no further run"
            assert "asked to stop" in describe_interruption(ear, 1)


def test_a_series_outlives_what_passes_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(float(second) for second in range(100))
    monkeypatch.setattr("etl.cli.repeat.time.monotonic", lambda: next(clock))
    ear, waits = StopRequest(), list[float]()
    fates = [ApiUnavailable(), LeaseHeld(), KeyError("a fault of our own"), None]

    def run() -> int:
        if not fates:
            ear.by_signal = True
            raise Interrupted
        fate = fates.pop(0)
        if fate is not None:
            raise fate
        return 6

    monkeypatch.setattr(ear.event, "wait", waits.append)
    assert repeat_run(run, timedelta(seconds=10), ear) == Interrupted.exit_status
    assert len(waits) == 4
    assert all(0 < wait <= 10 for wait in waits)


def test_a_series_ends_where_a_person_is_needed() -> None:
    def run() -> int:
        raise CredentialsRefused

    with pytest.raises(CredentialsRefused):
        repeat_run(run, timedelta(hours=1), StopRequest())


def test_an_error_is_one_line_without_secrets(capsys: pytest.CaptureFixture[str]) -> None:
    assert report_error(UsageError("postgresql://me:hush@host is\x1b[31m odd")) == 2
    said = capsys.readouterr().err
    assert said.startswith("qqetl: ")
    assert said.count("\n") == 1
    assert "hush" not in said
    assert "\x1b" not in said


def test_an_error_of_our_own_is_told_and_its_details_redacted(capsys: pytest.CaptureFixture[str]) -> None:
    assert report_error(KeyError("jane@example.com")) == 1
    said = capsys.readouterr().err
    assert "KeyError" in said
    assert "jane" not in said


def test_options_that_contradict_one_another() -> None:
    reject_combination("--every", {"--from": False})
    with pytest.raises(UsageError, match="--every cannot be combined with --from or --to"):
        reject_combination("--every", {"--from": True, "--to": True})
    assert parse_duration("--every", "1h") == timedelta(hours=1)
    assert parse_duration("--every", None) is None
    for words in ("0", "soon", "1 fortnight"):
        with pytest.raises(UsageError, match="--every"):
            parse_duration("--every", words)


def test_nobody_to_ask_is_a_no(monkeypatch: pytest.MonkeyPatch) -> None:
    confirm("Delete all?", yes=True)
    monkeypatch.setattr("sys.stdin", None)
    with pytest.raises(UsageError, match="--yes"):
        confirm("Delete all?", yes=False)
