"""Runs whose PostgreSQL server is killed, restarted, full, disconnected or altered in the middle."""

import os
import signal
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from alembic.script import ScriptDirectory
from proxy import proxied
from sites import Site, open_site, serve_agency
from snapshots import differences, digest, value, values
from sqlalchemy import Connection, Engine, text

from etl.database.bulk_copy import copy_rows
from etl.database.embedded.os_user import server_user
from etl.database.embedded.server import EmbeddedPostgres
from etl.database.migrate import alembic_config, downgrade, upgrade
from etl.errors import DatabaseNotReady, LeaseHeld, ServerFull
from etl.events import Advanced, Event
from etl.ledger.transaction import Ledger
from etl.models.states import BatchState
from etl.pipeline import Watcher, retry
from etl.simulator import Simulator

FAST = {"shared_buffers": "16MB"}


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    """Give the agency of this module."""
    with serve_agency() as served:
        yield served


@pytest.fixture
def own(server_folder: Path) -> Iterator[EmbeddedPostgres]:
    """Give a migrated server of the test's own that may be killed; its data are as durable as in production."""
    with EmbeddedPostgres(server_folder / "home", settings=FAST) as running:
        upgrade(running.url)
        yield running


def backends(url: str) -> list[int]:
    """Return the processes that serve our sessions."""
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        return [row[0] for row in rows]


def end_sessions(running: EmbeddedPostgres) -> None:
    """End every session as an administrator does."""
    with psycopg.connect(running.url) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def kill_backend(running: EmbeddedPostgres) -> None:
    """Kill the process of one session, which terminates all others and puts the server into recovery."""
    os.kill(backends(running.url)[0], signal.SIGKILL)


def kill_postmaster(running: EmbeddedPostgres) -> None:
    """Kill the server itself."""
    os.kill(int((running.data_dir / "data/postmaster.pid").read_text().splitlines()[0]), signal.SIGKILL)


WAYS: dict[str, Callable[[EmbeddedPostgres], None]] = {
    "sessions-ended": end_sessions, "backend-killed": kill_backend, "postmaster-killed": kill_postmaster,
}  # fmt: skip
every_way = pytest.mark.parametrize("fault", WAYS.values(), ids=WAYS)


@every_way
def test_an_interrupted_copy_leaves_no_row_and_is_repeated(
    own: EmbeddedPostgres, engine_of_own: Engine, fault: Callable[[EmbeddedPostgres], None]
) -> None:
    with engine_of_own.begin() as connection:
        connection.execute(text("CREATE TABLE many (number int)"))
    tries: list[int] = []

    def numbers() -> Iterator[tuple[int]]:
        for number in range(100_000):
            if number == 50_000 and len(tries) == 1:
                fault(own)
            yield (number,)

    def work(connection: Connection) -> None:
        tries.append(1)
        copy_rows(connection, "many", ("number",), numbers())

    Ledger(engine_of_own, "t").commit(work)
    assert len(tries) >= 2
    assert value(engine_of_own, "SELECT count(*) FROM many") == 100_000
    assert value(engine_of_own, "SELECT count(DISTINCT number) FROM many") == 100_000


@pytest.fixture
def engine_of_own(own: EmbeddedPostgres, simulator: Simulator) -> Iterator[Engine]:
    """Give an engine on the test's own server."""
    with open_site(simulator, own.url) as site:
        yield site.engine


class At:
    """Runs an action at the n-th commit of a run."""

    def __init__(self, commit: int, deed: Callable[[], object]) -> None:
        self.left = commit
        self.deed = deed

    def watch(self, event: Event) -> None:
        self.left -= isinstance(event, Advanced)
        if self.left == 0 and isinstance(event, Advanced):
            self.deed()


