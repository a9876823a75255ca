"""The statements of a sync use their indexes on large tables, even on tables last vacuumed while empty."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from feed_pages import NOON, Account, contact
from sqlalchemy import Connection, Engine, event, text

from etl.checks.declarations import CHECKS
from etl.checks.run_checks import fill_scope
from etl.ledger.children import child_refresh
from etl.ledger.children import queue as children
from etl.ledger.children.queue import DueQuery
from etl.ledger.quality.finding_lifecycle import build_close_statement
from etl.ledger.staging import raw_tables
from etl.ledger.staging.raw_tables import CleanStatus
from etl.load.rows import LoadContext, has_placeholders, write_stubs
from etl.models.states import RawState
from etl.record import ReadSet
from etl.resources import find_resource
from etl.window import Window

RECORDS, PAGE = 50_000, 500
BATCH = UUID(int=7)
#: Tables that are large here: a sequential scan of one of them is an error.
LARGE = ("raw.raw_contacts", "raw.raw_documents", "public.contacts", "etl.requests", "etl.child_queue")

FILL = (
    """
    INSERT INTO etl.batches (id, tenant, window_start, window_end, status, version, rules, command, started_at)
    VALUES (:batch, 't', '2020-01-01', '2026-01-01', 'extracting', '1', 'r', 'sync', '2026-01-01')
    """,
    """
    INSERT INTO raw.raw_contacts (id, tenant, source_id, raw_data, content_hash, version_at, page, etl_batch_id, status,
                                  rules, loaded_at, created_at)
    SELECT CAST(md5('raw' || n) AS uuid), 't', CAST(n AS text), '{"Status": "A"}', CAST(md5('hash' || n) AS uuid),
           '2025-01-01', 1 + n / 500, :batch, 'loaded', 'r', now(), '2025-01-01'
    FROM generate_series(1, :records) AS n
    """,
    """
    INSERT INTO raw.raw_documents (id, tenant, source_id, raw_data, content_hash, version_at, set_key, etl_batch_id,
                                   status, rules, loaded_at)
    SELECT CAST(md5('document' || n) AS uuid), 't', CAST(n AS text), '{}', CAST(md5('hash' || n) AS uuid),
           '2025-01-01', 'contacts:' || n / 5, :batch, 'loaded', 'r', now()
    FROM generate_series(1, :records) AS n
    """,
    """
    INSERT INTO public.contacts (id, tenant, source_id, status, is_placeholder, version_at, last_synced_at,
                                 etl_batch_id, raw_id)
    SELECT CAST(overlay(overlay(md5('t' || chr(31) || 'contacts' || chr(31) || n) PLACING '8' FROM 13)
                PLACING 'a' FROM 17) AS uuid),
           't', CAST(n AS text), 'A', false, '2025-01-01', now(), :batch, CAST(md5('raw' || n) AS uuid)
    FROM generate_series(1, :records) AS n
    """,
    """
    INSERT INTO etl.requests (batch_id, resource, page, path, parameters, status, attempts, milliseconds, bytes, items,
                              records, digest, ids, contents, requested_at)
    SELECT :batch, 'contacts', n, 'Contacts', '{}', 200, 1, 1, 1, 1, 1, sha256(CAST(CAST(n AS text) AS bytea)),
           ARRAY[CAST(n AS text)], sha256(''), '2026-01-01'
    FROM generate_series(1, :records) AS n
    """,
    """
    INSERT INTO etl.child_queue (tenant, resource, parent_id, parent_raw_id, parent_version_at, changed, priority,
                                 due_at)
    SELECT 't', 'documents', CAST(n AS text), CAST(md5('raw' || n) AS uuid), '2025-01-01', n % 100 = 0, n % 2,
           CASE WHEN n % 50 = 0 THEN CAST('2025-01-01' AS timestamptz) ELSE '2027-01-01' END
    FROM generate_series(1, :records) AS n
    """,
)

#: A statement, the marker that identifies it, and the index that it must use.
STATEMENTS = (
    ("the newest versions of records", "head.loaded_at IS NOT NULL AS loaded", "uq_raw_contacts_newest"),
    ("known pages, their requests", "AS wanted (digest)", "ix_requests_digest"),
    ("known pages, their records", "AS wanted (digest)", "uq_raw_contacts_newest"),
    ("which ids the table has", "FROM public.contacts AS stored WHERE stored.id = wanted.id LIMIT 1", "pk_contacts"),
    ("which ids it has in no form", "WHERE NOT EXISTS (SELECT FROM public.contacts", "pk_contacts"),
    ("the merge, what is there", "WITH classified AS MATERIALIZED", "pk_contacts"),
    ("whether any have not arrived", "SELECT EXISTS (SELECT FROM public.contacts", "ix_contacts_placeholder"),
    ("the end of earlier versions", "SET superseded_at = now() WHERE id = ANY", "pk_raw_contacts"),
    ("verdicts on what was staged", "FROM verdicts WHERE verdicts.id = staged.id", "pk_raw_contacts"),
    ("what waits for a step", "AND rules IS NULL AND superseded_at IS NULL", "ix_raw_contacts_waiting"),
    ("what has gone from its set", "SET superseded_at = now(), gone_batch_id", "ix_raw_documents_set"),
    ("what a run wrote", "INSERT INTO check_scope", "ix_contacts_etl_batch_id"),
    ("findings whose record a run made go", "UPDATE etl.findings AS known SET state", "ix_contacts_etl_batch_id"),
    ("the queue of details", "changed AND due_at <=", "ix_child_queue_next"),
    ("the refreshes by age", "AND NOT changed AND due_at <=", "ix_child_queue_refresh"),
    ("the parents of the queue", "AS wanted (source_id)", "uq_raw_contacts_newest"),
    ("the outstanding calls", "SELECT resource, count(*) AS calls", "ix_child_queue_refresh"),
    ("what is queued", "INSERT INTO etl.child_queue", "uq_raw_contacts_newest"),
    ("what is queued already", "INSERT INTO etl.child_queue", "pk_child_queue"),
)


@dataclass
class Plans:
    """The plans of everything that was run, by statement."""

    seen: list[tuple[str, list[dict[str, Any]]]] = field(default_factory=list)

    def of(self, sign: str) -> list[dict[str, Any]]:
        """Return the plan nodes of the statements that contain a marker; fail when there is none."""
        plans = [nodes for statement, nodes in self.seen if sign in statement]
        assert plans, f"no statement with {sign!r} was run"
        return [node for nodes in plans for node in nodes]

    def scans(self) -> list[str]:
        """Return which statements scan a large table."""
        names = {name.split(".")[1] for name in LARGE}
        return [
            f"{node['Relation Name']} is read from end to end by {' '.join(statement.split())}"
            for statement, nodes in self.seen
            for node in nodes
            if node["Node Type"] == "Seq Scan" and node["Relation Name"] in names
        ]


def nodes_of(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the nodes of a plan."""
    yield plan
    for inner in plan.get("Plans", ()):
        yield from nodes_of(inner)


