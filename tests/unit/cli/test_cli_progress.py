"""Progress of a run, from sample events and a manual clock."""

import io
import time

import pytest
from rich.console import Console

from etl.cli.ui.progress import PLAIN_INTERVAL, PlainProgress, TerminalProgress, show_progress
from etl.cli.ui.progress_state import ResourceProgress
from etl.database import waits
from etl.events import Advanced, Finished, Message, Planned, Started

COUNTS = {"fetched": 300, "findings": 2}


class Clock:
    """A clock that a test sets."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_feed_counts_records_and_details_count_calls() -> None:
    feed = ResourceProgress("contacts", 0.0)
    assert (feed.total, feed.seconds_left(1.0)) == (None, None)
    feed.add(Advanced("sync", "contacts", 1, 100, announced=300))
    assert feed.describe(2.0) == "100 of 300 records, 50/s, 4.0 s left"
    details = ResourceProgress("account_info", 0.0)
    details.add(Started("sync", "account_info", calls=40))
    details.add(Advanced("sync", "account_info", 10, 9))
    assert details.describe(5.0) == "10 of 40 calls, 2/s, 15 s left"
    assert details.describe(600.0) == "10 of 40 calls, 1/min, 30 min left"


def test_more_records_than_announced_leave_no_negative_time() -> None:
    tally = ResourceProgress("contacts", 0.0)
    tally.add(Advanced("sync", "contacts", 1, 50, announced=40))
    assert (tally.total, tally.seconds_left(1.0)) == (50, 0.0)


def test_plain_lines_come_at_the_end_and_every_few_seconds() -> None:
    clock, lines = Clock(), list[str]()
    plain = PlainProgress(lines.append, clock)
    plain(Started("sync", "contacts"))
    plain(Advanced("sync", "contacts", 1, 100, announced=300))
    assert lines == []
    clock.now = PLAIN_INTERVAL
    plain(Advanced("sync", "contacts", 1, 100))
    plain(Advanced("sync", "contacts", 1, 100))
    clock.now = 6.0
    plain(Finished("sync", "contacts", "done", COUNTS))
    plain(Message("waiting\nas asked"))
    assert lines == [
        "contacts          200 of 300 records, 40/s, 2.5 s left ...",
        "contacts          300 records, 3 calls, 2 findings, 6.0 s",
        "waiting\\nas asked",
    ]


@pytest.mark.parametrize(
    ("state", "text"), [("failed", "failed: the API was away"), ("not_offered", "not offered by this account")]
)
def test_a_failed_resource_shows_its_reason(state: str, text: str) -> None:
    lines: list[str] = []
    plain = PlainProgress(lines.append, Clock())
    plain(Started("sync", "claims"))
    plain(Finished("sync", "claims", state, {}, "the API was away"))
    assert lines == [f"claims            {text}"]


def test_a_terminal_keeps_a_line_for_each_resource_and_no_bar() -> None:
    output = io.StringIO()
    console = Console(file=output, force_terminal=True, width=80, color_system=None, markup=False, highlight=False)
    with TerminalProgress(console, 2, Clock()) as terminal:
        terminal(Started("sync", "contacts"))
        terminal(Advanced("sync", "contacts", 1, 300, announced=300))
        terminal(Finished("sync", "contacts", "done", COUNTS))
        terminal(Started("sync", "claims"))
        terminal(Finished("sync", "claims", "failed", {}, "[bold]away"))
    shown = output.getvalue()
    assert "✓ contacts          300 records, 1 call, 2 findings, 0.0 s" in shown
    assert "✗ claims            failed: [bold]away" in shown
    assert "2 of 2 done, 300 records" in shown


def test_resources_read_in_parallel_have_separate_counts() -> None:
    clock, lines = Clock(), list[str]()
    plain = PlainProgress(lines.append, clock)
    plain(Started("sync", "contacts"))
    plain(Advanced("sync", "contacts", 1, 100, announced=300))
    clock.now = 1.0
    plain(Started("sync", "documents", calls=4))
    plain(Advanced("sync", "documents", 2, 3))
    clock.now = 3.0
    plain(Advanced("sync", "contacts", 2, 200))
    plain(Finished("sync", "documents", "done", {"fetched": 3}))
    plain(Finished("sync", "contacts", "done", {"fetched": 300}))
    assert lines == [
        "documents         3 records, 2 calls, 2.0 s",
        "contacts          300 records, 3 calls, 3.0 s",
    ]


def test_a_terminal_shows_a_bar_for_each_running_resource() -> None:
    output = io.StringIO()
    console = Console(file=output, force_terminal=True, width=80, color_system=None, markup=False, highlight=False)
    terminal = TerminalProgress(console, 2, Clock())
    for name in ("contacts", "documents"):
        terminal(Started("sync", name))
        terminal(Advanced("sync", name, 1, 3))
    bars = [str(bar.description).strip() for bar in terminal._progress_bars.tasks]
    assert bars == ["resources", "contacts", "documents"]
    terminal(Finished("sync", "contacts", "done", {"fetched": 3}))
    assert [str(bar.description).strip() for bar in terminal._progress_bars.tasks] == ["resources", "documents"]


def test_a_resumed_batch_counts_the_resources_that_had_ended_before() -> None:
    output = io.StringIO()
    console = Console(file=output, force_terminal=True, width=80, color_system=None, markup=False, highlight=False)
    with TerminalProgress(console, 24, Clock()) as terminal:
        terminal(Planned(resources=20, ended=19))
        terminal(Started("sync", "contacts"))
        terminal(Finished("sync", "contacts", "done", COUNTS))
    assert "20 of 20 done" in output.getvalue()
    assert "all" not in output.getvalue()


def test_the_clock_continues_while_nothing_happens() -> None:
    output, clock = io.StringIO(), Clock()
    console = Console(file=output, force_terminal=True, width=80, color_system=None, markup=False, highlight=False)
    with TerminalProgress(console, 2, clock) as terminal:
        terminal(Started("sync", "contacts"))
        terminal(Advanced("sync", "contacts", 1, 300, announced=900))
        clock.now = 75.0
        terminal._progress_bars.refresh()
    assert "0 of 2 done, 300 records, 1 min 15 s" in output.getvalue()


def test_a_wait_for_the_database_is_shown(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(waits, "LONG_WAIT", 0.0)
    with show_progress(2):
        waits.reports.report(time.monotonic(), time.monotonic() + 60, "Connection refused.")
        waits.reports.report_end(answers=True)
    shown = capsys.readouterr().err
    assert "Waiting for the database since" in shown
    assert "Connection refused. Progress is saved. If it does not answer within 60 s" in shown
    assert "`qqetl retry` resumes it" in shown
    assert "The database answers again after 0 s." in shown
