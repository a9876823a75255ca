"""A sync in tasks, as a scheduler distributes them over processes and machines, ends like one in a single process."""

import json
import os
from collections.abc import Callable, Iterator
from uuid import UUID

import pytest
from sites import Site, make_children_due, open_site, serve_agency, set_faults
from snapshots import changed_tables, deleted_ids, differences, digest, row_versions, value, values
from source_changes import drop_claims, edit, living_policy
from sqlalchemy import Connection, text
from test_interruption import expire_leases
from workers import Crew

from etl.dependencies import group_by_level
from etl.errors import CredentialsRefused, LeaseHeld, LeaseLost
from etl.ledger.leases import hold_lease, share_lease
from etl.ledger.transaction import Ledger
from etl.models.states import ResourceState
from etl.pipeline import Options, Summary, task_chunks
from etl.pipeline.finish import UNREAD
from etl.pipeline.task_chunks import Chunk
from etl.pipeline.tasks import RunTask, begin_run, close_run, plan_level, read_chunk
from etl.resources import find_resource
from etl.simulator import ENTERPRISE_CALLS, Simulator

#: Processes that read in parallel; `./run nightly` has four.
WORKERS = int(os.environ.get("TEST_WORKERS", "2"))
#: A committed page is not requested again by any reader.
READ_TWICE = """
    SELECT path FROM etl.requests WHERE page > 0 GROUP BY batch_id, resource, slice, path, parameters, reading
    HAVING count(*) > 1
"""
UNBALANCED = """
    SELECT resource FROM etl.batch_resources
    WHERE fetched <> inserted + updated + unchanged + outside_window + older + refused + duplicate + no_row
"""


def task_of(site: Site, run: str = "hourly 1") -> RunTask:
    """Return where the tasks of a run work."""
    return RunTask(site.engine, site.settings, run)


def in_turn(task: RunTask, batch_id: UUID, some: list[Chunk]) -> None:
    """Read chunks one after the other in this process, each serialized as between tasks."""
    for piece in some:
        read_chunk(task, batch_id, Chunk.from_json(json.loads(json.dumps(piece.to_json()))))


def run_in_tasks(
    task: RunTask, options: Options | None = None, read: Callable[[RunTask, UUID, list[Chunk]], None] = in_turn
) -> Summary:
    """Run a whole sync in tasks, with chunks read by `read`."""
    batch_id = begin_run(task, None, options or Options())
    for number in range(len(group_by_level())):
        read(task, batch_id, plan_level(task, batch_id, number))
    return close_run(task, batch_id)


