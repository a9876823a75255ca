"""Liveness checks of the embedded server, its supervisor and its users."""

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import asdict
from enum import Enum
from pathlib import Path

import psycopg

import etl
from etl.database.deadline import connect_with_deadline
from etl.database.embedded.file_lock import FileLock
from etl.database.embedded.os_user import OsUser, server_environment
from etl.database.embedded.paths import ServerPaths
from etl.errors import DatabaseUnavailable

_ANSWER_SECONDS = 5


class ServerState(Enum):
    """The state of a server, as it answers a connection attempt."""

    READY = "accepts connections"
    BUSY = "starting, recovering or stopping"
    GONE = "no answer, or another server answers"


def server_state(paths: ServerPaths) -> ServerState:
    """Return the server's state from its answer to a connection attempt.

    Process ids are not checked: a killed server may remain as a zombie, and its id may belong to another process.
    """
    if not paths.exists or paths.port is None:
        return ServerState.GONE
    try:
        with connect_with_deadline(paths.url("postgres"), _ANSWER_SECONDS) as connection:
            row = connection.execute("select current_setting('data_directory')").fetchone()
    except psycopg.OperationalError as error:
        # The fixed message of a server that does not accept sessions yet or anymore (SQLSTATE 57P03).
        return ServerState.BUSY if "the database system is" in str(error) else ServerState.GONE
    return ServerState.READY if row and Path(row[0]) == paths.data else ServerState.GONE


def is_supervised(paths: ServerPaths) -> bool:
    """Return whether a supervisor is alive, and with it a server that runs, starts or stops."""
    if not paths.supervisor_lock.exists():
        return False
    with FileLock(paths.supervisor_lock) as lock:
        return not lock.try_shared()


def stop_supervisor(paths: ServerPaths) -> None:
    """Ask the supervisor, if there is one, to stop its server and exit."""
    if not paths.supervisor_lock.exists():
        return
    with FileLock(paths.supervisor_lock) as lock, suppress(ProcessLookupError):
        if not lock.try_shared() and (pid := lock.read_pid()):
            os.kill(pid, signal.SIGTERM)


def has_other_users(lock: FileLock) -> bool:
    """Return whether other processes hold the shared users' lock."""
    if lock.try_exclusive():
        lock.release()
        return False
    if lock.try_shared():
        lock.release()
        return True
    return False  # the supervisor holds it and is stopping the server


def _module_path() -> str:
    """Return the PYTHONPATH with which a child process finds the same modules."""
    return os.pathsep.join([str(Path(etl.__file__).parent.parent), *(path for path in sys.path if path)])


def start_supervisor(paths: ServerPaths, user: OsUser, command: list[str]) -> None:
    """Start the supervisor, which runs the server with `command`; return as soon as it is detached.

    Raises DatabaseUnavailable when the supervisor does not start.
    """
    arguments = {
        "folder": str(paths.folder),
        "account": asdict(user),
        "command": command,
    }
    completed = subprocess.run(
        [sys.executable, "-m", "etl.database.embedded.supervisor", json.dumps(arguments)],
        env={**server_environment(), "PYTHONPATH": _module_path()},
        cwd="/",
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        start_new_session=True,
    )
    if completed.returncode != 0:
        raise DatabaseUnavailable(
            f"The supervisor process of the embedded PostgreSQL failed. It reported:\n{completed.stderr.strip()}"
        )
