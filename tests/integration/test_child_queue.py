"""The child queue: due parents, their order, their parent fields, and their refresh interval."""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Connection, Engine, text

from etl.ledger import watermarks
from etl.ledger.batches import build_batch
from etl.ledger.children import child_refresh
from etl.ledger.children import queue as children
from etl.ledger.children.child_counts import count_due_calls
from etl.ledger.children.parent_conditions import CLEANING_VALUES, build_mark_condition
from etl.ledger.children.queue import ChildRequest, DueQuery, QueueCoverage, RefreshAge
from etl.ledger.staging.raw_tables import CleanStatus, generate_raw_ids, insert_versions
from etl.models.base import row_id
from etl.models.sources import is_one_of, spellings
from etl.models.states import RawState
from etl.record import Record, StagedRecord
from etl.resources import find_resource
from etl.window import Window

TENANT, BATCH = "t", UUID(int=1)
POLICIES, DETAILS = find_resource("policies"), find_resource("policy_details")
ADJUSTMENTS = find_resource("adjustments")
CONTACTS, ACCOUNTS = find_resource("contacts"), find_resource("account_info")
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
TODAY = NOON.date()
AGE = RefreshAge(timedelta(days=30), timedelta(days=180))
LOADED = CleanStatus(RawState.LOADED, rules="r", loaded=True)


@pytest.fixture
def connection(engine: Engine) -> Iterator[Connection]:
    """Yield a connection inside a transaction, in which the time does not advance."""
    with engine.begin() as opened:
        yield opened


def put(
    connection: Connection,
    source_id: str,
    hours: int = 0,
    status: CleanStatus = LOADED,
    tenant: str = TENANT,
    **facts: Any,
) -> None:
    """Stage a new version of a policy, which supersedes the current one."""
    connection.execute(
        text("UPDATE raw.raw_policies SET superseded_at = now() WHERE source_id = :id AND tenant = :tenant"),
        {"id": source_id, "tenant": tenant},
    )
    raw = json.dumps({"PolicyId": int(source_id), "Status": "A", **facts}).encode()
    record = Record(source_id, raw, bytes(16), NOON + timedelta(hours=hours), False)
    insert_versions(connection, POLICIES, tenant, BATCH, [(StagedRecord(generate_raw_ids(1)[0], record), None, status)])


def due(connection: Connection, child: Any = DETAILS, *, most: int = 100) -> list[ChildRequest]:
    """Return the parents that are due now."""
    refresh(connection, child)
    query = DueQuery(TENANT, [child.name], children.read_database_time(connection))
    changed = children.take_due_requests(connection, query, most)
    return [*changed, *children.take_due_requests(connection, replace(query, refreshes=True), most)][:most]


def refresh(connection: Connection, *resources: Any, parent: Any = POLICIES) -> None:
    """Look at all parents again, as the first run of a day does."""
    child_refresh.require_full_refresh(connection, TENANT)
    child_refresh.refresh_queue(connection, resources, parent, TENANT, TODAY)


def ids(some: list[ChildRequest]) -> list[str]:
    """Return the parent ids of requests."""
    return [request.parent_id for request in some]


def let_pass(connection: Connection, time: timedelta) -> None:
    """Let time pass for all queue entries."""
    connection.execute(text("UPDATE etl.child_queue SET due_at = due_at - :time"), {"time": time})


def carried(child: ChildRequest) -> Mapping[str, Any]:
    """Return the parent fields of a request."""
    fields: Mapping[str, Any] = json.loads(child.carried)
    return fields


def cover_twice(connection: Connection, requests: list[ChildRequest]) -> None:
    """Mark parents as read, and read again: the second reading may be due earlier than the age asks for."""
    children.mark_covered(connection, DETAILS, TENANT, requests, AGE)
    children.mark_covered(connection, DETAILS, TENANT, requests, AGE)


