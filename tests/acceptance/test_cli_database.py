"""`qqetl db` on a filled database: backup, restore, move, and stopping a server that is in use."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from command_line import CommandLine, settings_of

from etl.database.embedded.server import EmbeddedPostgres, has_embedded
from etl.simulator import Simulator, SimulatorSettings

TABLES = """
    SELECT concat(schemaname, '.', tablename) FROM pg_tables
    WHERE schemaname IN ('public', 'raw', 'etl', 'history') ORDER BY 1
"""


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    """Serve a small agency."""
    with Simulator(SimulatorSettings(seed=20, contacts=10)) as served:
        yield served


@pytest.fixture
def embedded(server_folder: Path, simulator: Simulator) -> CommandLine:
    """Give a command line with an embedded database of its own."""
    overrides = {"ETL_DATA_DIR": str(server_folder / "home")}
    return CommandLine(server_folder, {**settings_of(simulator), **overrides})


def server_in_use(embedded: CommandLine) -> EmbeddedPostgres:
    """Return the embedded server of the command line, used by another process with faster settings."""
    return EmbeddedPostgres(embedded.settings["ETL_DATA_DIR"], settings={"fsync": "off", "shared_buffers": "16MB"})


def content(url: str) -> dict[str, list[str]]:
    """Return all rows of all tables as text."""
    with psycopg.connect(url) as connection:
        tables = [row[0] for row in connection.execute(TABLES)]
        return {
            table: [row[0] for row in connection.execute(f"SELECT CAST(t AS text) FROM {table} AS t ORDER BY 1")]
            for table in tables
        }


def rows_of(content: dict[str, list[str]]) -> int:
    """Return the number of rows, without the revision of the migrations."""
    return sum(len(rows) for table, rows in content.items() if not table.endswith("alembic_version"))


def done(qqetl: CommandLine, *words: str) -> str:
    """Run a command that must succeed, and return its output."""
    result = qqetl(*words)
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.mark.timeout(360)
def test_backup_restore_and_move_keep_all_rows(embedded: CommandLine, empty_database_url: str, tmp_path: Path) -> None:
    file = tmp_path / "book.dump"
    with server_in_use(embedded) as server:  # another process uses the server
        done(embedded, "sync", "--embedded")
        before = content(server.url)
        assert rows_of(before) > 500
        assert "Backed up" in done(embedded, "db", "backup", str(file))
        refused = embedded("db", "backup", str(file))
        assert (refused.returncode, "would be replaced" in refused.stderr) == (2, True)
        assert "Backed up" in done(embedded, "db", "backup", str(file), "--yes")
        with psycopg.connect(server.url) as connection:
            connection.execute("TRUNCATE public.contacts, raw.raw_policies, etl.watermarks CASCADE")
        assert "Restored" in done(embedded, "db", "restore", str(file), "--yes")
        assert content(server.url) == before
        done(embedded, "db", "check")
        moved = done(embedded, "db", "move", empty_database_url)
        assert f"{rows_of(before):,} rows moved to {target(empty_database_url)}" in moved
        assert content(empty_database_url) == before
        refused = embedded("db", "move", empty_database_url)
        assert (refused.returncode, "must be empty" in refused.stderr) == (4, True)
    elsewhere = embedded.with_settings(DATABASE_URL=empty_database_url)
    done(elsewhere, "db", "check")
    done(elsewhere, "sync")
    written = """
        SELECT coalesce(sum(inserted + updated), 0) FROM etl.sync_history
        JOIN etl.batches AS batch ON batch.id = batch_id
        WHERE batch.status = 'completed' GROUP BY batch.started_at ORDER BY batch.started_at
    """
    with psycopg.connect(empty_database_url) as connection:
        first, *later = [row[0] for row in connection.execute(written)]
    assert first > 100
    assert sum(later) == 0, "a sync of the moved database continues where the old one stopped"


@pytest.mark.parametrize("command", [
    ("findings",), ("status",), ("runs",), ("retry",), ("db", "check"), ("db", "backup", "book.dump"),
])  # fmt: skip
def test_reading_creates_no_database(embedded: CommandLine, command: tuple[str, ...]) -> None:
    refused = embedded(*command, "--embedded")
    assert (refused.returncode, "this command creates none" in refused.stderr) == (2, True)
    assert not has_embedded(embedded.settings["ETL_DATA_DIR"])


def test_an_upgrade_reports_each_migration(embedded: CommandLine, empty_database_url: str) -> None:
    reported = embedded.with_settings(DATABASE_URL=empty_database_url)("db", "upgrade")
    assert reported.returncode == 0, reported.stderr
    assert [line for line in reported.stderr.splitlines() if line.startswith("Migration ")][:2] == [
        "Migration 0001 applied.", "Migration 0002 applied."
    ]  # fmt: skip


def target(url: str) -> str:
    """Return a database URL without the password."""
    parts = urlsplit(url)
    return parts._replace(netloc=f"{parts.username}@{parts.hostname}:{parts.port}").geturl()


def test_a_server_in_use_can_be_stopped_and_removed(embedded: CommandLine) -> None:
    folder = embedded.settings["ETL_DATA_DIR"]
    with server_in_use(embedded) as server, psycopg.connect(server.url) as connection:
        assert "has stopped" in done(embedded, "db", "stop")
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
        assert "was not running" in done(embedded, "db", "stop")
    with server_in_use(embedded):
        refused = embedded("db", "remove")
        assert refused.returncode == 2, "no terminal to confirm"
        assert has_embedded(folder)
        assert "Removed" in done(embedded, "db", "remove", "--yes")
        assert not has_embedded(folder)
