"""Row history: every kind of change leaves a version with both periods; no change leaves none."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Connection, Engine, text

from etl.config.settings import Settings
from etl.copy_text import format_row
from etl.errors import SettingsError
from etl.ledger.account import tenants
from etl.ledger.staging import full_scan
from etl.load.rows import LoadContext, load_rows, soft_delete_missing, write_stubs
from etl.models import PAST, PRODUCTION, Department
from etl.models.base import PRIMARY, Model, row_id
from etl.reshape.reshaper import Row, row_columns
from etl.resources import find_resource
from etl.window import Window

TENANT, BATCH = "t", UUID(int=1)
JUNE = datetime(2026, 6, 1, tzinfo=UTC)
EVER = Window(datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))
KEY = row_id(TENANT, "departments", "1")

Write = Callable[[Connection], Any]


@pytest.fixture
def kept(engine: Engine) -> Engine:
    """Return a database in which departments keep history."""
    commit(engine, "INSERT INTO etl.tenants (tenant, fingerprint, history) VALUES ('t', '', ARRAY['departments'])")
    return engine


def commit(engine: Engine, write: str | Write) -> None:
    """Write in a separate transaction."""
    with engine.begin() as connection:
        if isinstance(write, str):
            connection.execute(text(write))
        else:
            write(connection)


def load(name: str, day: int, *, dead: bool = False, raw_id: str | None = None) -> Write:
    """Return a function that loads the version of a day of department 1."""
    at = JUNE + timedelta(days=day)
    deleted_at, raw = at if dead else None, raw_id or str(uuid4())
    values = [str(KEY), "1", None, None, name, True, JUNE, at, at, deleted_at, uuid4().hex, raw]
    row = Row(str(KEY), raw, format_row(values), undated=False, deleted=dead)
    columns = row_columns(Department, PRIMARY)
    return lambda connection: load_rows(
        connection, LoadContext(TENANT, BATCH, EVER), find_resource("departments"), columns, [row]
    )


def versions(engine: Engine) -> list[tuple[Any, ...]]:
    """Return the versions of department 1 in order: name, live, first and last day of validity."""
    query = text("""
        SELECT name, live, valid_from, valid_to, known_from, known_to FROM v_departments_history
        ORDER BY known_from, stands
    """)
    with engine.connect() as connection:
        rows = connection.execute(query).all()
    for version, following in pairwise(rows):
        assert version.known_to == following.known_from, "the history has a gap"
    assert [version.known_to for version in rows[-1:]] == [None] * len(rows[-1:])
    return [(version.name, version.live, day_of(version.valid_from), day_of(version.valid_to)) for version in rows]


def day_of(moment: datetime | None) -> Any:
    """Return the days since June 1, None for an open end, `now` for a later month."""
    days = None if moment is None else (moment - JUNE).days
    return "now" if days is not None and days > 30 else days


def test_a_changed_row_leaves_a_version_with_both_periods(kept: Engine) -> None:
    for write in (load("a", 1), load("b", 5), load("c", 9)):
        commit(kept, write)
    assert versions(kept) == [("a", True, 0, 5), ("b", True, 5, 9), ("c", True, 9, None)]


def test_an_unchanged_row_leaves_no_version(kept: Engine) -> None:
    for write in (load("a", 1), load("a", 1), load("a", 7), load("a", 3)):
        commit(kept, write)
    assert versions(kept) == [("a", True, 0, None)]
    commit(kept, load("b", 9))
    assert versions(kept) == [("a", True, 0, 9), ("b", True, 9, None)]


def test_a_correction_leaves_a_version_that_was_never_valid(kept: Engine) -> None:
    for write in (load("a", 1), load("misread", 5), load("corrected", 5)):
        commit(kept, write)
    assert versions(kept) == [("a", True, 0, 5), ("misread", True, 5, 5), ("corrected", True, 5, None)]


def test_a_deletion_and_a_restoration_are_versions(kept: Engine) -> None:
    for write in (load("a", 1), load("a", 5, dead=True), load("a", 9)):
        commit(kept, write)
    assert versions(kept) == [("a", True, 0, 5), ("a", False, 5, 9), ("a", True, 9, None)]


def test_versions_of_a_placeholder_were_never_valid(kept: Engine) -> None:
    stubs = [("departments", "1", None, JUNE + timedelta(days=8))]
    commit(kept, partial(write_stubs, context=LoadContext(TENANT, BATCH, EVER), stubs=stubs, present={}))
    commit(kept, "UPDATE departments SET name = 'heard of', updated_at = now()")
    commit(kept, load("a", 1))
    shown = versions(kept)
    assert [version[:2] for version in shown] == [(None, False), ("heard of", False), ("a", True)]
    assert [version[2] == version[3] for version in shown] == [True, True, False]
    assert shown[-1][2:] == (0, None)


def test_a_missing_row_that_is_restored_leaves_versions(kept: Engine) -> None:
    raw_id, departments = str(uuid4()), find_resource("departments")
    commit(kept, load("a", 1, raw_id=raw_id))
    commit(kept, f"""
        INSERT INTO raw.raw_departments (id, tenant, source_id, raw_data, content_hash, version_at, etl_batch_id,
                                         superseded_at, gone_batch_id)
        VALUES ('{raw_id}', 't', '1', '{{}}', gen_random_uuid(), now(), '{BATCH}', now(), '{BATCH}')
    """)  # fmt: skip
    commit(kept, lambda connection: soft_delete_missing(connection, LoadContext(TENANT, BATCH, EVER), departments))
    assert versions(kept) == [("a", True, 0, "now"), ("a", False, "now", None)]
    commit(kept, lambda connection: full_scan.restore_missing(connection, departments, TENANT, BATCH))
    assert [version[:2] for version in versions(kept)] == [("a", True), ("a", False), ("a", True)]
    with kept.connect() as connection:
        query = "SELECT count(*) FROM v_departments_history WHERE NOT live AND valid_from <> valid_to"
        assert connection.execute(text(query)).scalar_one() == 0, "it was never missing"


def test_a_row_that_one_transaction_writes_twice_leaves_no_version(kept: Engine) -> None:
    commit(kept, lambda connection: [write(connection) for write in (load("a", 1), load("b", 5))])
    assert versions(kept) == [("b", True, 0, None)]


def test_a_rolled_back_change_leaves_nothing(kept: Engine) -> None:
    commit(kept, load("a", 1))
    with kept.connect() as connection, connection.begin() as transaction:
        load("b", 5)(connection)
        transaction.rollback()
    assert versions(kept) == [("a", True, 0, None)]


def test_a_table_without_history_writes_no_versions(engine: Engine) -> None:
    for write in (load("a", 1), load("b", 5)):
        commit(engine, write)
    assert versions(engine) == [("b", True, 0, None)]


def test_the_history_of_many_changes_is_written_in_bulk(kept: Engine) -> None:
    commit(kept, """
        INSERT INTO departments (id, tenant, source_id, name, version_at, updated_at)
        SELECT gen_random_uuid(), 't', CAST(n AS text), 'a', now(), now() - interval '1 day'
        FROM generate_series(1, 20000) AS n
    """)  # fmt: skip
    began = datetime.now(tz=UTC)
    commit(kept, "UPDATE departments SET name = 'b', version_at = now(), updated_at = now()")
    with kept.connect() as connection:
        assert (
            connection.execute(text("SELECT count(*) FROM history.departments WHERE name = 'a'")).scalar_one() == 20000
        )
    assert datetime.now(tz=UTC) - began < timedelta(seconds=20), "a cross join would take minutes"


@pytest.mark.parametrize("model", PRODUCTION, ids=lambda model: model.__tablename__)
def test_the_history_has_every_column_of_its_table(model: type[Model]) -> None:
    wanted = [(column.name, str(column.type)) for column in model.__table__.columns]
    assert [(column.name, str(column.type)) for column in PAST[model].columns][1 : len(wanted) + 1] == wanted


@pytest.fixture
def connection(engine: Engine) -> Iterator[Connection]:
    """Yield a connection inside a transaction."""
    with engine.begin() as opened:
        yield opened


def kept_tables(connection: Connection, setting: str) -> list[str] | None:
    """Register a tenant with a setting, and return the tables with history."""
    settings = Settings(_env_file=None, qqcatalyst_client_id="a", etl_tenant=TENANT, etl_history=setting)
    tenants.register_tenant(connection, settings)
    kept: list[str] | None = connection.execute(text("SELECT history FROM etl.tenants")).scalar_one()
    return kept


def test_the_setting_adds_and_removes_tables(connection: Connection) -> None:
    by_default = ["contacts", "policies", "policy_details", "coverages"]
    assert kept_tables(connection, "") is None
    assert kept_tables(connection, "claims, quotes") is not None
    assert sorted(kept_tables(connection, "claims quotes") or ()) == sorted([*by_default, "claims", "quotes"])
    assert len(kept_tables(connection, "all") or ()) == len(PRODUCTION)
    assert kept_tables(connection, "") is None
    assert [model.__tablename__ for model in PRODUCTION if model.keeps_history] == by_default


def test_an_unknown_table_is_rejected_by_name(connection: Connection) -> None:
    with pytest.raises(SettingsError, match="ETL_HISTORY contains an unknown table: claim"):
        kept_tables(connection, "claim")