@every_way
def test_a_run_survives_a_crash_of_its_server(
    own: EmbeddedPostgres, simulator: Simulator, synced: Site, fault: Callable[[EmbeddedPostgres], None]
) -> None:
    with open_site(simulator, own.url, etl_page_size=4) as site:
        blow = At(9, lambda: fault(own))
        assert site.sync_once(watcher=Watcher(blow.watch)).exit_status == 0
        assert blow.left < 0
        assert differences(digest(site.engine), digest(synced.engine)) == []
        assert values(site.engine, BOOKS) == values(synced.engine, BOOKS)


#: The counts of a run, except pages, whose size differs above.
BOOKS = """
    SELECT concat_ws(' ', resource, status, fetched, inserted, updated, unchanged, older, refused, duplicate, no_row)
    FROM etl.batch_resources ORDER BY number
"""


def test_commits_with_a_lost_answer_are_not_counted_twice(site: Site, synced: Site) -> None:
    url = site.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with proxied(url) as proxy, open_site(site.simulator, proxy.url) as far:
        proxy.loses = 6
        assert far.sync_once().exit_status == 0
        assert proxy.lost == 6
    assert values(site.engine, BOOKS) == values(synced.engine, BOOKS)
    pages = "SELECT concat_ws(' ', resource, pages) FROM etl.batch_resources ORDER BY number"
    assert values(site.engine, pages) == values(synced.engine, pages)
    assert values(site.engine, "SELECT count(*) FROM etl.requests") == values(
        synced.engine, "SELECT count(*) FROM etl.requests"
    )
    assert differences(digest(site.engine), digest(synced.engine)) == []


@contextmanager
def small_disk(url: str) -> Iterator[str]:
    """Give a tablespace of 24 MB. Only root may mount one."""
    folder = Path(tempfile.mkdtemp(prefix="qqetl-disk-"))
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", folder], check=True)
    try:
        account = server_user(folder / "none")
        os.chown(folder, account.uid, account.gid)
        folder.chmod(0o700)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(f"CREATE TABLESPACE small LOCATION '{folder}'")
            yield "small"
            connection.execute("DROP TABLESPACE small")
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)
        folder.rmdir()


#: Replaces a full disk where mounting is not allowed: the server reports the same error.
SAYS_FULL = """
    CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'no space left on device' USING ERRCODE = '53100'; END $$;
    CREATE TRIGGER full_disk BEFORE INSERT ON policies EXECUTE FUNCTION full_disk()
"""


@contextmanager
def full(url: str, engine: Engine) -> Iterator[None]:
    """Keep the disk full while the block runs: a real one for root, the server's error message for other users."""
    if os.geteuid() != 0:
        with engine.begin() as connection:
            connection.execute(text(SAYS_FULL))
        yield
        with engine.begin() as connection:
            connection.execute(text("DROP FUNCTION full_disk CASCADE"))
        return
    with small_disk(url) as space, engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        connection.execute(text(f"ALTER TABLE policies SET TABLESPACE {space}"))
        connection.execute(text(f"CREATE TABLE filling (words text) TABLESPACE {space}"))
        with pytest.raises(Exception, match="No space left on device"):
            connection.execute(text("INSERT INTO filling SELECT md5(n::text) FROM generate_series(1, 600000) AS n"))
        yield
        connection.execute(text("DROP TABLE filling"))
        connection.execute(text("ALTER TABLE policies SET TABLESPACE pg_default"))


def test_a_full_disk_leaves_a_resumable_batch(server: EmbeddedPostgres, site: Site, synced: Site) -> None:
    with full(server.url, site.engine), pytest.raises(ServerFull, match="Free up space") as caught:
        site.sync_once()
    assert caught.value.exit_status == 1
    assert values(site.engine, "SELECT status FROM etl.batches") == [BatchState.FAILED]
    assert retry(site.engine, site.settings).exit_status == 0
    assert differences(digest(site.engine), digest(synced.engine)) == []


