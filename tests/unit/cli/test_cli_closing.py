"""Summary, balance and plan, from sample batches."""

import json
from dataclasses import replace
from uuid import UUID

import pytest

from etl.call_estimate import Estimate
from etl.catalogue.detail_rules import Priority
from etl.cli.ui.terminal import format_json
from etl.cli.views.balance import find_failures, format_balance
from etl.cli.views.call_time import describe_details, describe_total
from etl.cli.views.forecast import forecasts_to_json, show_forecast
from etl.cli.views.summary import (
    format_headline,
    has_changes,
    show_balance,
    show_failures,
    show_summary,
    summary_to_json,
)
from etl.config.rate_limit import parse_rate_limit
from etl.ledger.batches import Batch, BatchResource
from etl.ledger.children.child_counts import DetailsLeft, DueCalls
from etl.ledger.children.queue import QueueCoverage
from etl.models.states import BatchState, Outcome, ResourceState
from etl.pipeline import Summary
from etl.pipeline.forecast.forecast import Forecast, Sampled, SyncForecast
from etl.window import Window

WINDOW = Window.of({"start_date": "2026-01-01", "end_date": "2026-02-01"})
ZERO = {"pages": 0, "fetched": 0, "findings": 0, **{outcome.value: 0 for outcome in Outcome}}


def part(
    name: str, status: ResourceState = ResourceState.DONE, error: str | None = None, **counts: int
) -> BatchResource:
    return BatchResource(name, status, WINDOW, ZERO | counts, fully_read=True, complete=True, error=error)


def summary(*parts: BatchResource, tables: dict[str, dict[str, int]] | None = None) -> Summary:
    done = all(part.status is not ResourceState.FAILED for part in parts)
    state = BatchState.COMPLETED if done else BatchState.FAILED
    batch = Batch(UUID(int=7), "default", WINDOW, state, "rules", "sync")
    return Summary(batch, parts, tables or {}, seconds=2.0, calls=10)


BALANCED = part("one", fetched=5, inserted=4, unchanged=1)
LOST = part("two", ResourceState.FAILED, "3 records were fetched and 2 accounted for", fetched=3, inserted=2)
ABSENT = part("three", ResourceState.NOT_OFFERED)


def test_the_balance_names_counts_other_than_zero() -> None:
    assert format_balance(BALANCED.counts) == "4 inserted + 1 unchanged"
    assert format_balance(ZERO) == "0"
    assert format_balance(ZERO | {"outside_window": 2000}) == "2,000 outside window"


def test_a_resource_that_is_not_offered_is_no_failure() -> None:
    assert find_failures([BALANCED, LOST, ABSENT]) == [("two", "3 records were fetched and 2 accounted for")]


def test_a_summary_names_what_is_still_to_be_read(capsys: pytest.CaptureFixture[str]) -> None:
    show_summary(summary(BALANCED, replace(BALANCED, resource="quotes", complete=False), ABSENT))
    shown = capsys.readouterr().out
    assert "Up to date" not in shown
    assert "Finished the calls that were due (took 2.0 s).\nCovered 2026-01-01 to 2026-02-01." in shown
    assert "Still to be read: quotes; see `qqetl status`." in shown


def test_summary_of_a_successful_run(capsys: pytest.CaptureFixture[str]) -> None:
    show_summary(
        summary(
            BALANCED, ABSENT, tables={"one": {"inserted": 4, "updated": 0, "unchanged": 1, "deleted": 0, "revived": 0}}
        )
    )
    shown = capsys.readouterr().out
    assert "Up to date with QQCatalyst (took 2.0 s).\nCovered 2026-01-01 to 2026-02-01." in shown
    assert "Fetched 5 records in 10 API calls (5 calls/s)" in shown
    assert "✓ 5 fetched = 4 inserted + 1 unchanged" in shown
    assert "Not offered by this account: three" in shown
    assert "Inserted" in shown
    assert "Deleted" not in shown, "a column of zeros is left out"
    assert max(map(len, shown.splitlines())) <= 80


def test_summary_of_a_failed_run_names_the_next_command(capsys: pytest.CaptureFixture[str]) -> None:
    failed = summary(BALANCED, LOST)
    show_summary(failed)
    shown = capsys.readouterr().out
    assert format_headline(failed) == "Finished in 2.0 s, but 1 resource failed"
    assert "✗ two: 3 records were fetched and 2 accounted for" in shown
    assert "qqetl retry 00000000" in shown
    assert failed.exit_status == 6


def test_unchanged_rows_do_not_count_as_written(capsys: pytest.CaptureFixture[str]) -> None:
    unchanged = summary(BALANCED, tables={"one": {"inserted": 0, "unchanged": 5}})
    assert not has_changes(unchanged)
    show_summary(unchanged)
    assert "Nothing was written: production is already up to date." in capsys.readouterr().out


@pytest.mark.parametrize("other", [replace(BALANCED, resource="quotes", complete=False), LOST])
def test_production_is_not_called_up_to_date_while_something_is_missing(
    other: BatchResource, capsys: pytest.CaptureFixture[str]
) -> None:
    show_summary(summary(BALANCED, other))
    shown = capsys.readouterr().out
    assert "Nothing was written.\n" in shown
    assert "up to date" not in shown.lower()


