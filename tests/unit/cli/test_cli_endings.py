"""How a command ends: by a signal, at a time limit, in a series, or with an error."""

import os
import signal
from datetime import timedelta

import pytest

from etl.cli.repeat import repeat_run
from etl.cli.run_command import describe_interruption
from etl.cli.ui import signals
from etl.cli.ui.errors import report_error
from etl.cli.ui.options import confirm, parse_duration_option, reject_combination
from etl.cli.ui.signals import StopRequest
from etl.errors import ApiUnavailable, CredentialsRefused, Interrupted, LeaseHeld, UsageError


def test_the_first_signal_stops_after_the_page_and_the_second_quits(monkeypatch: pytest.MonkeyPatch) -> None:
    exits: list[int] = []
    monkeypatch.setattr(os, "_exit", exits.append)
    before = signal.getsignal(signal.SIGTERM)
    with StopRequest() as stop_request, stop_request.limit_time(None) as stop:
        signal.raise_signal(signal.SIGTERM)
        assert (stop.is_set(), stop_request.by_signal, exits) == (True, True, [])
        assert 0 < signal.getitimer(signal.ITIMER_REAL)[0] <= signals.PAGE_GRACE
        signal.raise_signal(signal.SIGINT)
        assert exits == [1]
    assert signal.getsignal(signal.SIGTERM) is before
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_a_page_that_does_not_end_is_canceled(monkeypatch: pytest.MonkeyPatch) -> None:
    exits: list[int] = []
    monkeypatch.setattr(os, "_exit", exits.append)
    with StopRequest() as stop_request:
        with pytest.raises(Interrupted):
            signal.raise_signal(signal.SIGALRM)
        with pytest.raises(Interrupted):  # where the process would have ended
            signal.raise_signal(signal.SIGALRM)
        assert exits == [1]
        assert not stop_request.by_signal
    assert signals.PAGE_GRACE + signals.EXIT_GRACE < 30


def test_a_time_limit_stops_one_run_and_not_the_next() -> None:
    with StopRequest() as stop_request:
        with stop_request.limit_time(0.0001) as stop:
            assert stop.wait(5)
            assert "minute limit" in describe_interruption(stop_request, 0.0001)
        with stop_request.limit_time(None) as stop:
            assert not stop.is_set()
        signal.raise_signal(signal.SIGINT)
        with stop_request.limit_time(1) as stop:
            assert stop.is_set(), "no run starts after a stop request"
            assert "Stopped on request" in describe_interruption(stop_request, 1)


def test_a_series_survives_temporary_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(float(second) for second in range(100))
    monkeypatch.setattr("etl.cli.repeat.time.monotonic", lambda: next(clock))
    stop_request, waits = StopRequest(), list[float]()
    outcomes = [ApiUnavailable(), LeaseHeld(), KeyError("an error of our own"), None]

    def run() -> int:
        if not outcomes:
            stop_request.by_signal = True
            raise Interrupted
        outcome = outcomes.pop(0)
        if outcome is not None:
            raise outcome
        return 6

    monkeypatch.setattr(stop_request.event, "wait", waits.append)
    assert repeat_run(run, timedelta(seconds=10), stop_request) == Interrupted.exit_status
    assert len(waits) == 4
    assert all(0 < wait <= 10 for wait in waits)


def test_a_series_ends_at_an_error_that_needs_action() -> None:
    def run() -> int:
        raise CredentialsRefused

    with pytest.raises(CredentialsRefused):
        repeat_run(run, timedelta(hours=1), StopRequest())


def test_an_error_is_one_line_without_secrets(capsys: pytest.CaptureFixture[str]) -> None:
    assert report_error(UsageError("postgresql://me:hush@host is\x1b[31m odd")) == 2
    message = capsys.readouterr().err
    assert message.startswith("qqetl: ")
    assert message.count("\n") == 1
    assert "hush" not in message
    assert "\x1b" not in message


def test_an_unexpected_error_is_named_without_its_details(capsys: pytest.CaptureFixture[str]) -> None:
    assert report_error(KeyError("jane@example.com")) == 1
    message = capsys.readouterr().err
    assert "KeyError" in message
    assert "jane" not in message


def test_options_that_cannot_be_combined() -> None:
    reject_combination("--every", {"--from": False})
    with pytest.raises(UsageError, match="--every cannot be combined with --from or --to"):
        reject_combination("--every", {"--from": True, "--to": True})
    assert parse_duration_option("--every", "1h") == timedelta(hours=1)
    assert parse_duration_option("--every", None) is None
    for text in ("0", "soon", "1 fortnight"):
        with pytest.raises(UsageError, match="--every"):
            parse_duration_option("--every", text)


def test_without_a_terminal_confirmation_needs_an_option(monkeypatch: pytest.MonkeyPatch) -> None:
    confirm("Delete all?", yes=True)
    monkeypatch.setattr("sys.stdin", None)
    with pytest.raises(UsageError, match="--yes"):
        confirm("Delete all?", yes=False)
