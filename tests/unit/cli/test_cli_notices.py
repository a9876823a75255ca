"""`qqetl notices` for a person: each trouble with its reason on a line of its own, however long that is."""

from datetime import UTC, datetime

import pytest

from etl.cli.commands.notices import NoticeStatus, show_status
from etl.ledger.notifications.incidents import Incident
from etl.models.states import TroubleKind


def test_each_trouble_has_its_reason_below(capsys: pytest.CaptureFixture[str]) -> None:
    since = datetime(2026, 11, 25, 16, 40, tzinfo=UTC)
    why = "More than 10 min behind: " + ", ".join(["account_info"] * 20)
    show_status(NoticeStatus([Incident(TroubleKind.STALE, message=why, opened_at=since, times_seen=3)], []))
    assert capsys.readouterr().out.splitlines() == [
        "✗ data are stale (seen in 3 runs, since 2026-11-25 16:40 UTC)",
        f"  {why}",
    ]


def test_nothing_is_said_in_so_many_words(capsys: pytest.CaptureFixture[str]) -> None:
    show_status(NoticeStatus([], []))
    assert capsys.readouterr().out == "Nothing needs you.\n"
