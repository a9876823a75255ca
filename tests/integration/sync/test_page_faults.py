"""Pages that shift, miscount and repeat, and records with unusual ids, times and fields, over real sockets."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import Any
from urllib.parse import parse_qs

import pytest
from aiohttp import web
from sites import Site, open_site, serve_agency, set_faults
from snapshots import differences, digest, pairs, value, values
from source_changes import edit, living_contact
from test_second_sync import calls

from etl.events import Event, Message
from etl.extract import reader
from etl.models.states import ResourceState
from etl.pipeline import Summary, Watcher
from etl.simulator import Simulator
from etl.window import FIRST_INSTANT, Window

CONTACTS = ("contacts",)
PAGE = 3
#: The id of a contact that does not exist.
NEWCOMER = 10**6


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    """Give the agency of this module."""
    with serve_agency() as served:
        yield served


def part_of(summary: Summary, name: str) -> Any:
    """Return the batch entry of a resource."""
    return next(part for part in summary.parts if part.resource == name)


def read(site: Site, simulator: Simulator, *faults: str, **settings: Any) -> Any:
    """Sync only the contacts in small pages under faults, and return how the resource ended."""
    set_faults(simulator, *faults)
    try:
        return part_of(site.with_settings(etl_page_size=PAGE, **settings).sync_once(resources=CONTACTS), "contacts")
    finally:
        set_faults(simulator)


def names(site: Site) -> set[str]:
    """Return the source ids of the contacts that are not placeholders."""
    return set(values(site.engine, "SELECT source_id FROM contacts WHERE NOT is_placeholder"))


def known(simulator: Simulator) -> set[str]:
    return set(map(str, simulator.world.contacts))


@pytest.mark.fact("record-order")
def test_a_record_on_two_pages_is_one_row_and_one_duplicate(site: Site, simulator: Simulator) -> None:
    part = read(site, simulator, "duplicate-records:1")
    pages = -(-len(simulator.world.contacts) // PAGE)
    assert part.status is ResourceState.DONE
    assert part.counts["duplicate"] >= pages
    assert part.counts["fetched"] - part.counts["duplicate"] == len(simulator.world.contacts)
    assert names(site) == known(simulator)
    assert value(site.engine, "SELECT count(*) FROM raw.raw_contacts") == len(simulator.world.contacts)


def test_records_that_move_between_pages_are_complete_after_two_runs(
    database_url: str, another_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One record leaves the first page and another is added at the end: the same total, but one record moves."""
    with (
        serve_agency() as drifting,
        open_site(drifting, database_url) as site,
        open_site(drifting, another_database) as quiet,
    ):
        world, ordinary = drifting.world, drifting.server.faults.of_request
        moved: list[int | str] = []

        def drift(request: web.Request) -> web.Response | None:
            feed = request.path.endswith("Contacts/LastModifiedCreated")
            if feed and request.query.get("pageNumber") == "2" and not moved:
                with drifting.lock:
                    first = next(iter(world.contacts))
                    moved.append(first)
                    at = drifting.server.now() - timedelta(minutes=1)
                    written = {"EntityID": NEWCOMER, "CreatedOn": at.isoformat()[:19], "DateLastModified": None}
                    world.contacts.put(NEWCOMER, world.contacts[first] | written, at)
                    world.contacts.drop(first)
            return ordinary(request)

        monkeypatch.setattr(drifting.server.faults, "of_request", drift)
        slow = site.with_settings(etl_page_size=PAGE, etl_concurrency=1)
        slow.sync_once(resources=CONTACTS)
        monkeypatch.undo()
        assert moved
        assert slow.sync_once(resources=CONTACTS).exit_status == 0
        assert known(drifting) <= names(site)
        quiet.sync_once(resources=CONTACTS)
        assert names(quiet) == known(drifting)


def test_an_empty_window_is_complete(site: Site) -> None:
    """The first page is empty: no record, no error."""
    window = Window(datetime(2001, 1, 1, tzinfo=UTC), datetime(2001, 1, 2, tzinfo=UTC))
    part = part_of(site.sync_once(window, resources=CONTACTS), "contacts")
    assert (part.status, part.counts["fetched"], part.counts["pages"]) == (ResourceState.DONE, 0, 1)