@contextmanager
def planned(engine: Engine) -> Iterator[Plans]:
    """Record the plans of all statements executed in the block, before they run."""
    plans = Plans()

    def explain(connection: Connection, _: Any, statement: str, parameters: Any, *__: Any) -> None:
        if isinstance(parameters, dict) and re.match(r"\s*(SELECT|INSERT|UPDATE|DELETE|WITH)\b", statement):
            driver: Any = connection.connection.driver_connection
            with driver.cursor() as cursor:
                cursor.execute(f"EXPLAIN (FORMAT JSON) {statement}", parameters)
                plans.seen.append((statement, list(nodes_of(cursor.fetchone()[0][0]["Plan"]))))

    event.listen(engine, "before_cursor_execute", explain)
    try:
        yield plans
    finally:
        event.remove(engine, "before_cursor_execute", explain)


@pytest.fixture(params=["vacuumed while empty", "analyzed"])
def filled(engine: Engine, request: pytest.FixtureRequest) -> Engine:
    """Give a database with large tables, and with the planner's statistics for them."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for name in LARGE:
            connection.execute(text(f"ALTER TABLE {name} SET (autovacuum_enabled = off)"))
            connection.execute(text(f"VACUUM ANALYZE {name}"))
        for statement in FILL:
            bound = {"batch": BATCH, "records": RECORDS}
            connection.execute(text(statement), {name: bound[name] for name in bound if f":{name}" in statement})
        if request.param == "analyzed":
            for name in LARGE:
                connection.execute(text(f"VACUUM ANALYZE {name}"))
    return engine


def test_no_statement_of_a_sync_scans_a_large_table(filled: Engine) -> None:
    with planned(filled) as plans:
        for work in (take_pages, load_by_parts, step_by_step, end_sets, ask_for_details, end_a_run):
            work(filled)
    assert plans.scans() == []
    assert [message for statement in STATEMENTS for message in unused(plans, *statement)] == []


def unused(plans: Plans, name: str, sign: str, index: str) -> list[str]:
    """Return a message that a statement does not use its index."""
    used = sorted({node["Index Name"] for node in plans.of(sign) if "Index Name" in node})
    return [] if index in used else [f"{name}: uses {used} and not {index}"]


def take_pages(engine: Engine) -> None:
    """Take pages of unchanged, changed and new contacts through all steps."""
    account = Account(engine)
    some = [account.page([contact(n, NOON) for n in range(at, at + PAGE)]) for at in (1, 9_000, RECORDS - 100)]
    account.write(*some)
    account.write(*some, window=Window(NOON - timedelta(days=1), NOON + timedelta(days=1)))


def load_by_parts(engine: Engine) -> None:
    """Write stubs for many contacts."""
    target = LoadContext("t", uuid4(), Window(datetime(2000, 1, 1, tzinfo=UTC), NOON))
    with engine.begin() as connection:
        write_stubs(connection, target, [("contacts", str(number), None, NOON) for number in range(1, PAGE)], {})
        has_placeholders(connection, target, "contacts")


def step_by_step(engine: Engine) -> None:
    """Read pending raw rows, and set their status."""
    contacts = find_resource("contacts")
    with engine.begin() as connection:
        raw_tables.read_pending(connection, contacts, BATCH, [RawState.PENDING], str(UUID(int=0)), PAGE)
        heads = raw_tables.read_current_versions(
            connection, contacts, "t", [str(number) for number in range(20_000, 20_000 + PAGE)]
        )
        loaded = CleanStatus(RawState.LOADED, rules="r", loaded=True)
        raw_tables.update_status(connection, contacts, BATCH, {str(head.id): loaded for head in heads.values()})


def end_sets(engine: Engine) -> None:
    """End what is missing from sets that were read completely."""
    sets = [ReadSet(f"contacts:{number}", frozenset({str(5 * number)})) for number in range(1, 100)]
    with engine.begin() as connection:
        raw_tables.supersede_left_members(connection, find_resource("documents"), "t", BATCH, sets)


def ask_for_details(engine: Engine) -> None:
    """Read which details are due, and queue what arrived since the last refresh of the day."""
    with engine.begin() as connection:
        query = DueQuery("t", ["documents"], NOON)
        assert len(children.take_due_requests(connection, query, PAGE)) >= PAGE - 1
        assert len(children.take_due_requests(connection, replace(query, refreshes=True), PAGE)) >= PAGE - 1
        children.count_outstanding(connection, "t")
        day = children.read_database_time(connection)
        documents = [find_resource("documents")]
        child_refresh.write_last_refresh(connection, "t", documents, day, day.date())
        child_refresh.refresh_queue(connection, documents, find_resource("contacts"), "t", day.date())


def end_a_run(engine: Engine) -> None:
    """Run what follows the load of a run."""
    checks = [check for check in CHECKS if check.resource == "contacts"]
    bound = {"tenant": "t", "batch_id": uuid4()}
    with engine.begin() as connection:
        fill_scope(connection, checks, "contacts", bound)
        gone = build_close_statement(find_resource("contacts"), everything=False)
        connection.execute(gone, {**bound, "resource": "contacts", "batches": [bound["batch_id"]]})


@pytest.mark.parametrize("filled", ["analyzed"], indirect=True)
def test_what_arrived_is_found_without_looking_at_all_records(filled: Engine) -> None:
    with planned(filled) as plans:
        ask_for_details(filled)
    assert unused(plans, "what arrived", "AND created_at >", "ix_raw_contacts_arrived") == []


@pytest.mark.parametrize("filled", ["analyzed"], indirect=True)
def test_a_statement_without_its_index_is_reported(filled: Engine) -> None:
    with filled.begin() as connection:
        connection.execute(text("DROP INDEX raw.ix_raw_documents_set"))
    with planned(filled) as plans:
        end_sets(filled)
    (statement,) = [statement_case for statement_case in STATEMENTS if statement_case[2] == "ix_raw_documents_set"]
    (messages,) = unused(plans, *statement)
    assert messages.startswith("what has gone from its set: uses ")
