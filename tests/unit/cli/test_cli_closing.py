"""The closing summary and the balance sheet, from made-up batches."""

import json
from dataclasses import replace
from uuid import UUID

import pytest

from etl.cli.views.balance_sheet import failures, formula
from etl.cli.views.forecast import show_forecast
from etl.cli.views.summary import headline, show_summary, summary_for_programs, wrote
from etl.ledger.batches import Batch, Part
from etl.models.states import BatchState, Outcome, ResourceState
from etl.pipeline import Summary
from etl.pipeline.forecast import Forecast, within_budget
from etl.window import Window

WINDOW = Window.of({"start_date": "2026-01-01", "end_date": "2026-02-01"})
ZERO = {"pages": 0, "fetched": 0, "findings": 0, **{outcome.value: 0 for outcome in Outcome}}


def part(name: str, status: ResourceState = ResourceState.DONE, error: str | None = None, **counts: int) -> Part:
    return Part(name, status, WINDOW, ZERO | counts, whole=True, error=error)


def summary(*parts: Part, tables: dict[str, dict[str, int]] | None = None) -> Summary:
    done = all(one.status is not ResourceState.FAILED for one in parts)
    state = BatchState.COMPLETED if done else BatchState.FAILED
    batch = Batch(UUID(int=7), "default", WINDOW, state, "rules", "sync")
    return Summary(batch, parts, tables or {}, seconds=2.0, calls=10)


GOOD = part("one", fetched=5, inserted=4, unchanged=1)
LOST = part("two", ResourceState.FAILED, "3 records were fetched and 2 accounted for", fetched=3, inserted=2)
ABSENT = part("three", ResourceState.NOT_OFFERED)


def test_the_formula_names_what_is_not_zero() -> None:
    assert formula(GOOD.counts) == "4 inserted + 1 unchanged"
    assert formula(ZERO) == "0"
    assert formula(ZERO | {"outside_window": 2000}) == "2,000 outside window"


def test_what_is_not_offered_is_no_failure() -> None:
    assert failures([GOOD, LOST, ABSENT]) == [("two", "3 records were fetched and 2 accounted for")]


def test_a_good_end(capsys: pytest.CaptureFixture[str]) -> None:
    show_summary(
        summary(GOOD, ABSENT, tables={"one": {"inserted": 4, "updated": 0, "unchanged": 1, "deleted": 0, "revived": 0}})
    )
    shown = capsys.readouterr().out
    assert "In step with QQCatalyst after 2.0 s: 2026-01-01 00:00 to 2026-02-01 00:00 UTC" in shown
    assert "5 records came in 10 calls, 5 a second" in shown
    assert "✓ 5 fetched = 4 inserted + 1 unchanged" in shown
    assert "not offered by this account: three" in shown
    assert "Inserted" in shown
    assert "Deleted" not in shown, "a column of zeros says nothing"
    assert max(map(len, shown.splitlines())) <= 80


def test_a_bad_end_names_the_cure(capsys: pytest.CaptureFixture[str]) -> None:
    ended = summary(GOOD, LOST)
    show_summary(ended)
    shown = capsys.readouterr().out
    assert headline(ended) == "The run ended after 2.0 s, but 1 resource did not end well"
    assert "✗ two: 3 records were fetched and 2 accounted for" in shown
    assert "qqetl retry 00000000" in shown
    assert ended.exit_status == 6


def test_unchanged_rows_are_not_written_ones(capsys: pytest.CaptureFixture[str]) -> None:
    same = summary(GOOD, tables={"one": {"inserted": 0, "unchanged": 5}})
    assert not wrote(same)
    show_summary(same)
    assert "Nothing was written" in capsys.readouterr().out


def test_programs_get_the_same() -> None:
    read = json.loads(json.dumps(summary_for_programs(summary(GOOD, LOST))))
    assert (read["status"], read["exit_status"], read["calls"]) == ("failed", 6, 10)
    assert [one["balanced"] for one in read["resources"]] == [True, False]
    assert read["resources"][0]["counts"]["inserted"] == 4


def test_calls_beyond_the_budget_are_put_off_and_each_resource_has_its_share() -> None:
    contacts, account = Forecast("contacts", WINDOW, 3), Forecast("account_info", WINDOW, 8)
    asked = [contacts, account, Forecast("quotes", WINDOW, 8)]
    assert [(one.calls, one.put_off) for one in within_budget(asked, 10)] == [(3, 0), (5, 3), (5, 3)]
    assert [one.calls for one in within_budget([contacts, replace(account, calls=1), *asked[2:]], 10)] == [3, 1, 8]
    assert list(within_budget(asked, None)) == asked


def test_a_plan_says_what_it_comes_to(capsys: pytest.CaptureFixture[str]) -> None:
    asked = [Forecast("contacts", WINDOW, 30, 15000), Forecast("quotes", WINDOW, 90, at_most=True, put_off=5)]
    show_forecast(asked, 10.0)
    shown = capsys.readouterr().out
    assert "In all at most 120 calls, 12 s at 600 calls a minute." in shown
    assert "5 calls beyond ETL_CHILD_BUDGET" in shown
    assert "15,000" in shown
    assert "≤ 90" in shown
    show_forecast(asked, 0.0)
    assert "as fast as the API answers" in capsys.readouterr().out
