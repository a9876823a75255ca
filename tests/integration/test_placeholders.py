"""Placeholders at the end of a run: which are removed, which are kept, and how concurrent transactions behave."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Connection, Engine, TextClause, insert, text
from sqlalchemy.exc import IntegrityError

from etl.database.embedded.file_lock import wait_until
from etl.load.computed import refresh_computed_columns
from etl.load.placeholders import delete_unreferenced, find_outdated_names, find_unreferenced, refresh_placeholders
from etl.load.rows import LoadContext, write_stubs
from etl.models import Carrier, Contact, Employee, Model, Policy
from etl.models.base import row_id
from etl.window import FIRST_INSTANT, Window

TENANT, BATCH = "t", UUID(int=1)
WRITTEN = {"policies"}
SECONDS = 30


@pytest.fixture
def connection(engine: Engine) -> Iterator[Connection]:
    with engine.begin() as open_connection:
        yield open_connection


def put(connection: Connection, model: type[Model], source_id: str, **values: Any) -> UUID:
    """Insert a row into a table and return its id."""
    key = row_id(TENANT, model.__tablename__, source_id)
    connection.execute(insert(model).values(id=key, tenant=TENANT, source_id=source_id, etl_batch_id=BATCH, **values))
    return key


def wait(connection: Connection, model: type[Model], source_id: str, **values: Any) -> UUID:
    """Insert a placeholder into a table and return its id."""
    return put(connection, model, source_id, is_placeholder=True, **values)


def policy(connection: Connection, source_id: str, contact: UUID, **values: Any) -> UUID:
    return put(connection, Policy, source_id, contact_id=contact, status="A", **values)


def standing(connection: Connection, model: type[Model]) -> list[str]:
    return list(connection.execute(text(f"SELECT source_id FROM {model.__tablename__} ORDER BY 1")).scalars())


def test_a_placeholder_with_only_a_deleted_reference_is_kept(connection: Connection) -> None:
    contact = wait(connection, Contact, "1")
    gone = policy(connection, "10", contact)
    connection.execute(text("UPDATE policies SET deleted_at = now() WHERE id = :id"), {"id": gone})
    refresh_placeholders(connection, TENANT, WRITTEN)
    assert standing(connection, Contact) == ["1"]


def test_the_row_of_an_erased_person_is_kept_without_a_name(connection: Connection) -> None:
    forgotten = {"is_placeholder": True, "deleted_at": text("now()")}
    contacts, alone = (put(connection, Contact, source_id, **forgotten) for source_id in ("1", "2"))
    policy(connection, "10", contacts, customer_name="Doe, Jane")
    refresh_placeholders(connection, TENANT, WRITTEN)
    rows = connection.execute(text("SELECT id, display_name FROM contacts ORDER BY source_id")).all()
    assert [tuple(row) for row in rows] == [(contacts, None), (alone, None)]


def test_a_placeholder_with_a_record_of_a_secondary_source_is_kept(connection: Connection) -> None:
    for source_id in ("1", "2"):
        wait(connection, Contact, source_id)
    connection.execute(
        text("""
            INSERT INTO raw.raw_account_info (id, tenant, source_id, raw_data, content_hash, version_at, etl_batch_id)
            VALUES (gen_random_uuid(), :tenant, '1', '{}', gen_random_uuid(), now(), :batch)
        """),
        {"tenant": TENANT, "batch": BATCH},
    )
    refresh_placeholders(connection, TENANT, WRITTEN)
    assert standing(connection, Contact) == ["1"]


def test_placeholders_of_another_tenant_do_not_change(connection: Connection) -> None:
    wait(connection, Carrier, "7")
    refresh_placeholders(connection, "another", WRITTEN)
    assert standing(connection, Carrier) == ["7"]
    refresh_placeholders(connection, TENANT, {"documents"})
    assert standing(connection, Carrier) == ["7"], "no document refers to a carrier"
    refresh_placeholders(connection, TENANT, WRITTEN)
    assert standing(connection, Carrier) == []


def test_a_placeholder_known_by_name_is_kept_while_a_row_has_the_name_without_an_id(connection: Connection) -> None:
    contact = put(connection, Contact, "1", status="A", agent_name="Kim")
    for name in ("Kim", "Ana"):
        wait(connection, Employee, f"name:{name}", display_name=name)
    policy(connection, "10", contact, agent_name="Al")
    refresh_placeholders(connection, TENANT, WRITTEN)
    rows = connection.execute(text("SELECT source_id, display_name FROM employees")).all()
    assert [tuple(row) for row in rows] == [("name:Kim", "Kim")]


def executed(connection: Connection, query: TextClause) -> list[dict[str, Any]]:
    """Return the nodes of a query's plan that were executed."""
    statement = text(f"EXPLAIN (ANALYZE, FORMAT JSON) {query}")
    waiting = [connection.execute(statement, {"tenant": TENANT}).scalar_one()[0]["Plan"]]
    nodes = []
    while waiting:
        node = waiting.pop()
        waiting += node.get("Plans", ())
        nodes += [node] if node["Actual Loops"] else []
    return nodes


