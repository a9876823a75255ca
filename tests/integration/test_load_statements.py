"""The statements of the load in a real PostgreSQL: valid for every table, and true to the window rule."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Connection, Engine, TextClause, text
from sqlalchemy.exc import DBAPIError

from etl.copy_text import format_row
from etl.load.rows import LoadContext, load_rows, write_stubs
from etl.load.upsert import count_differences, insert_placeholders, soft_delete, upsert
from etl.models import PRODUCTION, Department
from etl.models.base import PRIMARY, row_id
from etl.reshape.reshaper import Row, row_columns
from etl.resources import CATALOGUE, find_resource
from etl.window import WINDOW_RULE, Window

TENANT, BATCH = "t", UUID(int=1)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
WINDOW = Window(NOON - timedelta(hours=3), NOON + timedelta(hours=3))
FOREVER = Window(datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))
BOUND = {"tenant": TENANT, "batch_id": BATCH, "window_start": WINDOW.start, "window_end": WINDOW.end}


@pytest.fixture
def connection(engine: Engine) -> Iterator[Connection]:
    """Give a connection inside a transaction."""
    with engine.begin() as opened:
        yield opened


def complaint(connection: Connection, statement: TextClause) -> str | None:
    """Return PostgreSQL's error for a statement, None if it succeeds."""
    names = statement.compile().params
    try:
        with connection.begin_nested():
            connection.execute(text(f"EXPLAIN {statement}"), {name: BOUND[name] for name in names})
    except DBAPIError as error:
        return str(error.orig)
    return None


def test_every_statement_is_valid(connection: Connection) -> None:
    complaints: dict[str, str | None] = {}
    for item in [item for item in CATALOGUE if item.has_table]:
        statements = upsert(item.model, item.data_source, row_columns(item.model, item.data_source))
        connection.execute(text(f"DROP TABLE IF EXISTS pg_temp.{statements.incoming}"))
        connection.execute(statements.prepare)
        complaints[f"{item.name}: merge"] = complaint(connection, statements.merge)
        complaints[f"{item.name}: differences"] = complaint(connection, count_differences(item.model, item.data_source))
        complaints[f"{item.name}: bury"] = complaint(connection, soft_delete(item))
    for model in PRODUCTION:
        statements = insert_placeholders(model)
        connection.execute(statements.prepare)
        complaints[f"{model.__tablename__}: placeholders"] = complaint(connection, statements.merge)
    assert {name: words for name, words in complaints.items() if words} == {}


#: Hours from noon of the incoming version, the stored one, the last sync and the creation (None: not in the record),
#: whether the record has no date at all, and whether it may be written. The window: three hours before to three after.
WINDOW_CASES = [
    (1, 0, 9, None, False, True),  # strictly newer: always written, in any window
    (99, 0, 99, 99, False, True),
    (-1, 0, -9, 0, False, False),  # older: never written
    (-1, 0, -9, None, True, False),
    (0, 0, 2, None, False, True),  # same version, last synced before the window's end, changed inside the window
    (0, 0, 3, None, False, False),  # last synced at the window's end
    (-3, -3, 0, None, False, True),  # the start belongs to the window
    (3, 3, 0, None, False, False),  # the end does not
    (9, 9, 0, 0, False, True),  # created inside the window, and modified later
    (9, 9, 0, -3, False, True),
    (9, 9, 0, 3, False, False),
    (-4, -4, 0, -5, False, False),
    (-4, -4, 0, None, True, True),  # has no date
    (-4, -4, 3, None, True, False),
]


def at(hours: int | None) -> datetime | None:
    """Return the time this many hours from noon."""
    return None if hours is None else NOON + timedelta(hours=hours)


def test_the_window_rule(connection: Connection) -> None:
    rule = text(f"""
        SELECT coalesce({WINDOW_RULE}, false)
        FROM (SELECT CAST(:incoming AS timestamptz) AS version_at, CAST(:undated AS boolean) AS undated,
                     CAST(:created AS timestamptz) AS source_created_at) AS incoming,
             (SELECT CAST(:stored AS timestamptz) AS version_at,
                     CAST(:synced AS timestamptz) AS last_synced_at) AS stored
    """)
    bounds = {name: BOUND[name] for name in ("window_start", "window_end")}
    wrong = []
    for incoming, stored_at, synced, created, undated, passes in WINDOW_CASES:
        times = {"incoming": at(incoming), "stored": at(stored_at), "synced": at(synced), "created": at(created)}
        if connection.execute(rule, {**times, **bounds, "undated": undated}).scalar_one() is not passes:
            wrong.append((incoming, stored_at, synced, created, undated))
    assert wrong == []


def row_of(number: int, raw_id: str, *, location: Any = None, **facts: Any) -> Row:
    """Return a reshaped department: its name, the time of its version, and when it was deleted."""
    key = str(row_id(TENANT, "departments", str(number)))
    at, deleted_at = facts.get("at", NOON), facts.get("deleted_at")
    name = facts.get("name", "a")
    values = [key, str(number), location, None, name, True, None, at, at, deleted_at, uuid4().hex, raw_id]
    return Row(key, raw_id, format_row(values), undated=False, deleted=deleted_at is not None)


