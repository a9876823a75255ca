"""The forecast of an ordinary account in each way of refusal, from before the first call to the end of a first sync.

The calls are those that the simulator counted. An ordinary account has no enterprise access, and no call that only this
project assumes.
"""

from typing import Any

import pytest
from sites import Site, open_site, serve_agency
from test_second_sync import calls, per_parent

from etl.api.connection import connected
from etl.call_estimate import Estimate
from etl.cli.views.backfill import backfill_to_json
from etl.ledger.transaction import Ledger
from etl.pipeline import Options
from etl.pipeline.doctor.doctor import POLICY, examine, save_offers
from etl.pipeline.doctor.first_plan import plan_next_sync
from etl.pipeline.forecast.forecast import SyncForecast
from etl.pipeline.forecast.read_facts import forecast
from etl.pipeline.plan import plan
from etl.simulator import REFUSALS
from etl.status.status import load_status

#: An agency with prospects, of whom policies name some.
ORDINARY: dict[str, Any] = {"documented_only": True, "offered": (), "contacts": 40, "seed": 3}
#: The calls that an account may make in a minute: a dry run answers within it.
A_MINUTE = 58


def take_number(site: Site) -> int:
    """Return the calls of the API since the last check."""
    number = sum(request.path.startswith("/v1/") for request in site.simulator.requests)
    site.simulator.requests.clear()
    return number


def dry_run(site: Site) -> SyncForecast:
    """Return what `qqetl sync --dry-run` shows, within the calls of a minute."""
    ledger, options = Ledger(site.engine, site.settings.etl_tenant), Options()
    site.simulator.requests.clear()
    with connected(site.settings, engine=site.engine) as api:
        planned = forecast(ledger, site.settings, api, plan(ledger, site.settings, api.now, None, options))
    assert take_number(site) <= A_MINUTE
    return planned


def run_doctor(site: Site) -> SyncForecast:
    """Return the plan with which `qqetl doctor` ends."""
    ledger = Ledger(site.engine, site.settings.etl_tenant)
    with connected(site.settings, engine=site.engine, policy=POLICY) as api:
        examination = examine(site.settings, api)
        planned = plan_next_sync(ledger, site.settings, examination)
        save_offers(ledger, examination.reports)
    assert planned is not None
    assert take_number(site) < 30
    return planned


def is_near(said: Estimate, made: int) -> bool:
    """Return whether a range is within ten percent of a number."""
    return 0.9 * made <= said.low <= said.high <= 1.1 * made


@pytest.mark.parametrize("answer", REFUSALS)
def test_the_forecast_is_true_from_the_first_dry_run_to_the_last_call(
    answer: str, database_url: str, another_database: str
) -> None:
    with serve_agency(undocumented_answer=answer, **ORDINARY) as served:
        with open_site(served, database_url, etl_resources="") as site:
            before_anything = dry_run(site).complete
            assert site.sync_once().exit_status == 0
            made = take_number(site)
            assert before_anything.low <= made <= before_anything.high, "a dry run of an empty database"
            assert before_anything.high < 1.3 * made, "a range that is too wide says nothing"
        with open_site(served, another_database, etl_resources="") as site:
            by_doctor, after_doctor = run_doctor(site).complete, dry_run(site).complete
            assert site.with_settings(etl_child_budget=60).sync_once().exit_status == 0
            begun = take_number(site)
            planned = dry_run(site)
            with site.engine.connect() as connection:
                status = load_status(connection, site.settings.etl_tenant)
            backlog = backfill_to_json(status, site.settings.rate_limit)
            assert site.sync_once().exit_status == 0
            details = len(per_parent(calls_kept(site)))
            rest = take_number(site)
            assert is_near(planned.complete, rest)
            assert 0.9 * details <= backlog["calls_due_low"] <= backlog["calls_due"] <= 1.1 * details
            total = begun + rest
            assert 0.9 * after_doctor.low <= total <= 1.1 * after_doctor.high
            # The doctor tries each call once, and does not count the calls with which a sync makes sure of a failure.
            assert 0.9 * by_doctor.low <= total <= by_doctor.high + 1.5 * A_MINUTE


def calls_kept(site: Site) -> list[tuple[str, str]]:
    """Return path and query of the calls since the last check, which stay to be counted."""
    kept = list(site.simulator.requests)
    made = calls(site)
    site.simulator.requests.extend(kept)
    return made