def test_references_by_text_are_read_once_and_only_without_a_foreign_key(connection: Connection) -> None:
    employee, carrier = wait(connection, Employee, "7"), wait(connection, Carrier, "8")
    contact = put(connection, Contact, "1", status="A", agent_id=employee)
    policy(connection, "10", contact, carrier_id=carrier, writing_carrier="Acme", agent_name="Kim Lee")
    settled = executed(connection, find_unreferenced(Employee))
    assert not [node for node in settled if node["Node Type"] in {"Aggregate", "Unique"}], "a foreign key refers to it"
    wait(connection, Employee, "name:Kim Lee")
    settled = executed(connection, find_unreferenced(Employee))
    assert [node for node in settled if node["Node Type"] in {"Aggregate", "Unique"}], "only text refers to it"
    query = find_outdated_names(Carrier)
    assert query is not None
    executed_nodes = executed(connection, query)
    assert {node["Actual Loops"] for node in executed_nodes if node.get("Relation Name") == "policies"} == {1}


def test_placeholders_are_kept_when_a_foreign_table_refers_to_one(connection: Connection) -> None:
    for source_id in ("7", "8"):
        wait(connection, Carrier, source_id)
    connection.execute(text("CREATE TABLE appetite (carrier_id uuid REFERENCES carriers (id))"))
    connection.execute(text("INSERT INTO appetite SELECT id FROM carriers WHERE source_id = '7'"))
    refresh_placeholders(connection, TENANT, WRITTEN)
    assert standing(connection, Carrier) == ["7", "8"]


def test_the_history_is_removed_with_the_placeholder(connection: Connection) -> None:
    key = wait(connection, Contact, "1", display_name="a")
    connection.execute(text("INSERT INTO history.contacts (id, tenant, source_id) VALUES (:id, 't', '1')"), {"id": key})
    refresh_placeholders(connection, TENANT, WRITTEN)
    assert connection.execute(text("SELECT count(*) FROM v_contacts_history")).scalar_one() == 0


def test_the_next_batch_refreshes_placeholders_of_an_interrupted_one(engine: Engine) -> None:
    with engine.begin() as connection:
        wait(connection, Carrier, "7")
        connection.execute(
            text("""
                INSERT INTO etl.batches (id, tenant, window_start, window_end, status, rules, version, command)
                VALUES (:id, :tenant, '2026-01-01', '2026-02-01', 'extracting', '', '1', 'sync')
            """),
            {"id": BATCH, "tenant": TENANT},
        )
        connection.execute(
            text("INSERT INTO etl.sync_history (batch_id, table_name, updated) VALUES (:id, 'policies', 1)"),
            {"id": BATCH},
        )
        refresh_computed_columns(connection, TENANT, UUID(int=2))
        assert standing(connection, Carrier) == []


