"""Output of `qqetl notices`: each incident, with the reason on the next line."""

from datetime import UTC, datetime

import pytest

from etl.cli.commands.notices import NoticeStatus, show_status
from etl.ledger.notifications.incidents import Incident
from etl.models.states import IncidentKind
from etl.notifications.templates import build_test_message


def test_each_incident_has_its_reason_below(capsys: pytest.CaptureFixture[str]) -> None:
    since = datetime(2026, 11, 25, 16, 40, tzinfo=UTC)
    reason = "More than 10 min behind: " + ", ".join(["account_info"] * 20)
    show_status(NoticeStatus([Incident(IncidentKind.STALE, message=reason, opened_at=since, times_seen=3)], []))
    assert capsys.readouterr().out.splitlines() == [
        "✗ data is stale (seen in 3 runs, since 2026-11-25 16:40 UTC)",
        f"  {reason}",
    ]


def test_a_test_email_names_open_incidents() -> None:
    reason = "The API was away."
    sections = build_test_message("default", [Incident(IncidentKind.RESOURCE_FAILED, "claims", reason)]).sections
    assert [section.heading for section in sections] == ["Test email", "Open incidents:", "What to do:"]
    assert sections[1].points == [f"claims failed: {reason}"]
    assert build_test_message("default").sections[-1].heading == "No open incidents."


def test_no_incident_needs_no_action(capsys: pytest.CaptureFixture[str]) -> None:
    show_status(NoticeStatus([], []))
    assert capsys.readouterr().out == "Action needed: none\n"
