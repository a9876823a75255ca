"""What is shown while a run goes on, from made-up events and a clock that stands where it is put."""

import io

import pytest
from rich.console import Console

from etl.cli.ui.progress import EVERY, Plain, Terminal
from etl.cli.ui.progress_state import Tally
from etl.events import Advanced, Began, Ended, Note

COUNTS = {"fetched": 300, "findings": 2}


class Clock:
    """A clock for tests."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_feed_is_measured_in_records_and_details_in_calls() -> None:
    feed = Tally("contacts", 0.0)
    assert (feed.total, feed.left(1.0)) == (None, None)
    feed.take(Advanced("sync", "contacts", 1, 100, announced=300))
    assert feed.progress(2.0) == "100 of 300 records, 50 a second, 4.0 s left"
    details = Tally("account_info", 0.0)
    details.take(Began("sync", "account_info", calls=40))
    details.take(Advanced("sync", "account_info", 10, 9))
    assert details.progress(5.0) == "10 of 40 calls, 2 a second, 15 s left"
    assert details.progress(600.0) == "10 of 40 calls, 1 a minute, 30 min left"


def test_more_than_announced_never_leaves_a_negative_rest() -> None:
    tally = Tally("contacts", 0.0)
    tally.take(Advanced("sync", "contacts", 1, 50, announced=40))
    assert (tally.total, tally.left(1.0)) == (50, 0.0)


def test_plain_lines_come_at_the_end_and_every_few_seconds() -> None:
    clock, lines = Clock(), list[str]()
    plain = Plain(lines.append, clock)
    plain(Began("sync", "contacts"))
    plain(Advanced("sync", "contacts", 1, 100, announced=300))
    assert lines == []
    clock.now = EVERY
    plain(Advanced("sync", "contacts", 1, 100))
    plain(Advanced("sync", "contacts", 1, 100))
    clock.now = 6.0
    plain(Ended("sync", "contacts", "done", COUNTS))
    plain(Note("waiting\nas asked"))
    assert lines == [
        "contacts          200 of 300 records, 40 a second, 2.5 s left ...",
        "contacts          300 records, 3 calls, 2 findings, 6.0 s",
        "waiting\\nas asked",
    ]


@pytest.mark.parametrize(
    ("state", "words"), [("failed", "failed: the API was away"), ("not_offered", "not offered by this account")]
)
def test_a_bad_end_says_what_it_is(state: str, words: str) -> None:
    lines: list[str] = []
    plain = Plain(lines.append, Clock())
    plain(Began("sync", "claims"))
    plain(Ended("sync", "claims", state, {}, "the API was away"))
    assert lines == [f"claims            {words}"]


def test_a_terminal_keeps_a_line_for_each_resource_and_no_bar() -> None:
    written = io.StringIO()
    console = Console(file=written, force_terminal=True, width=80, color_system=None, markup=False, highlight=False)
    with Terminal(console, 2, Clock()) as terminal:
        terminal(Began("sync", "contacts"))
        terminal(Advanced("sync", "contacts", 1, 300, announced=300))
        terminal(Ended("sync", "contacts", "done", COUNTS))
        terminal(Began("sync", "claims"))
        terminal(Ended("sync", "claims", "failed", {}, "[bold]away"))
    shown = written.getvalue()
    assert "✓ contacts          300 records, 1 call, 2 findings, 0.0 s" in shown
    assert "✗ claims            failed: [bold]away" in shown
    assert "2 of 2, 300 records" in shown


def test_resources_that_are_read_side_by_side_are_told_apart() -> None:
    clock, lines = Clock(), list[str]()
    plain = Plain(lines.append, clock)
    plain(Began("sync", "contacts"))
    plain(Advanced("sync", "contacts", 1, 100, announced=300))
    clock.now = 1.0
    plain(Began("sync", "documents", calls=4))
    plain(Advanced("sync", "documents", 2, 3))
    clock.now = 3.0
    plain(Advanced("sync", "contacts", 2, 200))
    plain(Ended("sync", "documents", "done", {"fetched": 3}))
    plain(Ended("sync", "contacts", "done", {"fetched": 300}))
    assert lines == [
        "documents         3 records, 2 calls, 2.0 s",
        "contacts          300 records, 3 calls, 3.0 s",
    ]


def test_a_terminal_shows_a_bar_for_each_resource_at_work_and_takes_it_away() -> None:
    written = io.StringIO()
    console = Console(file=written, force_terminal=True, width=80, color_system=None, markup=False, highlight=False)
    terminal = Terminal(console, 2, Clock())
    for name in ("contacts", "documents"):
        terminal(Began("sync", name))
        terminal(Advanced("sync", name, 1, 3))
    bars = [str(bar.description).strip() for bar in terminal._bars.tasks]
    assert bars == ["all", "contacts", "documents"]
    terminal(Ended("sync", "contacts", "done", {"fetched": 3}))
    assert [str(bar.description).strip() for bar in terminal._bars.tasks] == ["all", "documents"]