def rows(site: Site, query: str) -> list[tuple[object, ...]]:
    """Return the rows of a query."""
    with site.engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make each slice, and every ten calls for child records, a chunk."""
    monkeypatch.setattr(task_chunks, "CAPACITY", 1)
    monkeypatch.setattr(task_chunks, "CALLS_PER_CHUNK", 10)


def test_a_sync_in_tasks_leads_to_the_same_rows(site: Site, as_synced: Site) -> None:
    summary = run_in_tasks(task_of(site))
    assert summary.exit_status == 0, summary.batch.error
    calls = [call for call in site.take_calls() if not call.startswith("/oauth/")]
    assert summary.calls == len(calls) > 0, "the calls of all tasks, including the first contacts"
    assert value(site.engine, "SELECT calls FROM etl.batches") == summary.calls
    assert differences(digest(site.engine), digest(as_synced.engine)) == []
    counts = "SELECT resource, fetched, status FROM etl.batch_resources ORDER BY resource"
    assert rows(site, counts) == rows(as_synced, counts)
    marks = "SELECT DISTINCT resource, complete_from FROM etl.watermarks ORDER BY resource"
    assert rows(site, marks) == rows(as_synced, marks)
    assert value(site.engine, "SELECT count(*) FROM etl.leases WHERE expires_at > now() OR resource LIKE '%/%'") == 0


@pytest.mark.timeout(300)
@pytest.mark.usefixtures("small_pieces")
def test_parallel_workers_lead_to_the_same_rows_even_if_one_is_killed(site: Site, as_synced: Site) -> None:
    small = site.with_settings(etl_page_size=4)
    crew = Crew(small, WORKERS, die_after=15)
    summary = run_in_tasks(task_of(small), read=crew.read)
    assert summary.exit_status == 0, summary.batch.error
    assert crew.deaths == 1
    assert len(crew.readers) >= WORKERS
    assert differences(digest(site.engine), digest(as_synced.engine)) == []
    assert values(site.engine, UNBALANCED) == []
    assert values(site.engine, READ_TWICE) == []


def test_the_hour_of_a_run_counts_from_its_begin_and_not_from_that_of_each_task(synced: Site) -> None:
    make_children_due(synced)
    batch_id, levels = begin_run(task_of(synced), None, Options()), range(len(group_by_level()))
    for number in levels:
        if number == levels[-1]:
            with synced.engine.begin() as connection:
                connection.execute(
                    text("UPDATE etl.batches SET started_at = started_at - interval '58 minutes' WHERE id = :batch"),
                    {"batch": batch_id},
                )
            synced.take_calls()
        in_turn(task_of(synced), batch_id, plan_level(task_of(synced), batch_id, number))
    assert [call for call in synced.take_calls() if "PolicyInfo" in call or "AccountInfo" in call] == []
    assert close_run(task_of(synced), batch_id).exit_status == 0
    assert value(synced.engine, "SELECT count(*) FROM etl.child_queue WHERE due_at <= now()") > 0
    assert run_in_tasks(task_of(synced, "hourly 2")).exit_status == 0
    assert value(synced.engine, "SELECT count(*) FROM etl.child_queue WHERE due_at <= now()") == 0


def test_repeated_tasks_make_no_call_twice_and_write_nothing(synced: Site) -> None:
    """As when a scheduler repeats the tasks of an interval: cleared, or started by two schedulers."""
    make_children_due(synced)
    first = run_in_tasks(task_of(synced))
    before = row_versions(synced.engine)
    synced.take_calls()
    again = run_in_tasks(task_of(synced))
    assert again.batch.id == first.batch.id
    assert again.exit_status == 0
    assert synced.take_calls() == []
    assert changed_tables(before, row_versions(synced.engine)) == set()


def test_running_each_task_twice_leads_to_the_same_rows(site: Site, as_synced: Site) -> None:
    task = task_of(site)
    batch_id = begin_run(task, None, Options())
    assert begin_run(task, None, Options()) == batch_id
    for number in range(len(group_by_level())):
        planned = plan_level(task, batch_id, number)
        assert plan_level(task, batch_id, number) == planned
        in_turn(task, batch_id, planned + planned)
        assert plan_level(task, batch_id, number) == [], "nothing of it is left"
    assert close_run(task, batch_id).exit_status == close_run(task, batch_id).exit_status == 0
    assert differences(digest(site.engine), digest(as_synced.engine)) == []
    assert values(site.engine, READ_TWICE) == []
    assert value(site.engine, "SELECT count(*) FROM etl.batches") == 1
    assert value(site.engine, "SELECT count(*) FROM etl.slices WHERE status <> 'done'") == 0


def test_a_run_holds_its_lease_from_task_to_task(synced: Site) -> None:
    task = task_of(synced)
    batch_id = begin_run(task, None, Options())
    with pytest.raises(LeaseHeld, match="hourly 1"):
        synced.sync_once()
    with pytest.raises(LeaseHeld, match="hourly 1"):
        begin_run(task_of(synced, "hourly 2"), None, Options())
    close_run(task, batch_id)
    assert synced.sync_once().exit_status == 0


def without_token(site: Site) -> None:
    """Delete the token that all runs share, and the record of refused credentials."""
    with site.engine.begin() as connection:
        connection.execute(text("DELETE FROM etl.tokens"))


def test_a_run_that_cannot_begin_holds_no_lease(synced: Site) -> None:
    without_token(synced)
    set_faults(synced.simulator, "token-refused")
    with pytest.raises(CredentialsRefused):
        begin_run(task_of(synced), None, Options())
    set_faults(synced.simulator)
    without_token(synced)
    assert synced.sync_once().exit_status == 0


def test_the_next_run_resumes_where_tasks_died(site: Site, as_synced: Site) -> None:
    task = task_of(site)
    batch_id = begin_run(task, None, Options())
    some = plan_level(task, batch_id, 0)
    in_turn(task, batch_id, some[:1])
    closed = close_run(task, batch_id)
    assert closed.exit_status == 6
    assert UNREAD in (closed.batch.error or "")
    later = task_of(site, "hourly 2")
    assert begin_run(later, None, Options()) == batch_id
    assert run_in_tasks(later).exit_status == 0
    assert differences(digest(site.engine), digest(as_synced.engine)) == []


def test_an_abandoned_worker_cannot_commit_when_it_wakes_up(synced: Site) -> None:
    names = ["contacts", "policies"]
    with (
        share_lease(synced.engine, "default", names, "hourly 1", ["contacts/0"]) as stalled,
        share_lease(synced.engine, "default", names, "hourly 1", ["contacts/0"]) as successor,
        share_lease(synced.engine, "default", names, "hourly 1", ["contacts/1"]) as neighbor,
    ):
        for lease in (successor, neighbor):
            Ledger(synced.engine, "default", lease).commit(lambda connection: connection.execute(text("SELECT 1")))
        with pytest.raises(LeaseLost):
            Ledger(synced.engine, "default", stalled).commit(delete_links)
    assert value(synced.engine, "SELECT count(*) FROM document_policies") > 0


def delete_links(connection: Connection) -> None:
    """Cause damage."""
    connection.execute(text("DELETE FROM document_policies"))


def test_a_run_that_lost_its_lease_ends(synced: Site) -> None:
    task = task_of(synced)
    batch_id = begin_run(task, None, Options())
    expire_leases(synced.engine)
    with hold_lease(synced.engine, "default", ["contacts"]), pytest.raises(LeaseHeld, match="contacts by"):
        plan_level(task, batch_id, 0)


def test_a_refused_resource_stops_no_other(synced: Site) -> None:
    set_faults(synced.simulator, "forbidden:Billing")
    summary = run_in_tasks(task_of(synced))
    states = {part.resource: part.status for part in summary.parts}
    assert [name for name, state in states.items() if state is not ResourceState.DONE] == ["billing_records"]
    assert summary.exit_status == 6
    assert "billing_records" in (summary.batch.error or "")
    set_faults(synced.simulator)
    assert run_in_tasks(task_of(synced, "hourly 2")).exit_status == 0


def test_a_resource_that_is_not_offered_fails_nothing_and_has_a_fallback(plain: Simulator, database_url: str) -> None:
    with open_site(plain, database_url) as site:
        summary = run_in_tasks(task_of(site))
        assert summary.exit_status == 0, summary.batch.error
        left_out = {part.resource for part in summary.parts if part.status is ResourceState.NOT_OFFERED}
        assert left_out == {
            "departments", "applications", "coverages", "equipment", "claims", "commissions",
            "cancellation_reasons", "carrier_fees",
        }  # fmt: skip
        assert values(site.engine, "SELECT source_id FROM applications WHERE NOT is_placeholder") != []


@pytest.fixture(scope="module")
def plain() -> Iterator[Simulator]:
    """Give an agency with a pending policy, whose account offers only documented resources."""
    with serve_agency(documented_only=True, offered=ENTERPRISE_CALLS) as served:
        edit(served, served.world.policies, living_policy(served.world), Status="P")
        yield served


@pytest.mark.usefixtures("small_pieces")
def test_the_call_budget_applies_to_the_whole_run(site: Site) -> None:
    summary = run_in_tasks(task_of(site.with_settings(etl_child_budget=7)))
    assert summary.exit_status == 0, summary.batch.error
    call_count = sum(part.counts["pages"] for part in summary.parts if find_resource(part.resource).parent is not None)
    assert 0 < call_count <= 7


def test_a_full_run_in_tasks_marks_missing_records_as_deleted(database_url: str) -> None:
    with serve_agency() as served, open_site(served, database_url) as site:
        assert site.sync_once(resources=("contacts", "policies", "claims")).exit_status == 0
        before = deleted_ids(site.engine, "claims")
        gone = drop_claims(site, 2)
        summary = run_in_tasks(task_of(site), Options(("claims",), full=True, command="reconcile"))
        assert summary.exit_status == 0, summary.batch.error
        assert deleted_ids(site.engine, "claims") == sorted({*before, *gone})