@pytest.mark.parametrize("also", [(), ("wrong-total:null",)])
def test_an_empty_page_in_the_middle_is_read_again(site: Site, simulator: Simulator, also: tuple[str, ...]) -> None:
    assert read(site, simulator, "empty-middle-page:1", *also).status is ResourceState.DONE
    assert names(site) == known(simulator)


def test_a_page_that_stays_empty_in_the_middle_fails_the_resource_without_a_total(
    site: Site, simulator: Simulator
) -> None:
    part = read(site, simulator, "empty-middle-page:99", "wrong-total:null")
    assert part.status is ResourceState.FAILED
    assert "an empty page before others with records" in part.error
    assert values(site.engine, "SELECT resource FROM etl.watermarks") == []


@pytest.mark.parametrize("fault", ["wrong-total:2", "wrong-total:-2"])
@pytest.mark.fact("total-items")
def test_a_wrong_total_fails_the_resource_but_its_rows_are_loaded(site: Site, simulator: Simulator, fault: str) -> None:
    part = read(site, simulator, fault)
    assert (part.status, "records but returned" in part.error) == (ResourceState.FAILED, True)
    assert names(site) == known(simulator)
    assert values(site.engine, "SELECT resource FROM etl.watermarks") == []


@pytest.mark.parametrize("fault", ["wrong-total:-2", "wrong-total:2"])
def test_a_wrong_total_of_an_unfinished_day_fails_as_well(database_url: str, fault: str) -> None:
    """It may change, but it does not."""
    with serve_agency() as lively, open_site(lively, database_url) as site:
        lively.change(9)
        today = Window(datetime.now(UTC) - timedelta(hours=1), datetime.now(UTC) + timedelta(hours=1))
        set_faults(lively, fault)
        summary = site.sync_once(today, resources=CONTACTS)
        part = part_of(summary, "contacts")
        assert (part.status, part.counts["fetched"] > 0) == (ResourceState.FAILED, True)


@pytest.mark.parametrize("fault", ["wrong-total:null", "wrong-total:text", "wrong-total:negative"])
def test_without_a_usable_total_a_partial_page_ends_the_list(site: Site, simulator: Simulator, fault: str) -> None:
    part = read(site, simulator, fault)
    assert (part.status, part.error) == (ResourceState.DONE, None)
    assert names(site) == known(simulator)
    days = pairs(site.engine, "SELECT last_day - first_day, number FROM etl.slices WHERE resource = 'contacts'")
    assert max(length for length, _ in days) <= 91, "the number of pages was not announced"


def test_a_last_page_that_repeats_forever_ends_the_reading(
    site: Site, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "MAX_EXTRA_PAGES", 50)
    part = read(site, simulator, "repeated-page", etl_concurrency=1)
    assert part.status is ResourceState.FAILED
    assert names(site) == known(simulator)
    highest = max(int(parse_qs(query)["pageNumber"][0]) for _, query in calls(site))
    assert highest == ceil(len(known(simulator)) / PAGE) + 1, "the first page without a new record is the last request"


def test_links_of_an_answer_are_not_followed(site: Site, simulator: Simulator) -> None:
    """Pages are requested by number at the configured address; links in an answer get no call and no token."""
    with serve_agency(contacts=1) as other:
        part = read(site, simulator, f"foreign-links:{other.api_url}/Contacts/LastModifiedCreated")
        assert part.status is ResourceState.DONE
        assert list(other.requests) == []
    assert names(site) == known(simulator)


@pytest.mark.parametrize("hours", [-1, 1])
def test_windows_use_the_clock_of_the_api(site: Site, simulator: Simulator, hours: int) -> None:
    set_faults(simulator, f"clock-skew:{hours * 3600}")
    summary = site.sync_once(resources=CONTACTS)
    there = datetime.now(UTC) + timedelta(hours=hours)
    assert abs(summary.batch.window.end - there) < timedelta(minutes=2)