def test_findings_are_counted_as_the_command_lists_them(capsys: pytest.CaptureFixture[str]) -> None:
    show_summary(replace(summary(part("one", fetched=5, inserted=5, findings=74)), open_findings=43))
    assert "  74 findings in this run, 43 open: see `qqetl findings --open`" in capsys.readouterr().out


def test_a_run_names_the_interrupted_batch_that_it_includes(capsys: pytest.CaptureFixture[str]) -> None:
    before, after = (
        summary(BALANCED, tables={"one": {"inserted": 4}}),
        summary(BALANCED, tables={"one": {"inserted": 1}}),
    )
    whole = after.after(before)
    assert (whole.seconds, whole.calls, whole.parts[0].counts["fetched"]) == (4.0, 20, 10)
    assert whole.tables == {"one": {"inserted": 5}}
    show_balance(whole)
    show_failures(whole)
    shown = capsys.readouterr().out
    assert "10 fetched = 8 inserted + 2 unchanged" in shown
    assert "Includes the interrupted batch 00000000" in shown


def test_a_sample_is_not_up_to_date() -> None:
    whole = summary(BALANCED)
    sampled = replace(whole, batch=replace(whole.batch, options={"limit": 20}))
    assert format_headline(sampled) == "Read a sample of about 20 records of each resource (took 2.0 s)."


def test_summary_as_json() -> None:
    document = json.loads(format_json(summary_to_json(summary(BALANCED, LOST))))
    assert (document["status"], document["exit_status"], document["calls"]) == ("failed", 6, 10)
    assert [resource["balanced"] for resource in document["resources"]] == [True, False]
    assert document["resources"][0]["counts"]["inserted"] == 4


def test_a_plan_ends_with_the_time_until_it_is_useful_and_complete(capsys: pytest.CaptureFixture[str]) -> None:
    forecasts = [
        Forecast("contacts", WINDOW, 30, 15_000),
        Forecast("policies", WINDOW, 86, 43_000),
        Forecast("quotes", WINDOW, 9_000, fewest=8_000, deferred=5),
        Forecast("drivers", WINDOW, note="needs enterprise access"),
        Forecast("documents", WINDOW, 5_800, is_added=True),
    ]
    plan = SyncForecast(forecasts, [Sampled("policies", 5_000, 43_000)])
    show_forecast(plan, parse_rate_limit("58/60s"))
    shown = capsys.readouterr().out
    # 116 calls are two windows of 58, and the calls of the first need not wait; 8,116 are 140 windows, 9,116 are 158.
    assert "useful database after  116 calls, 1 min" in shown
    assert "(contacts and policies)" in shown
    assert "complete after         8,116 to 9,116 calls, 2 h 19 min to 2 h 37 min" in shown
    assert "An estimate from 5,000 of 43,000 records of policies" in shown
    assert "drivers: needs enterprise access" in shown
    assert "ETL_RESOURCES=+documents would add 5,800 calls, 1 h 39 min." in shown
    assert "Over ETL_CHILD_BUDGET and left for later runs: 5 calls." in shown
    assert "8,000 to 9,000" in shown
    show_forecast(plan, parse_rate_limit("off"))
    assert "no call limit is set" in capsys.readouterr().out


def test_a_plan_without_a_call_limit_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    show_forecast(SyncForecast([Forecast("contacts", WINDOW, 30, 15_000)]), parse_rate_limit("off"))
    assert "\nWithout a call limit:\n" in capsys.readouterr().out


def test_a_plan_as_json_names_both_ends_of_a_range() -> None:
    forecasts = [Forecast("contacts", WINDOW, 30, 15_000), Forecast("quotes", WINDOW, 90, fewest=60)]
    document = forecasts_to_json(SyncForecast(forecasts), parse_rate_limit("30/60s"))
    assert (document["calls_low"], document["calls"], document["seconds_low"], document["seconds"]) == (
        90,
        120,
        120,
        180,
    )
    assert document["plan"]["useful"] == {"calls_low": 30, "calls": 30, "seconds_low": 0, "seconds": 0}
    assert [(entry["resource"], entry["at_most"]) for entry in document["resources"]] == [
        ("contacts", False),
        ("quotes", True),
    ]


@pytest.mark.parametrize(
    ("limit", "of_quotes", "in_all"),
    [
        ("58/60s", "quotes: 2 of 9 read; 116 calls left, 1 min",
         "All details: 116 calls left, 1 min at 58 calls a minute."),
        ("off", "quotes: 2 of 9 read; 116 calls left", "All details: 116 calls left; no call limit is set."),
    ],
)  # fmt: skip
def test_details_that_are_left_are_counted_with_their_time(limit: str, of_quotes: str, in_all: str) -> None:
    left = DetailsLeft(
        "quotes", QueueCoverage(9, 2, 7, None), [DueCalls("quotes", Priority.SAMPLE, changed=True, calls=116)]
    )
    assert describe_details(left, parse_rate_limit(limit)) == of_quotes
    assert describe_total(Estimate(116, 116), parse_rate_limit(limit)) == in_all
