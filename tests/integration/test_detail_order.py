"""The queue of details: one order of value over all resources, which calls are made at all, and the sample."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Connection, Engine, text

from etl.catalogue.detail_rules import Priority
from etl.ledger.children import child_refresh
from etl.ledger.children import queue as children
from etl.ledger.children.child_counts import count_due_calls
from etl.ledger.children.child_samples import read_samples
from etl.ledger.children.queue import ChildRequest, DueQuery, RefreshAge
from etl.ledger.staging.raw_tables import CleanStatus, generate_raw_ids, insert_versions
from etl.models.states import RawState
from etl.record import Record, StagedRecord
from etl.resources import CATALOGUE, find_resource

TENANT, BATCH = "t", UUID(int=1)
TODAY = date(2026, 3, 1)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
LOADED = CleanStatus(RawState.LOADED, rules="r", loaded=True)
AGE = RefreshAge(timedelta(days=30), timedelta(days=180))
OF_POLICIES = ("policy_details", "adjustments")
OF_CONTACTS = ("account_info", "documents")


@pytest.fixture
def connection(engine: Engine) -> Iterator[Connection]:
    """Yield a connection inside a transaction, in which the time does not advance."""
    with engine.begin() as opened:
        yield opened


def stage(connection: Connection, table: str, source_id: str, hours: int = 0, **facts: Any) -> None:
    """Stage a new version of a record, which supersedes the current one."""
    connection.execute(
        text(f"UPDATE raw.raw_{table} SET superseded_at = now() WHERE source_id = :id AND tenant = :tenant"),
        {"id": source_id, "tenant": TENANT},
    )
    record = Record(source_id, json.dumps(facts).encode(), bytes(16), NOON + timedelta(hours=hours), False)
    versions = [(StagedRecord(generate_raw_ids(1)[0], record), None, LOADED)]
    insert_versions(connection, find_resource(table), TENANT, BATCH, versions)


def policy(connection: Connection, source_id: str, begins: int, ends: int | None, hours: int = 0, **facts: Any) -> None:
    """Stage a policy whose term is given in days from today."""
    term = {
        "EffectiveDate": f"{TODAY + timedelta(days=begins)}T00:00:00",
        "ExpirationDate": None if ends is None else f"{TODAY + timedelta(days=ends)}T00:00:00",
    }
    stage(connection, "policies", source_id, hours, **{"Status": "A", "HasBeenModified": True, **term, **facts})


def contact(connection: Connection, source_id: str, kind: str = "C", status: str = "A", hours: int = 0) -> None:
    """Stage a contact."""
    stage(connection, "contacts", source_id, hours, ContactType=kind, ContactSubType=kind, Status=status)


def refresh(connection: Connection, today: date = TODAY, names: Sequence[str] = OF_POLICIES + OF_CONTACTS) -> None:
    """Refresh the queue of some resources."""
    for parent in ("policies", "contacts"):
        of_parent = [find_resource(name) for name in names if children.parent_of(name) == parent]
        if of_parent:
            child_refresh.refresh_queue(connection, of_parent, find_resource(parent), TENANT, today)


def take(
    connection: Connection, names: Sequence[str] = OF_POLICIES + OF_CONTACTS, most: int = 100
) -> list[ChildRequest]:
    """Return the next first reads of some resources."""
    query = DueQuery(TENANT, names, children.read_database_time(connection))
    return children.take_due_requests(connection, query, most)


def asked(requests: Sequence[ChildRequest], name: str) -> list[str]:
    """Return the parents that are asked about for a resource."""
    return [request.parent_id for request in requests if request.resource == name]


def cover(connection: Connection, requests: Sequence[ChildRequest]) -> None:
    """Mark requests as answered."""
    for name in {request.resource for request in requests}:
        of_name = [request for request in requests if request.resource == name]
        children.mark_covered(connection, find_resource(name), TENANT, of_name, AGE)


def put_book(connection: Connection) -> None:
    """Stage policies and contacts of every value, in no order."""
    policy(connection, "61", -900, -500, hours=9)
    contact(connection, "51", status="I", hours=9)
    policy(connection, "41", -395, -30, hours=9)
    contact(connection, "31", hours=1)
    policy(connection, "21", -100, 265, hours=1)
    policy(connection, "11", -300, 65, hours=1)
    contact(connection, "32", hours=5)
    policy(connection, "12", -300, 65, hours=5)
    policy(connection, "22", 20, None, hours=5, Status="P")
    contact(connection, "99", kind="R")
    contact(connection, "98", kind="E")
    contact(connection, "97", kind="M")
    contact(connection, "96", kind="P")


def test_details_are_read_in_one_order_of_value_over_all_resources(connection: Connection) -> None:
    put_book(connection)
    refresh(connection)
    requests = take(connection)
    parents = list(dict.fromkeys(request.parent_id for request in requests))
    assert parents == ["12", "11", "22", "21", "32", "31", "41", "51", "61"]
    pairs = [(requests[at].parent_id, {requests[at].resource, requests[at + 1].resource}) for at in range(0, 18, 2)]
    assert len(requests) == 18
    assert [parent for parent, _ in pairs] == parents, "all calls of a parent are adjacent"
    assert {parent: names for parent, names in pairs if parent in {"12", "61"}} == {
        "12": set(OF_POLICIES), "61": set(OF_POLICIES)
    }  # fmt: skip


@pytest.mark.parametrize("most", range(1, 18))
def test_a_round_never_parts_the_calls_of_a_parent(connection: Connection, most: int) -> None:
    put_book(connection)
    refresh(connection)
    rounds: list[ChildRequest] = []
    while requests := take(connection, most=most):
        assert all(sum(other.parent == request.parent for other in requests) == 2 for request in requests)
        cover(connection, requests)
        rounds += requests
    assert len(rounds) == len(set(rounds)) == 18


def test_refreshes_come_after_first_reads_and_only_at_their_age(connection: Connection) -> None:
    put_book(connection)
    refresh(connection)
    requests = take(connection)
    cover(connection, requests)
    cover(connection, requests)  # the second reading may be due earlier than the age asks for
    refreshes = DueQuery(TENANT, OF_POLICIES + OF_CONTACTS, children.read_database_time(connection), refreshes=True)
    active, others = ["12", "11", "22", "21", "32", "31"], ["41", "51", "61"]
    for days, parents in ((29, []), (30, active), (179, active), (180, active + others)):
        later = replace(refreshes, due=refreshes.due + timedelta(days=days))
        due = children.take_due_requests(connection, later, 100)
        assert list(dict.fromkeys(request.parent_id for request in due)) == parents
    assert take(connection) == []


def test_a_run_of_some_resources_leaves_the_others_for_the_next_run_of_the_day(connection: Connection) -> None:
    policy(connection, "1", -10, 355)
    refresh(connection, TODAY, ("quotes",))
    refresh(connection, TODAY, ("quotes", "policy_details"))
    assert asked(take(connection, ("policy_details",)), "policy_details") == ["1"]


def test_the_value_of_a_policy_follows_the_day(connection: Connection) -> None:
    policy(connection, "1", -274, 91)
    policy(connection, "2", -365, 0)

    def values(today: date) -> dict[str, int]:
        refresh(connection, today)
        rows = connection.execute(
            text("SELECT parent_id, priority FROM etl.child_queue WHERE resource = 'policy_details'")
        )
        return {row.parent_id: row.priority for row in rows}

    assert values(TODAY) == {"1": Priority.IN_FORCE, "2": Priority.EXPIRING}
    assert values(TODAY + timedelta(days=1)) == {"1": Priority.EXPIRING, "2": Priority.ENDED}
    assert values(TODAY + timedelta(days=400)) == {"1": Priority.ENDED, "2": Priority.LONG_ENDED}


def test_quotes_are_due_from_120_days_before_a_policy_begins_until_120_days_after(connection: Connection) -> None:
    policy(connection, "1", 121, 486)
    policy(connection, "2", -120, 245)
    policy(connection, "3", -500, None, Status="P")

    def due(today: date) -> list[str]:
        refresh(connection, today, ("quotes",))
        return sorted(asked(take(connection, ("quotes",)), "quotes"))

    assert due(TODAY) == ["2", "3"]
    assert due(TODAY + timedelta(days=1)) == ["1", "3"]


def test_what_arrives_on_the_same_day_is_queued_without_looking_at_all_parents(connection: Connection) -> None:
    policy(connection, "1", -100, 265)
    refresh(connection, names=("policy_details",))
    connection.execute(text("UPDATE raw.raw_policies SET created_at = now() - interval '1 day'"))
    connection.execute(text("DELETE FROM etl.child_queue"))
    policy(connection, "2", -100, 265)
    refresh(connection, names=("policy_details",))
    assert asked(take(connection), "policy_details") == ["2"]
    refresh(connection, TODAY + timedelta(days=1), ("policy_details",))
    assert sorted(asked(take(connection), "policy_details")) == ["1", "2"]


def test_a_prospect_that_a_policy_of_this_batch_names_is_queued_on_the_same_day(connection: Connection) -> None:
    contact(connection, "7", kind="P")
    refresh(connection, names=("documents",))
    assert take(connection) == []
    connection.execute(text("UPDATE raw.raw_contacts SET created_at = now() - interval '1 day'"))
    connection.execute(
        text("INSERT INTO contacts (id, tenant, source_id, status) VALUES (:id, 't', '7', 'A')"), {"id": UUID(int=7)}
    )
    connection.execute(
        text("""
            INSERT INTO policies (id, tenant, source_id, contact_id, status, etl_batch_id)
            VALUES (:id, 't', '8', :contact, 'A', :batch)
        """),
        {"id": UUID(int=8), "contact": UUID(int=7), "batch": BATCH},
    )
    child_refresh.refresh_queue(
        connection, [find_resource("documents")], find_resource("contacts"), TENANT, TODAY, BATCH
    )
    assert asked(take(connection), "documents") == ["7"]


def put_unchanged(connection: Connection, number: int = 30) -> None:
    """Stage two changed policies, and some that were never changed."""
    for key in range(number):
        policy(connection, str(100 + key), -900, -500, HasBeenModified=False)
    policy(connection, "1", -100, 265)
    policy(connection, "2", -100, 265, HasBeenModified=False, Status="C")


def counts(connection: Connection, today: date = TODAY) -> dict[str, int]:
    """Return the counted due calls by resource."""
    policies = find_resource("policies")
    return {
        name: sum(due.calls for due in count_due_calls(connection, find_resource(name), policies, TENANT, today))
        for name in OF_POLICIES
    }


@pytest.mark.fact("adjustments")
def test_a_sample_of_twenty_unchanged_policies_is_read_first_and_whole(connection: Connection) -> None:
    put_unchanged(connection)
    assert counts(connection) == {"policy_details": 32, "adjustments": 22}
    refresh(connection)
    assert counts(connection) == {"policy_details": 32, "adjustments": 22}
    requests = take(connection)
    first = requests[:40]
    assert {request.parent_id for request in first} <= {str(100 + key) for key in range(30)}
    assert len(asked(first, "adjustments")) == len(asked(first, "policy_details")) == 20
    assert asked(requests[40:], "adjustments") == ["1", "2"]


def test_a_sample_without_adjustments_keeps_the_calls_for_the_others(connection: Connection) -> None:
    put_unchanged(connection)
    refresh(connection)
    requests = take(connection)
    cover(connection, requests)
    refresh(connection)
    assert asked(take(connection), "adjustments") == []
    (sample,) = read_samples(connection, TENANT)
    assert (sample.resource, sample.parent, len(sample.parent_ids)) == ("adjustments", "policies", 20)
    assert sample.decided_at is not None
    assert sample.counter_example is None
    policy(connection, "200", -900, -500, HasBeenModified=False)
    policy(connection, "201", -900, -500)
    refresh(connection)
    assert asked(take(connection), "adjustments") == ["201"]
    assert sorted(asked(take(connection), "policy_details")) == ["200", "201"]


def test_an_adjustment_in_the_sample_makes_all_policies_due(connection: Connection) -> None:
    put_unchanged(connection)
    refresh(connection)
    requests = take(connection)
    sampled = asked(requests[:40], "adjustments")
    cover(connection, requests)
    stage(connection, "adjustments", "5", AdjustmentId=5)
    connection.execute(text("UPDATE raw.raw_adjustments SET set_key = :key"), {"key": f"policies:{sampled[3]}"})
    refresh(connection)
    rest = asked(take(connection), "adjustments")
    assert sorted([*sampled, *rest]) == [str(100 + key) for key in range(30)]
    (sample,) = read_samples(connection, TENANT)
    assert sample.counter_example == sampled[3]
    policy(connection, "200", -900, -500, HasBeenModified=False)
    assert counts(connection)["adjustments"] == len(rest) + 1


def test_a_sampled_policy_that_changes_is_replaced(connection: Connection) -> None:
    put_unchanged(connection)
    refresh(connection)
    sampled = asked(take(connection)[:40], "adjustments")
    policy(connection, sampled[0], -900, -500)
    stage(connection, "adjustments", "5", AdjustmentId=5)
    connection.execute(text("UPDATE raw.raw_adjustments SET set_key = :key"), {"key": f"policies:{sampled[0]}"})
    refresh(connection, TODAY + timedelta(days=1))
    (sample,) = read_samples(connection, TENANT)
    assert len(sample.parent_ids) == 20
    assert sampled[0] not in sample.parent_ids
    assert sample.counter_example is None


def test_counts_agree_with_the_queue_before_and_after_it_is_filled(connection: Connection) -> None:
    put_book(connection)
    put_unchanged(connection, 12)
    names = [entry.name for entry in CATALOGUE if entry.parent is not None]

    def counted() -> list[tuple[str, Priority, int]]:
        due_calls = []
        for name in names:
            parent = find_resource(children.parent_of(name))
            due = count_due_calls(connection, find_resource(name), parent, TENANT, TODAY)
            due_calls += [(name, each.priority, each.calls) for each in due]
        return sorted(due_calls)

    before = counted()
    refresh(connection, names=names)
    queued = connection.execute(
        text("SELECT resource, priority, count(*) FROM etl.child_queue WHERE changed GROUP BY 1, 2 ORDER BY 1, 2")
    )
    totals = [(name, Priority(priority), calls) for name, priority, calls in queued]
    assert counted() == totals
    assert {name: sum(calls for other, _, calls in before if other == name) for name in names} == {
        name: sum(calls for other, _, calls in totals if other == name) for name in names
    }