def test_a_clock_that_is_weeks_ahead_loses_no_change(site: Site, simulator: Simulator) -> None:
    set_faults(simulator, f"clock-skew:{26 * 86_400}")
    messages: list[Event] = []
    summary = site.sync_once(resources=CONTACTS, watcher=Watcher(messages.append))
    assert summary.batch.window.end - datetime.now(UTC) < timedelta(minutes=2)
    assert any(isinstance(message, Message) and "26.0 days ahead" in message.text for message in messages)
    key = living_contact(simulator.world)
    edit(simulator, simulator.world.contacts, key, Line1="2 Late Lane")
    site.sync_once(resources=CONTACTS)
    assert value(site.engine, "SELECT line1 FROM contacts WHERE source_id = :key", key=str(key)) == "2 Late Lane"


@pytest.mark.parametrize("form", ["z", "offset", "seven", "us", "ticks"])
def test_times_in_all_formats_are_the_same_instants(
    site: Site, as_synced: Site, simulator: Simulator, form: str
) -> None:
    assert read(site, simulator, f"time-form:{form}").status is ResourceState.DONE
    query = "SELECT source_id, date_trunc('second', source_created_at) FROM contacts WHERE NOT is_placeholder"
    assert dict(pairs(site.engine, query)) == dict(pairs(as_synced.engine, query))


@pytest.mark.parametrize("fault", ["null-modified", "strange-modified:0001-01-01T00:00:00",
                                   "strange-modified:9999-12-31T23:59:59"])  # fmt: skip
def test_missing_and_invalid_times_neither_lose_records_nor_advance_the_watermark_beyond_now(
    site: Site, simulator: Simulator, fault: str
) -> None:
    part = read(site, simulator, fault)
    assert part.status is ResourceState.DONE
    assert names(site) == known(simulator)
    now = datetime.now(UTC)
    assert value(site.engine, "SELECT max(complete_to) FROM etl.watermarks") <= now
    assert value(site.engine, "SELECT max(version_at) FROM contacts") <= now


def test_a_record_at_the_end_of_a_window_belongs_to_the_next_one(database_url: str) -> None:
    noon = datetime(2026, 3, 2, 12, tzinfo=UTC)
    with serve_agency(now=datetime(2026, 6, 1, tzinfo=UTC)) as served, open_site(served, database_url) as site:
        contacts = served.world.contacts
        first, second, *_ = contacts
        for key, at in ((first, noon - timedelta(hours=2)), (second, noon)):
            contacts.put(key, contacts[key] | {"CreatedOn": at.isoformat()[:19], "DateLastModified": None}, at)
        source_ids = []
        for start in (noon - timedelta(hours=2), noon):
            window = Window(start, start + timedelta(hours=2))
            source_ids.append(site.with_settings(etl_overlap=timedelta(0)).sync_once(window, resources=CONTACTS))
        inserted = [part_of(source_id, "contacts").counts["inserted"] for source_id in source_ids]
        assert inserted == [1, 1]
        assert [part_of(source_id, "contacts").counts["outside_window"] for source_id in source_ids] == [1, 1]
        assert names(site) == {str(first), str(second)}


@pytest.mark.parametrize("form", ["text", "padded", "float"])
def test_ids_that_change_their_type_are_one_record(synced: Site, simulator: Simulator, form: str) -> None:
    before = names(synced)
    set_faults(simulator, f"id-form:{form}")
    summary = synced.with_settings(etl_page_size=PAGE).sync_once(resources=CONTACTS, full=True)
    part = part_of(summary, "contacts")
    assert (part.status, part.counts["inserted"], part.counts["refused"]) == (ResourceState.DONE, 0, 0)
    assert names(synced) == before
    assert value(synced.engine, "SELECT count(*) FROM contacts WHERE deleted_at IS NOT NULL") == sum(
        contact["Status"] == "D" for contact in simulator.world.contacts.values()
    )