def load(connection: Connection, name: str, hours: int, *, dead: bool = False, window: Window = FOREVER) -> str:
    """Load a version of department 1 and return the outcome."""
    version = NOON + timedelta(hours=hours)
    columns = row_columns(Department, PRIMARY)
    row = row_of(1, str(uuid4()), name=name, at=version, deleted_at=version if dead else None)
    target = LoadContext(TENANT, uuid4(), window)
    (outcome,) = load_rows(connection, target, find_resource("departments"), columns, [row]).counts
    return outcome


def stored(connection: Connection) -> tuple[str | None, bool, bool, datetime | None]:
    """Return the stored row: name, deleted, placeholder, version."""
    row = connection.execute(text("SELECT name, deleted_at, is_placeholder, version_at FROM departments")).one()
    return row.name, row.deleted_at is not None, row.is_placeholder, row.version_at


def test_a_newer_version_is_written_and_an_older_one_is_not(connection: Connection) -> None:
    assert load(connection, "a", 0) == "inserted"
    assert load(connection, "b", 1) == "updated"
    assert load(connection, "c", 0) == "older"
    assert stored(connection) == ("b", False, False, NOON + timedelta(hours=1))


def test_a_touch_changes_only_the_time_and_counts_as_unchanged(connection: Connection) -> None:
    load(connection, "a", 0)
    before = connection.execute(text("SELECT etl_batch_id FROM departments")).scalar_one()
    assert load(connection, "a", 1) == "unchanged"
    assert stored(connection) == ("a", False, False, NOON + timedelta(hours=1))
    assert connection.execute(text("SELECT etl_batch_id FROM departments")).scalar_one() == before
    assert load(connection, "b", 0) == "older"  # the touch is a version as well


def test_the_same_version_is_unchanged(connection: Connection) -> None:
    load(connection, "a", 0)
    assert load(connection, "a", 0) == "unchanged"


def test_a_replay_of_a_past_window_repairs_without_overwriting_newer_rows(connection: Connection) -> None:
    load(connection, "a", 0)
    assert load(connection, "mended", 0, window=FOREVER) == "updated"
    assert (
        load(connection, "not of this window", 0, window=WINDOW) == "outside_window"
    )  # last synced after the window's end
    assert stored(connection)[0] == "mended"


def test_a_deleted_record_is_revived(connection: Connection) -> None:
    load(connection, "a", 0)
    assert load(connection, "a", 1, dead=True) == "updated"
    assert stored(connection)[:2] == ("a", True)
    assert load(connection, "a", 2) == "updated"
    assert stored(connection)[:2] == ("a", False)
    history = connection.execute(text("SELECT sum(deleted), sum(revived) FROM etl.sync_history")).one()
    assert tuple(history) == (1, 1)


NAMES = (("old", 0), ("new", 2), ("middle", 1), (None, 3))


def stub(connection: Connection, label: str | None, hours: int) -> None:
    """Add a stub of department 1 from a record of that hour."""
    stubs = [("departments", "1", label, NOON + timedelta(hours=hours))]
    write_stubs(connection, LoadContext(TENANT, BATCH, FOREVER), stubs, {})


def test_a_placeholder_is_filled_by_a_record_of_any_age(connection: Connection) -> None:
    stub(connection, "Claims", 5)
    assert stored(connection) == ("Claims", False, True, None)
    assert load(connection, "Claims department", 0) == "inserted"
    assert stored(connection) == ("Claims department", False, False, NOON)


def test_a_new_placeholder_gets_the_newest_name_and_an_existing_one_keeps_its_name(
    connection: Connection,
) -> None:
    stubs = [("departments", "1", label, NOON + timedelta(hours=hours)) for label, hours in NAMES]
    write_stubs(connection, LoadContext(TENANT, BATCH, FOREVER), stubs, {})
    assert stored(connection)[0] == "new"
    stub(connection, "newer", 9)
    assert stored(connection)[0] == "new", "the final name is read from the rows that refer to it"


def test_a_stub_never_overwrites_a_record(connection: Connection) -> None:
    load(connection, "a", 0)
    stub(connection, "b", 9)
    assert stored(connection) == ("a", False, False, NOON)


@pytest.mark.parametrize("ahead", ["source_id = 'as if'", "id = gen_random_uuid()"], ids=["the key", "the source id"])
def test_a_stub_inserted_by_a_concurrent_transaction_is_skipped(connection: Connection, ahead: str) -> None:
    """The order in which the indexes saw the concurrent row does not matter: both contain it after the commit."""
    stub(connection, "a", 0)
    connection.execute(text(f"UPDATE departments SET {ahead}"))
    stub(connection, "b", 1)
    assert stored(connection)[0] == "a"


def test_a_refused_row_does_not_affect_the_others(connection: Connection) -> None:
    bad = {2: "no uuid at all"}
    rows = [row_of(number, str(UUID(int=number)), location=bad.get(number)) for number in (1, 2, 3)]
    target = LoadContext(TENANT, BATCH, FOREVER)
    loaded = load_rows(connection, target, find_resource("departments"), row_columns(Department, PRIMARY), rows)
    assert loaded.counts == {"inserted": 2, "refused": 1}
    assert list(loaded.bad) == [str(UUID(int=2))]
    assert "no uuid at all" not in loaded.bad[str(UUID(int=2))]
