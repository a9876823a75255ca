"""The life cycle of the embedded server: sharing, the stop after the last user, and recovery."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from embedded_clients import FAST, PATIENCE, ask, client, finish, gone, line_of, postmaster, use
from folders import create_folder

from etl.database.embedded import server
from etl.database.embedded.binaries import server_binaries
from etl.database.embedded.cluster import server_command
from etl.database.embedded.file_lock import FileLock, wait_until
from etl.database.embedded.liveness import ServerState, is_supervised, server_state
from etl.database.embedded.os_user import server_user
from etl.database.embedded.paths import ServerPaths
from etl.database.embedded.server import EmbeddedPostgres, remove_server, stop_server
from etl.database.embedded.supervisor import Supervisor
from etl.errors import DatabaseUnavailable


@pytest.fixture(scope="module")
def home() -> Iterator[ServerPaths]:
    """Return the paths of a server with data; each test starts the server and leaves it stopped."""
    folder = create_folder()
    with use(folder / "home"):
        pass
    yield ServerPaths(folder / "home")
    remove_server(folder / "home")
    shutil.rmtree(folder)


def test_data_survives_a_stop_and_nothing_runs_in_between(home: ServerPaths) -> None:
    with use(home.folder) as server:
        ask(server.url, "create table kept as select 42 as answer")
        first = server.url
    assert server_state(home) is ServerState.GONE
    assert not is_supervised(home)
    with use(home.folder) as server:
        assert ask(server.url, "select answer from kept") == 42
        assert server.url == first, "the port stays, so that saved connections keep working"
        ask(server.url, "drop table kept")


def test_four_concurrent_processes_share_one_new_server(server_folder: Path) -> None:
    clients = [client(server_folder / "home") for _ in range(4)]
    lines = {line_of(process) for process in clients}
    finish(*clients)
    assert len(lines) == 1
    assert lines != {""}
    assert gone(ServerPaths(server_folder / "home"))


def test_the_server_runs_until_its_last_user_leaves(home: ServerPaths) -> None:
    first, second = use(home.folder), use(home.folder)
    first.start()
    second.start()
    first.close()
    assert ask(second.url, "select 1") == 1
    second.close()
    assert server_state(home) is ServerState.GONE


def test_a_killed_client_leaves_no_server_behind(home: ServerPaths) -> None:
    process = client(home.folder)
    assert line_of(process)
    process.kill()
    finish(process)
    assert gone(home)


def test_a_killed_postmaster_restarts_on_the_same_port_with_its_data(home: ServerPaths) -> None:
    with use(home.folder) as server:
        ask(server.url, "create table survived as select 7 as rows")
        before = ask(server.url, "select pg_postmaster_start_time()")
        os.kill(postmaster(home), signal.SIGKILL)
        assert wait_until(lambda: server_state(home) is ServerState.READY, PATIENCE)
        assert ask(server.url, "select rows from survived") == 7
        assert ask(server.url, "select pg_postmaster_start_time()") != before
        ask(server.url, "drop table survived")


def test_the_next_start_recovers_after_everything_was_killed(home: ServerPaths) -> None:
    server = use(home.folder)
    server.start()
    ask(server.url, "create table survived as select 8 as rows")
    supervisor = int(home.supervisor_lock.read_text())
    os.kill(supervisor, signal.SIGSTOP)  # so that it cannot restart the server in between
    os.kill(postmaster(home), signal.SIGKILL)
    os.kill(supervisor, signal.SIGKILL)
    server.close()
    assert gone(home)
    with use(home.folder) as server:
        assert ask(server.url, "select rows from survived") == 8
        ask(server.url, "drop table survived")


def test_the_next_user_replaces_a_killed_supervisor(home: ServerPaths) -> None:
    with use(home.folder):
        os.kill(int(home.supervisor_lock.read_text()), signal.SIGKILL)
        if sys.platform == "linux":  # the only system that signals the death of a parent
            assert gone(home)
        with use(home.folder) as server:
            assert is_supervised(home)
            assert ask(server.url, "select 1") == 1
    assert gone(home)


def test_a_server_without_supervisor_is_replaced_by_a_supervised_one(home: ServerPaths) -> None:
    account = server_user(home.data)
    command = server_command(home, server_binaries(account, home.programs, major=home.major), FAST)
    command = [*command, "-p", str(home.port)]
    orphan = subprocess.Popen(command, stderr=subprocess.DEVNULL, cwd="/", **account.subprocess_options())
    assert wait_until(lambda: server_state(home) is ServerState.READY, PATIENCE)
    with use(home.folder) as server:
        assert orphan.wait(PATIENCE) == 0
        assert ask(server.url, "select 1") == 1
    assert server_state(home) is ServerState.GONE


def test_stop_server_stops_a_server_in_use(home: ServerPaths) -> None:
    process = client(home.folder)
    assert line_of(process)
    assert stop_server(home.folder) is True
    assert server_state(home) is ServerState.GONE
    assert stop_server(home.folder) is False
    finish(process)


def test_a_port_in_use_is_replaced_by_a_free_one(home: ServerPaths) -> None:
    with socket.socket() as squatter:
        squatter.bind(("127.0.0.1", 0))
        taken = squatter.getsockname()[1]
        home.save_port(taken)
        with use(home.folder) as server:
            assert home.port != taken
            assert ask(server.url, "select 1") == 1


def test_the_cluster_is_durable_and_sorts_the_same_everywhere(home: ServerPaths) -> None:
    with EmbeddedPostgres(home.folder) as server:
        shown = {
            name: ask(server.url, f"show {name}")
            for name in (
                "data_checksums",
                "fsync",
                "server_encoding",
                "listen_addresses",
                "password_encryption",
                "timezone",
            )
        }
        sorted_by_code_point = ask(
            server.url, "select string_agg(x, '' order by x) from unnest('{b,a,B,\u00e4,A}'::text[]) x"
        )
        unsafe = ask(server.url, "select count(*) from pg_hba_file_rules where auth_method <> 'scram-sha-256'")
    assert shown == {
        "data_checksums": "on",
        "fsync": "on",
        "server_encoding": "UTF8",
        "listen_addresses": "127.0.0.1",
        "password_encryption": "scram-sha-256",
        "timezone": "UTC",
    }
    assert sorted_by_code_point == "ABab\u00e4"
    assert unsafe == 0


def test_the_server_log_contains_nothing_of_a_rejected_row(home: ServerPaths) -> None:
    with use(home.folder) as server, psycopg.connect(server.url) as connection, pytest.raises(psycopg.Error):
        connection.execute("select %s::text::int", ["marker-123-45-6789"])
    assert "marker-123-45-6789" not in home.log.read_text()


def test_secrets_are_readable_only_by_their_owner(home: ServerPaths) -> None:
    modes = {path.name: path.stat().st_mode & 0o777 for path in (home.folder / "password", home.data, home.log)}
    assert modes == {"password": 0o600, "data": 0o700, "server.log": 0o600}


def test_the_server_does_not_inherit_our_environment(home: ServerPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QQCATALYST_PASSWORD", "marker-secret")
    with use(home.folder):
        pids = [postmaster(home), int(home.supervisor_lock.read_text())]
        environments = b"".join(Path(f"/proc/{pid}/environ").read_bytes() for pid in pids if Path("/proc").exists())
    assert b"marker-secret" not in environments


def test_a_server_that_fails_to_start_shows_its_last_log_lines(home: ServerPaths) -> None:
    with pytest.raises(DatabaseUnavailable, match="no_such_setting"):
        EmbeddedPostgres(home.folder, settings={"no_such_setting": "1"}).start()
    assert gone(home)


def test_a_server_that_hangs_at_a_fast_shutdown_is_stopped_immediately(
    home: ServerPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("etl.database.embedded.supervisor._FAST_STOP_SECONDS", 0.1)
    deaf = ["sh", "-c", "trap '' INT; trap 'exit 0' QUIT; echo deaf; while :; do sleep 0.05; done"]
    users = FileLock(home.users_lock)
    assert users.try_shared()

    def leave_when_it_runs() -> None:
        wait_until(lambda: home.log.read_text().endswith("deaf\n"), PATIENCE)
        users.close()

    leaving = threading.Thread(target=leave_when_it_runs)
    leaving.start()
    watcher = Supervisor(home, server_user(home.data), deaf)
    watcher.run()
    leaving.join()
    assert watcher.process is not None
    assert watcher.process.returncode == 0


def test_a_long_start_reports_progress_and_ends_at_its_limit(
    home: ServerPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    messages: list[str] = []
    monkeypatch.setattr(server, "_PROGRESS_SECONDS", 0.05)
    monkeypatch.setattr(server, "server_state", lambda _: ServerState.BUSY)
    monkeypatch.setattr(server, "is_supervised", lambda _: True)
    with pytest.raises(DatabaseUnavailable, match="not ready after"):
        EmbeddedPostgres(home.folder, start_timeout=0.2, say=messages.append).start()
    assert "recovering" in messages[0]