@pytest.mark.parametrize(("status", "age"), [("A", AGE.active), ("E", AGE.others)])
def test_the_parents_of_a_first_sync_are_due_again_on_different_days(
    connection: Connection, status: str, age: timedelta
) -> None:
    """About a sixth of them in each sixth of the age, and then at the same distance again."""
    for number in range(300):
        put(connection, str(number), Status=status)
    children.mark_covered(connection, DETAILS, TENANT, due(connection, most=300), AGE)
    for _ in range(2):
        for _ in range(6):
            let_pass(connection, age / 6)
            again = due(connection, most=300)
            assert 25 <= len(again) <= 75
            children.mark_covered(connection, DETAILS, TENANT, again, AGE)
    assert due(connection) == []


def test_every_parent_is_due_once_and_again_after_the_refresh_interval(connection: Connection) -> None:
    put(connection, "1")
    put(connection, "2")
    first = due(connection)
    assert sorted(ids(first)) == ["1", "2"]
    cover_twice(connection, first)
    assert due(connection) == []
    let_pass(connection, AGE.active - timedelta(seconds=1))
    assert due(connection) == []
    let_pass(connection, timedelta(seconds=1))
    assert sorted(ids(due(connection))) == ["1", "2"]


def test_inactive_parents_are_refreshed_later(connection: Connection) -> None:
    put(connection, "1", Status="E")
    cover_twice(connection, due(connection))
    let_pass(connection, AGE.active)
    assert due(connection) == []
    let_pass(connection, AGE.others - AGE.active)
    assert ids(due(connection)) == ["1"]


def test_a_new_version_makes_its_parent_due(connection: Connection) -> None:
    put(connection, "1")
    (before,) = due(connection)
    children.mark_covered(connection, DETAILS, TENANT, [before], AGE)
    put(connection, "1", 1)
    (after,) = due(connection)
    assert after.parent_raw_id != before.parent_raw_id


def test_a_version_that_arrives_during_the_call_is_not_covered(
    connection: Connection,
) -> None:
    put(connection, "1")
    requests = due(connection)
    put(connection, "1", 1)
    assert ids(due(connection)) == ["1"]
    children.mark_covered(connection, DETAILS, TENANT, requests, AGE)
    assert ids(due(connection)) == ["1"]


def test_changed_parents_come_first_then_active_then_newest(connection: Connection) -> None:
    put(connection, "1", 0)
    put(connection, "2", 5, Status="E")
    put(connection, "3", 3)
    children.mark_covered(connection, DETAILS, TENANT, due(connection), AGE)
    let_pass(connection, AGE.others)
    assert ids(due(connection)) == ["3", "1", "2"]
    put(connection, "2", 6, Status="E")
    assert ids(due(connection)) == ["2", "3", "1"]
    assert ids(due(connection, most=2)) == ["2", "3"]


def test_deleted_parents_are_not_queued(connection: Connection) -> None:
    put(connection, "1", Status="D")
    put(connection, "2", IsDeleted=True)
    put(connection, "3", IsDeleted=False)
    assert ids(due(connection)) == ["3"]


def test_refused_parents_are_not_queued_but_loaded_ones_are(connection: Connection) -> None:
    put(connection, "1", status=CleanStatus(RawState.VALIDATION_ERROR, "status is missing", 1, "r"))
    put(connection, "2", status=CleanStatus(RawState.VALIDATION_ERROR, "premium is bad", 1, "r", loaded=True))
    assert ids(due(connection)) == ["2"]


def put_contact(connection: Connection, source_id: str, contact_type: str | None, sub_type: str | None) -> None:
    """Stage a contact of a type and a sub-type, and its row."""
    raw = json.dumps({"EntityID": int(source_id), "ContactType": contact_type, "ContactSubType": sub_type}).encode()
    record = Record(source_id, raw, bytes(16), NOON, False)
    insert_versions(connection, CONTACTS, TENANT, BATCH, [(StagedRecord(generate_raw_ids(1)[0], record), None, LOADED)])
    connection.execute(
        text("INSERT INTO contacts (id, tenant, source_id, status) VALUES (:id, :tenant, :source, 'A')"),
        {"id": row_id(TENANT, "contacts", source_id), "tenant": TENANT, "source": source_id},
    )


