"""Status at a glance: three questions, and the details of a negative answer."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from etl.catalogue.detail_rules import Priority
from etl.cli.views.verdict import StatusAnswer, answer_questions, show_answers
from etl.ledger.children.child_counts import DetailsLeft, DueCalls
from etl.ledger.children.queue import QueueCoverage
from etl.ledger.notifications.incidents import Incident
from etl.models.states import IncidentKind
from etl.status.status import Freshness, PlaceholderCount, Status
from etl.window import Window

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def fresh(name: str, lag: timedelta | None = timedelta(minutes=3), **more: Any) -> Freshness:
    return Freshness(name, None if lag is None else NOW - lag, lag, **more)


def answers(
    *resources: Freshness, incidents: tuple[Incident, ...] = (), unsent: int = 0, **more: Any
) -> list[StatusAnswer]:
    return answer_questions(Status(NOW, resources, **more), DAY, incidents, unsent)


def test_everything_is_fine() -> None:
    all_answers = answers(fresh("contacts"), fresh("claims", timedelta(minutes=1)), fresh("fees", None, offered=False))
    assert [(answer.label, answer.is_good, answer.text) for answer in all_answers] == [
        ("Current", True, "all resources, within 3 min"),
        ("Complete", True, "no gaps, no calls due"),
        ("Action needed", True, "none"),
    ]


def test_late_resources_are_named_and_the_rest_is_counted() -> None:
    names = ("claims", "contacts", "policies", "documents", "quotes")
    late = [fresh(name, timedelta(days=days)) for days, name in enumerate(names, start=1)]
    current, _, _ = answers(*late, fresh("coverages", None))
    assert not current.is_good
    assert current.text == (
        "quotes 5 d behind; documents 4 d behind; policies 3 d behind; 1 more behind; 1 resource not synced yet"
    )


def test_missing_data_is_named() -> None:
    gaps = (Window(NOW - DAY, NOW),)
    coverage = QueueCoverage(parents=9, covered=2, outstanding=7, oldest_due=None)
    due = [DueCalls("documents", Priority.CUSTOMER, True, 4), DueCalls("documents", Priority.CUSTOMER, False, 3)]
    _, complete, _ = answers(
        fresh("contacts", gaps=gaps),
        fresh("documents", details=DetailsLeft("documents", coverage, due)),
        fresh("quotes", None),
        orphans=[PlaceholderCount("policies", 2, NOW)],
    )
    assert not complete.is_good
    assert complete.text == (
        "gaps in contacts; 1 resource has never been fully synced; 7 calls for details due; "
        "2 placeholders without a record"
    )


def test_a_placeholder_is_reported_and_is_no_error() -> None:
    _, complete, _ = answers(fresh("contacts"), orphans=[PlaceholderCount("carriers", 1, NOW)])
    assert (complete.is_good, complete.text) == (True, "no gaps, no calls due; 1 placeholder without a record")


def test_needed_actions_are_named() -> None:
    _, _, action = answers(
        fresh("claims"),
        incidents=(Incident(IncidentKind.RESOURCE_FAILED, "claims"), Incident(IncidentKind.STALE)),
        unsent=2,
    )
    assert not action.is_good
    assert action.text == "claims failed; data is stale; 2 emails not sent: see `qqetl notices`"


def test_answers_are_printed_one_per_line(capsys: pytest.CaptureFixture[str]) -> None:
    show_answers(answers(fresh("contacts"), unsent=1))
    assert capsys.readouterr().out.splitlines() == [
        "✓ Current        all resources, within 3 min",
        "✓ Complete       no gaps, no calls due",
        "✗ Action needed  1 email not sent: see `qqetl notices`",
    ]