def test_a_concurrent_reference_to_a_removed_placeholder_fails_by_the_foreign_key(engine: Engine) -> None:
    """The loader that gets the error writes a new placeholder."""
    with engine.begin() as connection:
        contact, carrier = put(connection, Contact, "1", status="A"), wait(connection, Carrier, "7")

    def refer() -> None:
        with engine.begin() as neighbour:
            policy(neighbour, "10", contact, carrier_id=carrier)

    with ThreadPoolExecutor(1) as other:
        with engine.begin() as connection:
            refresh_placeholders(connection, TENANT, WRITTEN)
            waiting = other.submit(refer)
        assert isinstance(waiting.exception(SECONDS), IntegrityError)


def test_a_placeholder_referred_to_since_the_first_check_is_kept(connection: Connection) -> None:
    contact, carrier = put(connection, Contact, "1", status="A"), wait(connection, Carrier, "7")
    policy(connection, "10", contact, carrier_id=carrier)
    bound = {"tenant": TENANT, "ids": [carrier, wait(connection, Carrier, "8")]}
    assert len(connection.execute(delete_unreferenced(Carrier), bound).all()) == 1
    assert standing(connection, Carrier) == ["7"]


def test_a_placeholder_that_a_concurrent_transaction_refers_to_is_skipped(engine: Engine) -> None:
    with engine.begin() as connection:
        contact, carrier = put(connection, Contact, "1", status="A"), wait(connection, Carrier, "7")
    with engine.connect() as neighbour, neighbour.begin(), engine.begin() as connection:
        policy(neighbour, "10", contact, carrier_id=carrier)
        connection.execute(text("SET LOCAL lock_timeout = '5s'"))
        refresh_placeholders(connection, TENANT, WRITTEN)
        assert standing(connection, Carrier) == ["7"]


def name_by_reference(connection: Connection, source_id: str, contact: UUID) -> None:
    """Load a policy that names the agent Kim, as a loader does: first its stubs, then its own row."""
    window = Window.of({"start_date": FIRST_INSTANT, "end_date": "2026-03-01"})
    stub = ("employees", "name:Kim", "Kim", datetime(2026, 1, 1, tzinfo=UTC))
    write_stubs(connection, LoadContext(TENANT, BATCH, window), [stub], {})
    policy(connection, source_id, contact, agent_name="Kim")


def test_a_placeholder_that_a_concurrent_transaction_names_is_skipped(engine: Engine) -> None:
    with engine.begin() as connection:
        contact = put(connection, Contact, "1", status="A")
        for name in ("Ana", "Kim"):
            wait(connection, Employee, f"name:{name}", display_name=name)
    with engine.begin() as neighbour:
        name_by_reference(neighbour, "10", contact)
        with engine.begin() as connection:
            connection.execute(text("SET LOCAL lock_timeout = '5s'"))
            refresh_placeholders(connection, TENANT, WRITTEN)
    with engine.begin() as connection:
        assert standing(connection, Employee) == ["name:Kim"]


WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


def test_a_concurrent_transaction_that_names_a_removed_placeholder_inserts_a_new_one(engine: Engine) -> None:
    with engine.begin() as connection:
        contact = put(connection, Contact, "1", status="A")
        wait(connection, Employee, "name:Kim", display_name="Kim")

    def name() -> None:
        with engine.begin() as neighbour:
            name_by_reference(neighbour, "10", contact)

    with ThreadPoolExecutor(1) as other:
        with engine.begin() as connection:
            refresh_placeholders(connection, TENANT, WRITTEN)
            naming = other.submit(name)
            # One query per transaction: PostgreSQL shows a transaction the same sessions until its end.
            with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as looking:
                waits = text(WAITING)
                assert wait_until(lambda: naming.done() or bool(looking.execute(waits).scalar_one()), SECONDS)
        naming.result(SECONDS)
    with engine.begin() as connection:
        assert standing(connection, Employee) == ["name:Kim"]
