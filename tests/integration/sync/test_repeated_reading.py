"""Reading without a change notification: billing once a day; and child records of deleted parents."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs

import pytest
from aiohttp import web
from sites import Site, make_children_due, open_site, serve_agency
from snapshots import value, values
from test_interruption import StopAfter
from test_second_sync import calls

from etl.api.connection import connected
from etl.errors import Interrupted
from etl.events import Event, Message
from etl.ledger.transaction import Ledger
from etl.models.states import ResourceState
from etl.pipeline import Options, Watcher, retry
from etl.pipeline.forecast.forecast import Forecast
from etl.pipeline.forecast.read_facts import forecast
from etl.pipeline.plan import plan
from etl.simulator import Simulator
from etl.window import Window

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
BILLING = ("billing_records",)


def set_clock(simulator: Simulator, now: datetime) -> None:
    """Set the time at the source."""
    simulator.server.settings = replace(simulator.server.settings, now=now)


def first_day_asked(site: Site) -> str:
    """Return the first day requested from the billing feed since the last check of the calls."""
    return min(parse_qs(query)["startDate"][0] for path, query in calls(site) if path.startswith("Billing"))


@pytest.mark.fact("billing-filter")
def test_billing_is_read_again_once_a_day_as_no_feed_reports_its_changes(database_url: str) -> None:
    with serve_agency(now=NOON, founded=NOON) as served, open_site(served, database_url) as site:
        assert site.sync_once(resources=BILLING).exit_status == 0
        billing = served.world.billing
        ages = {key: NOON - billing.created(key) for key in billing if not billing[key]["IsVoided"]}
        old = next(key for key, age in ages.items() if timedelta(days=10) < age < timedelta(days=80))
        billing.change(old, None, IsVoided=True)
        voided = f"SELECT is_voided FROM billing_records WHERE source_id = '{str(old).lower()}'"
        site.take_calls()
        for moment, is_voided, back in (
            (NOON + timedelta(hours=6), False, 1),
            (NOON + timedelta(hours=20), True, 91),
            (NOON + timedelta(hours=30), True, 1),
        ):
            set_clock(served, moment)
            assert site.sync_once(resources=BILLING).exit_status == 0
            assert value(site.engine, voided) is is_voided
            first_day = datetime.fromisoformat(first_day_asked(site)).replace(tzinfo=UTC)
            assert abs((moment - first_day).days - back) <= 1


def test_child_records_of_a_deleted_record_are_noted_and_the_run_continues(
    synced: Site, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    ordinary = simulator.server.faults.of_request
    path = value(synced.engine, "SELECT path FROM etl.requests WHERE resource = 'quotes' ORDER BY id LIMIT 1")

    def gone(request: web.Request) -> web.Response | None:
        is_gone = request.path.endswith(path)
        return web.json_response({"Message": "No record."}, status=404) if is_gone else ordinary(request)

    monkeypatch.setattr(simulator.server.faults, "of_request", gone)
    with synced.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE etl.child_queue SET due_at = now() WHERE resource = 'quotes'")
    reported: list[Event] = []
    summary = synced.sync_once(watcher=Watcher(reported.append), resources=("quotes",))
    assert (summary.exit_status, {part.status for part in summary.parts}) == (0, {ResourceState.DONE})
    notes = [item.text for item in reported if isinstance(item, Message)]
    assert notes == ["quotes: 1 of the requested policies no longer exists in QQCatalyst (404)"]


def foreseen(site: Site, *resources: str, limit: int | None = None) -> dict[str, Forecast]:
    """Return the planned calls of a sync of some resources."""
    options, ledger = Options(resources=resources, limit=limit), Ledger(site.engine, site.settings.etl_tenant)
    with connected(site.settings) as api:
        planned = plan(ledger, site.settings, api.now, None, options)
        planned_calls = forecast(ledger, site.settings, api, planned, limit)
    return {item.resource: item for item in planned_calls.resources if not item.is_added}


def test_a_sync_makes_the_planned_calls(site: Site) -> None:
    names = ("contacts", "policies", "locations", "commission_rules")
    planned = foreseen(site, *names)
    site.take_calls()
    assert site.sync_once(resources=names).exit_status == 0
    call_count = len(calls(site))
    assert call_count <= sum(resource_calls.calls for resource_calls in planned.values()) <= call_count + 2


def test_the_plan_of_a_limited_run_is_as_small_as_the_run(site: Site) -> None:
    planned = foreseen(site, limit=3)
    site.take_calls()
    assert site.sync_once(limit=3).exit_status == 0
    assert len(calls(site)) <= sum(resource_calls.calls for resource_calls in planned.values())
    assert planned["contacts"].records == 3
    assert all(resource_calls.calls <= 3 for resource_calls in planned.values())


def test_a_plan_shows_the_urgency_of_child_records(synced: Site) -> None:
    make_children_due(synced)
    quotes = foreseen(synced, "quotes")["quotes"]
    assert quotes.calls == sum(some.calls for some in quotes.waiting) > 0
    assert {some.changed for some in quotes.waiting} == {False}
    assert [some.active for some in quotes.waiting] == sorted((some.active for some in quotes.waiting), reverse=True)


def test_a_day_with_very_many_records_is_read_in_many_pages_and_resumed_at_the_page(database_url: str) -> None:
    """A conversion wrote the whole book in one day, which cannot be split."""
    day = NOON.replace(hour=0)
    with serve_agency(now=NOON + timedelta(days=9), contacts=80) as served, open_site(served, database_url) as site:
        contacts = served.world.contacts
        many = len(contacts)
        for number, key in enumerate(list(contacts)):
            at = day + timedelta(minutes=number)
            contacts.put(key, contacts[key] | {"CreatedOn": at.isoformat()[:19], "DateLastModified": None}, at)
        slow = site.with_settings(etl_page_size=1, etl_concurrency=1, etl_overlap=timedelta(0))
        stop = StopAfter(1)
        with pytest.raises(Interrupted):
            slow.sync_once(Window(day, day + timedelta(days=1)), stop.watcher, resources=("contacts",))
        staged = set(values(site.engine, "SELECT page FROM etl.requests WHERE resource = 'contacts'"))
        assert 0 < len(staged) < many
        site.take_calls()
        assert retry(site.engine, slow.settings).exit_status == 0
        later = {int(parse_qs(query)["pageNumber"][0]) for path, query in calls(site) if path.startswith("Contacts/")}
        assert not staged & later, "no staged page is requested again"
        assert staged | later >= set(range(1, many + 1))
        assert value(site.engine, "SELECT count(*) FROM contacts WHERE NOT is_placeholder") == many
        assert value(site.engine, "SELECT count(*) FROM etl.slices WHERE resource = 'contacts'") == 1