def put_policy_of(connection: Connection, contact: str, deleted_at: datetime | None = None) -> None:
    """Store a policy row of a contact."""
    connection.execute(
        text("""
            INSERT INTO policies (id, tenant, source_id, contact_id, status, deleted_at)
            VALUES (:id, :tenant, :source, :contact, 'A', :deleted_at)
        """),
        {
            "id": row_id(TENANT, "policies", contact), "tenant": TENANT, "source": contact, "deleted_at": deleted_at,
            "contact": row_id(TENANT, "contacts", contact),
        },
    )  # fmt: skip


def due_accounts(connection: Connection) -> list[str]:
    """Return the contacts whose account details are due."""
    refresh(connection, ACCOUNTS, parent=CONTACTS)
    query = DueQuery(TENANT, [ACCOUNTS.name], children.read_database_time(connection))
    return sorted(ids(children.take_due_requests(connection, query, 100)))


@pytest.mark.fact("no-details")
def test_carriers_managing_agencies_and_employees_have_no_details_and_customers_do(connection: Connection) -> None:
    customers = [("C", "C"), ("C", None), (None, None), ("H", "C")]
    others = [("R", "C"), ("C", "R"), (None, " r "), ("M", None), ("C", "M"), ("E", "E"), ("C", "e")]
    for number, codes in enumerate([*customers, *others]):
        put_contact(connection, str(number + 1), *codes)
        put_policy_of(connection, str(number + 1))
    assert due_accounts(connection) == ["1", "2", "3", "4"]


def test_a_prospect_is_asked_about_once_a_live_policy_names_it(connection: Connection) -> None:
    put_contact(connection, "1", "P", "P")
    put_contact(connection, "2", "C", "P")
    put_contact(connection, "3", "P", None)
    put_policy_of(connection, "3", deleted_at=NOON)
    assert due_accounts(connection) == []
    put_policy_of(connection, "2")
    assert due_accounts(connection) == ["2"]


def test_a_request_has_the_parent_fields_that_the_child_needs(connection: Connection) -> None:
    put(connection, "1", CustomerId=7, PolicyNumber="not needed", TotalPremium=12.5)
    assert carried(due(connection)[0]) == {"PolicyId": 1, "CustomerId": 7, "Status": "A", "TotalPremium": 12.5}
    assert carried(due(connection, ADJUSTMENTS)[0]) == {"PolicyId": 1, "CustomerId": 7}


def test_a_parent_whose_call_failed_is_postponed(connection: Connection) -> None:
    put(connection, "1")
    put(connection, "2")
    due(connection)
    children.postpone_failed(connection, DETAILS, TENANT, ["1"])
    assert ids(due(connection)) == ["2"]
    let_pass(connection, children.RETRY_DELAY)
    assert sorted(ids(due(connection))) == ["1", "2"]


def test_a_parent_that_is_due_after_the_start_waits_for_the_next_run(connection: Connection) -> None:
    put(connection, "1")
    refresh(connection, DETAILS)
    start = children.read_database_time(connection) - timedelta(seconds=1)
    assert children.take_due_requests(connection, DueQuery(TENANT, [DETAILS.name], start), 10) == []


def test_tenants_have_separate_queues(connection: Connection) -> None:
    put(connection, "1", tenant="another")
    assert due(connection) == []
    put(connection, "1")
    assert ids(due(connection)) == ["1"]


def test_coverage_counts_the_outstanding_calls(connection: Connection) -> None:
    for number in range(1, 5):
        put(connection, str(number))
    children.mark_covered(connection, DETAILS, TENANT, due(connection)[:3], AGE)
    now = children.read_database_time(connection)
    assert children.read_coverage(connection, DETAILS.name, TENANT) == QueueCoverage(4, 3, 1, now)
    assert children.read_coverage(connection, "documents", TENANT) == QueueCoverage(0, 0, 0, None)


@pytest.mark.parametrize(
    "newer",
    [
        {"Status": "D"},
        {"status": CleanStatus(RawState.VALIDATION_ERROR, "status is missing", 1, "r")},
    ],
)
def test_an_excluded_parent_leaves_the_queue(connection: Connection, newer: Mapping[str, Any]) -> None:
    put(connection, "1")
    put(connection, "2")
    due(connection)
    put(connection, "1", 1, **newer)
    requests = due(connection)
    assert ids(requests) == ["2"]
    children.mark_covered(connection, DETAILS, TENANT, requests, AGE)
    assert due(connection) == []
    assert children.read_coverage(connection, DETAILS.name, TENANT).outstanding == 0


