"""The status at a glance: three questions, and what is named where the answer is no."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from etl.cli.views.verdict import StatusAnswer, answer_questions, show_answers
from etl.ledger.children import QueueCoverage
from etl.ledger.notifications.incidents import Incident
from etl.models.states import TroubleKind
from etl.status.status import Freshness, PlaceholderCount, Status
from etl.window import Window

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def fresh(name: str, lag: timedelta | None = timedelta(minutes=3), **more: Any) -> Freshness:
    return Freshness(name, None if lag is None else NOW - lag, lag, **more)


def asked(
    *resources: Freshness, troubles: tuple[Incident, ...] = (), unsent: int = 0, **more: Any
) -> list[StatusAnswer]:
    return answer_questions(Status(NOW, resources, **more), DAY, troubles, unsent)


def test_all_is_well() -> None:
    answers = asked(fresh("contacts"), fresh("claims", timedelta(minutes=1)), fresh("fees", None, offered=False))
    assert [(answer.label, answer.is_good, answer.text) for answer in answers] == [
        ("Current", True, "every resource, within 3 min"),
        ("Complete", True, "no gaps, nothing due"),
        ("Needs you", True, "nothing"),
    ]


def test_what_is_late_is_named_the_latest_first_and_the_rest_counted() -> None:
    late = [fresh(name, timedelta(days=days)) for days, name in enumerate("abcde", start=1)]
    current, _, _ = asked(*late, fresh("new", None))
    assert not current.is_good
    assert current.text == "e 5 d behind; d 4 d behind; c 3 d behind; 1 more behind; 1 resource not read yet"


def test_what_is_lacking_is_named() -> None:
    gap = (Window(NOW - DAY, NOW),)
    outstanding = QueueCoverage(parents=9, covered=2, outstanding=7, oldest_due=None)
    _, complete, _ = asked(
        fresh("contacts", gaps=gap),
        fresh("documents", coverage=outstanding),
        fresh("quotes", None),
        orphans=[PlaceholderCount("policies", 2, NOW)],
    )
    assert not complete.is_good
    assert complete.text == (
        "gaps in contacts; 1 resource never read to its end; 7 calls for details due; 2 placeholders without a record"
    )


def test_a_placeholder_that_waits_is_told_and_is_no_fault() -> None:
    _, complete, _ = asked(fresh("contacts"), orphans=[PlaceholderCount("carriers", 1, NOW)])
    assert (complete.is_good, complete.text) == (True, "no gaps, nothing due; 1 placeholder without a record")


def test_what_needs_a_person_is_named() -> None:
    _, _, needs = asked(
        fresh("claims"), troubles=(Incident(TroubleKind.RESOURCE_FAILED, "claims"), Incident(TroubleKind.STALE)), unsent=2
    )
    assert not needs.is_good
    assert needs.text == "claims failed; data are stale; 2 mails not sent: see `qqetl notices`"


def test_a_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    show_answers(asked(fresh("contacts"), unsent=1))
    assert capsys.readouterr().out.splitlines() == [
        "✓ Current   every resource, within 3 min",
        "✓ Complete  no gaps, nothing due",
        "✗ Needs you 1 mail not sent: see `qqetl notices`",
    ]