@pytest.mark.parametrize("fault", ["no-id:1", "id-form:list"])
def test_a_record_without_a_usable_id_is_refused_with_its_position(
    site: Site, simulator: Simulator, fault: str
) -> None:
    part = read(site.with_settings(etl_refused_limit=1.0), simulator, fault)
    assert part.status is ResourceState.DONE, part.error
    assert part.counts["refused"] > 0
    assert part.counts["inserted"] == len(names(site))
    assert part.counts["refused"] >= len(known(simulator) - names(site)) > 0
    where = "WHERE rule = 'record-unusable' AND resource = 'contacts'"
    positions = values(site.engine, f"SELECT source_id FROM etl.findings {where}")
    assert len(positions) == part.counts["refused"]
    assert all(position.startswith("request ") and ", item " in position for position in positions)


@pytest.mark.parametrize("fault", ['set-field:Mood="glad"', "lost-field:Email", "set-field:LocationID=[]",
                                   'set-field:City={"Name":7}'])  # fmt: skip
def test_added_removed_or_changed_fields_lose_no_record(site: Site, simulator: Simulator, fault: str) -> None:
    part = read(site, simulator, fault)
    assert (part.status, part.counts["refused"]) == (ResourceState.DONE, 0)
    assert names(site) == known(simulator)
    field = fault.partition(":")[2].partition("=")
    raw = values(site.engine, "SELECT raw_data FROM raw.raw_contacts")
    if field[2]:
        assert all(record[field[0]] == json.loads(field[2]) for record in raw), "staging keeps what arrived"
    else:
        assert all(field[0] not in record for record in raw)


def test_records_that_arrive_before_their_customers_are_linked_later(site: Site, as_synced: Site) -> None:
    assert site.sync_once(resources=("policies", "quotes")).exit_status == 0
    waiting = "SELECT count(*) FROM contacts WHERE is_placeholder"
    assert value(site.engine, waiting) > 0
    assert site.sync_once().exit_status == 0
    assert value(site.engine, waiting) == value(as_synced.engine, waiting)
    assert differences(digest(site.engine), digest(as_synced.engine)) == []


@pytest.mark.fact("policy-number")
def test_two_policies_with_the_same_number_are_two_rows(database_url: str) -> None:
    with serve_agency() as served, open_site(served, database_url) as site:
        policies = served.world.policies
        first, second, *_ = policies
        policies.change(second, None, PolicyNumber=policies[first]["PolicyNumber"])
        assert part_of(site.sync_once(resources=("policies",)), "policies").status is ResourceState.DONE
        number = policies[first]["PolicyNumber"].strip()
        query = "SELECT source_id FROM policies WHERE policy_number = :number"
        assert {str(first), str(second)} <= set(values(site.engine, query, number=number))


def test_the_next_sync_fills_the_gap_left_by_a_manual_window(site: Site, as_synced: Site) -> None:
    """The next window starts where the contiguous coverage ends."""
    early = Window(FIRST_INSTANT, datetime(2015, 1, 1, tzinfo=UTC))
    late = Window(datetime.now(UTC) - timedelta(days=30), datetime.now(UTC) - timedelta(days=1))
    for window in (early, late):
        assert site.sync_once(window).exit_status == 0
    marks = "SELECT complete_from, complete_to FROM etl.watermarks WHERE resource = 'contacts' ORDER BY 1"
    assert len(pairs(site.engine, marks)) == 2
    summary = site.sync_once()
    assert part_of(summary, "contacts").window.start == early.end
    ((first, last),) = pairs(site.engine, marks)
    assert (first, last) == (FIRST_INSTANT, summary.batch.window.end)
    assert differences(digest(site.engine), digest(as_synced.engine)) == []


def test_a_failed_window_is_read_again_with_the_next(site: Site, simulator: Simulator) -> None:
    """A later window completed while an earlier one failed."""
    assert read(site, simulator, "wrong-total:2").status is ResourceState.FAILED
    part = read(site, simulator)
    assert (part.status, part.window.start) == (ResourceState.DONE, FIRST_INSTANT)
    assert names(site) == known(simulator)
