"""Migrations: an upgrade from an empty database matches the models, and a downgrade and upgrade changes nothing."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

from etl.database.connect import make_engine
from etl.database.migrate import alembic_config, downgrade, schema_differences, upgrade
from etl.database.revisions import check_migrated, current_revision, head_revision, revisions
from etl.errors import DatabaseNotReady
from etl.ledger.leases import hold_lease
from etl.models import PRODUCTION
from etl.models.base import Base
from etl.reports.views import VIEWS
from etl.resources import CATALOGUE

ROOT = Path(__file__).parents[2]

#: A text description of a schema: columns, constraints, indexes and views.
SCHEMA = text("""
    SELECT 'column ' || table_schema || '.' || table_name || '.' || column_name || ' ' || data_type || ' '
           || is_nullable || ' ' || coalesce(column_default, '')
    FROM information_schema.columns WHERE table_schema IN ('public', 'etl', 'raw', 'masked')
    UNION ALL
    SELECT 'constraint ' || conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid)
    FROM pg_constraint WHERE connamespace::regnamespace::text IN ('public', 'etl', 'raw')
    UNION ALL
    SELECT 'index ' || indexdef FROM pg_indexes WHERE schemaname IN ('public', 'etl', 'raw')
    UNION ALL
    SELECT 'view ' || schemaname || '.' || viewname || ' ' || definition
    FROM pg_views WHERE schemaname IN ('public', 'etl', 'masked')
    ORDER BY 1
""")


@pytest.fixture
def empty(empty_database_url: str) -> Iterator[Engine]:
    """Return an engine for an empty database."""
    engine = make_engine(empty_database_url)
    yield engine
    engine.dispose()


def schema(engine: Engine) -> list[str]:
    """Return the description of a database's schema."""
    with engine.connect() as connection:
        return list(connection.execute(SCHEMA).scalars())


def url_of(engine: Engine) -> str:
    """Return the URL of an engine's database."""
    return engine.url.set(drivername="postgresql").render_as_string(hide_password=False)


def alembic(engine: Engine, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the `alembic` command as a developer does."""
    environment = {**os.environ, "DATABASE_URL": url_of(engine), "PYTHONPATH": str(folder)}
    command = [sys.executable, "-m", "alembic", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_the_newest_migration_matches_the_models(empty: Engine) -> None:
    upgrade(url_of(empty))
    with empty.connect() as connection:
        assert schema_differences(connection) == []
    check_migrated(empty)


def test_every_table_and_view_is_created(empty: Engine) -> None:
    upgrade(url_of(empty))
    objects = schema(empty)
    for name in (*(model.__tablename__ for model in PRODUCTION), *(item.raw_table for item in CATALOGUE)):
        assert any(f".{name}.id " in item for item in objects if item.startswith("column")), name
    for name in VIEWS:
        assert any(item.startswith(f"view {name} ") for item in objects), name


def test_a_downgrade_and_upgrade_leave_the_same_schema(empty: Engine) -> None:
    upgrade(url_of(empty))
    before = schema(empty)
    downgrade(url_of(empty), "base")
    left = [item for item in schema(empty) if "alembic_version" not in item]
    assert left == []
    upgrade(url_of(empty))
    assert schema(empty) == before


def test_a_second_upgrade_keeps_the_rows(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(
            text("INSERT INTO carriers (id, tenant, source_id, name) VALUES (gen_random_uuid(), 't', '1', 'A')")
        )
    upgrade(url_of(engine))
    with engine.connect() as connection:
        assert connection.execute(text("SELECT name FROM carriers")).scalar_one() == "A"


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE claims ADD COLUMN made_up text",
        "ALTER TABLE claims DROP COLUMN loss_type CASCADE",
        "DROP INDEX ix_policies_contact_id",
        "ALTER TABLE raw.raw_claims ALTER COLUMN version_at DROP NOT NULL",
        "DROP TABLE etl.watermarks CASCADE",
    ],
)
def test_a_difference_from_the_models_is_detected(engine: Engine, change: str) -> None:
    with engine.begin() as connection:
        connection.execute(text(change))
        assert schema_differences(connection) != []


def test_a_database_at_another_revision_is_refused_with_the_reason(empty: Engine) -> None:
    with pytest.raises(DatabaseNotReady, match="qqetl db upgrade"):
        check_migrated(empty)
    upgrade(url_of(empty))
    with empty.begin() as connection:
        connection.execute(text("UPDATE etl.alembic_version SET version_num = 'from_the_future'"))
    with pytest.raises(DatabaseNotReady, match="newer version"):
        check_migrated(empty)


def test_the_revisions_are_those_of_alembic() -> None:
    scripts = ScriptDirectory.from_config(alembic_config())
    assert revisions() == {script.revision: script.down_revision for script in scripts.walk_revisions()}
    assert head_revision() == scripts.get_current_head()


def test_the_alembic_command_works_from_the_root(empty: Engine, tmp_path: Path) -> None:
    folder = tmp_path / "checkout"
    folder.mkdir()
    shutil.copytree(ROOT / "etl", folder / "etl", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "alembic.ini", folder)
    up = alembic(empty, folder, "upgrade", "head")
    assert up.returncode == 0, up.stderr
    with empty.connect() as connection:
        assert current_revision(connection) == head_revision()
    created = alembic(empty, folder, "revision", "-m", "a new column")
    assert created.returncode == 0, created.stderr
    assert len(list((folder / "etl/alembic/versions").glob("*a_new_column*.py"))) == 1
    again = alembic(empty, folder, "upgrade", "head")
    assert again.returncode == 0, again.stderr


def test_two_concurrent_upgrades_create_one_schema(empty: Engine, tmp_path: Path) -> None:
    program = "import sys; from etl.database.migrate import upgrade; upgrade(sys.argv[1])"
    both = [subprocess.Popen([sys.executable, "-c", program, url_of(empty)], cwd=tmp_path) for _ in range(2)]
    assert [process.wait(60) for process in both] == [0, 0]
    with empty.connect() as connection:
        assert schema_differences(connection) == []


@pytest.mark.timeout(60)
def test_an_upgrade_with_nothing_to_do_waits_for_no_transaction_of_an_active_run(empty: Engine) -> None:
    """Replacing a trigger locks its table, which a run's transaction may have written and may want the next one of."""
    upgrade(url_of(empty))
    before = schema(empty)
    with empty.begin() as connection:
        connection.execute(text("DROP VIEW masked.claims CASCADE"))
    outdated = schema(empty)
    with hold_lease(empty, "default", ["contacts"]), empty.begin() as writer:
        writer.execute(text("LOCK TABLE public.contacts, public.policies IN ROW EXCLUSIVE MODE"))
        holder = upgrade(url_of(empty))  # would wait until the timeout of the test
        assert holder is not None
        assert str(os.getpid()) in holder
        assert schema(empty) == outdated != before
    assert upgrade(url_of(empty)) is None
    assert schema(empty) == before


def test_every_table_of_the_metadata_has_a_primary_key() -> None:
    assert [table.name for table in Base.metadata.tables.values() if not table.primary_key.columns] == []


def test_a_migration_is_one_transaction(empty: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(connection: Connection, grants: object) -> None:
        raise psycopg.OperationalError("the server went away")

    monkeypatch.setattr("etl.reports.views.create_views", broken)
    with pytest.raises(Exception, match=r"lost|went away"):
        upgrade(url_of(empty))
    monkeypatch.undo()
    assert schema(empty) == []
    upgrade(url_of(empty))