#: Errors that the database reports for a single record, each with its own policy.
BLAME = ("22001", "22003", "22P02", "23502", "23503", "23505", "23514", "54000")
BLAMES = """
    CREATE TABLE blame (source_id text PRIMARY KEY, code text);
    CREATE FUNCTION blame() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE found text := (SELECT code FROM blame WHERE source_id = NEW.source_id);
        BEGIN
            IF found IS NOT NULL AND NOT NEW.is_placeholder THEN
                RAISE EXCEPTION 'odd' USING ERRCODE = found;
            END IF;
            RETURN NEW;
        END $$;
    CREATE TRIGGER blame BEFORE INSERT OR UPDATE ON policies FOR EACH ROW EXECUTE FUNCTION blame();
"""


def test_records_refused_by_the_database_do_not_affect_others(site: Site, simulator: Simulator) -> None:
    odd = dict(zip(map(str, list(simulator.world.policies)), BLAME, strict=False))
    assert len(odd) == len(BLAME)
    with site.engine.begin() as connection:
        connection.execute(text(BLAMES))
        connection.execute(text("INSERT INTO blame VALUES (:id, :code)"), [{"id": k, "code": odd[k]} for k in odd])
    assert site.sync_once(resources=("policies",)).exit_status == 0
    query = "SELECT source_id || ' ' || substring(error_message FROM '[(](.....)[)]') FROM raw.raw_policies WHERE {}"
    refused = values(site.engine, query.format("status = 'validation_error' AND loaded_at IS NULL"))
    assert sorted(refused) == sorted(f"{key} {code}" for key, code in odd.items())
    loaded = "SELECT count(*) FROM policies WHERE NOT is_placeholder"
    assert value(site.engine, loaded) == len(simulator.world.policies) - len(odd)


def test_a_missing_index_requires_action_at_once(synced: Site, simulator: Simulator) -> None:
    arbiter = "SELECT conname FROM pg_constraint WHERE conrelid = 'contacts'::regclass AND contype = 'u'"
    with synced.engine.begin() as connection:
        for name in connection.execute(text(arbiter)).scalars().all():
            connection.execute(text(f"ALTER TABLE contacts DROP CONSTRAINT {name} CASCADE"))
    contact = next(iter(simulator.world.contacts))
    simulator.world.contacts.change(contact, None, LastName="Quill")
    with pytest.raises(DatabaseNotReady, match=r"42P10.*qqetl db upgrade"):
        synced.sync_once(resources=("contacts",), full=True)


def test_sequences_do_not_overflow(site: Site) -> None:
    assert values(site.engine, "SELECT sequencename FROM pg_sequences WHERE data_type::text <> 'bigint'") == []


def test_a_clock_set_back_during_a_run_changes_nothing(
    site: Site, synced: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    import time  # noqa: PLC0415 (what is set back)

    real, back = time.time, threading.Event()
    monkeypatch.setattr(time, "time", lambda: real() - 7200 * back.is_set())
    set_back = At(3, back.set)
    assert site.sync_once(watcher=Watcher(set_back.watch)).exit_status == 0
    back.clear()
    assert synced.sync_once(full=True).exit_status == 0, "another test of this module may have changed the source"
    assert differences(digest(site.engine), digest(synced.engine)) == []
    ahead = "SELECT count(*) FROM contacts WHERE updated_at > now() OR last_synced_at > now()"
    assert value(site.engine, ahead) == 0


def test_a_migration_does_not_change_tables_during_a_run(synced: Site) -> None:
    url = synced.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    earlier = ScriptDirectory.from_config(alembic_config()).get_revision("head").down_revision
    refusals: list[LeaseHeld] = []

    def migrate() -> None:
        upgrade(url)  # nothing to do
        try:
            downgrade(url, str(earlier))
        except LeaseHeld as error:
            refusals.append(error)

    assert synced.sync_once(watcher=Watcher(At(2, migrate).watch), full=True).exit_status == 0
    assert [str(refusal).split(" as ")[0] for refusal in refusals] == [
        "A run is active (it holds the lease of account_info"
    ]
    assert refusals[0].exit_status == 3
    downgrade(url, str(earlier))
    with pytest.raises(DatabaseNotReady, match="not at the newest"):
        synced.sync_once()
    upgrade(url)
    assert synced.sync_once().exit_status == 0