def test_a_parent_that_returns_is_queued_again(connection: Connection) -> None:
    put(connection, "1")
    children.mark_covered(connection, DETAILS, TENANT, due(connection), AGE)
    put(connection, "1", 1, Status="D")
    assert due(connection) == []
    put(connection, "1", 2)
    assert ids(due(connection)) == ["1"]


#: Values of fields that hold a code or a flag, as JSON can hold them.
ODD_VALUES: list[Any] = [
    *("D", "d", " d", "D ", "D\t", "\u00a0D", "D\u200b", "\ufeffD", "d\r\n", "\u3000D\u3000", "D D", "DD", "\u0110"),
    *("A", "a ", "P", "p\u200b", "e", "E ", "R", " m", "M\u00ad", "\u1d07", "", " ", "true", "TRUE", " Yes", "y", "T"),
    *("1", "1.0", "0", "no", True, False, None, 1, 0, 2, -1, [], ["D"], {}, {"D": 1}, "K", "\u212a", "\ufb02", "Na"),
]


def json_texts() -> list[Any]:
    """Return the hostile texts of the public corpus that JSON can hold in PostgreSQL; none without the corpus."""
    file = Path(os.environ.get("QQETL_CASES", Path(__file__).parents[3] / "shared" / "cases")) / "naughty.jsonl"
    texts = [json.loads(line)["input"] for line in file.read_text().splitlines()] if file.exists() else []
    return [text for text in texts if "\x00" not in text and text.isprintable()]


def test_marks_mean_the_same_in_sql_and_in_python(connection: Connection) -> None:
    """The queue reads raw rows with SQL, the cleaning with Python: deleted, active and filtered parents agree."""
    values = [*ODD_VALUES, *json_texts()]
    for codes in (("D",), ("A", "P"), ("R", "M", "E"), (True,)):
        condition = build_mark_condition(":field", ":codes")
        query = text(f"""
            SELECT ({condition}) IS TRUE
            FROM unnest(CAST(:records AS jsonb[])) WITH ORDINALITY AS parent (raw_data, number) ORDER BY number
        """)
        binds = {"field": "Mark", "codes": spellings(codes), **CLEANING_VALUES}
        records = [json.dumps({"Mark": value}) for value in values]
        by_sql = connection.execute(query, {**binds, "records": records}).scalars().all()
        assert dict(zip(records, by_sql, strict=True)) == {
            record: is_one_of(value, codes) for record, value in zip(records, values, strict=True)
        }


@pytest.mark.parametrize(
    "mark", [{"Status": "d"}, {"Status": "D "}, {"IsDeleted": "TRUE"}, {"IsDeleted": 1}, {"IsDeleted": " Y"}]
)
def test_a_parent_marked_deleted_in_any_spelling_gets_no_call(connection: Connection, mark: Mapping[str, Any]) -> None:
    put(connection, "1", **mark)
    put(connection, "2", Status=" a")
    put(connection, "3", Status="C")
    assert ids(due(connection)) == ["2", "3"]
    assert [calls.active for calls in count_due_calls(connection, DETAILS, POLICIES, TENANT, TODAY)] == [True, False]


def test_parents_count_as_read_once_they_were_read_or_when_none_will_come(connection: Connection) -> None:
    staff, office = find_resource("employee_list"), find_resource("locations")
    window = Window(datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 2, 1, tzinfo=UTC))

    def were_read(*named: str) -> bool:
        batch = build_batch(TENANT, window, "rules", "sync", {"resources": list(named)})
        return children.were_parents_read(connection, batch, staff)

    assert were_read(), "the settings leave the parents out of a batch of all resources"
    assert not were_read("employee_list")
    watermarks.write_offer(connection, TENANT, office.name, offered=False, reason="404")
    assert were_read("employee_list")
    watermarks.write_offer(connection, TENANT, office.name, offered=True)
    assert not were_read("employee_list")
    watermarks.advance_watermark(connection, TENANT, office.name, window)
    assert were_read("employee_list")
