"""The embedded PostgreSQL: one server on this machine, started on demand and shared by its users."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Self

from psycopg import sql

from etl.database.deadline import connect_with_deadline
from etl.database.embedded.binaries import server_binaries
from etl.database.embedded.cluster import create_cluster, server_command
from etl.database.embedded.file_lock import FileLock, exclusive_lock, wait_until
from etl.database.embedded.liveness import (
    ServerState,
    has_other_users,
    is_supervised,
    server_state,
    start_supervisor,
    stop_supervisor,
)
from etl.database.embedded.os_user import server_user
from etl.database.embedded.paths import DATABASE, ServerPaths, default_data_dir, server_paths
from etl.errors import DatabaseUnavailable

__all__ = ["EmbeddedPostgres", "default_data_dir", "has_embedded", "remove_server", "stop_server"]

#: Recovery after a crash replays at most max_wal_size (4 GB) of log.
START_SECONDS = 300.0
STOP_SECONDS = 60.0
_PROGRESS_SECONDS = 5.0
_POLL_SECONDS = 0.02


class EmbeddedPostgres:
    """The embedded server for the length of a `with` block; the last user on the machine stops it.

    `say` is called with a progress message when a step takes long. `settings` are PostgreSQL settings that apply if
    this process starts the server. `programs` is a folder with initdb and postgres that replaces the search for them.
    """

    def __init__(
        self,
        data_dir: Path | str | None = None,
        *,
        start_timeout: float = START_SECONDS,
        say: Callable[[str], None] | None = None,
        settings: Mapping[str, str] | None = None,
        programs: Path | None = None,
    ) -> None:
        self._paths = server_paths(data_dir)
        self._start_timeout = start_timeout
        self._say = say or (lambda _: None)
        self._settings = settings or {}
        self._programs = programs
        self._use: FileLock | None = None

    @property
    def url(self) -> str:
        """The URL of the database, with the password; valid inside the `with` block."""
        return self._paths.url()

    @property
    def data_dir(self) -> Path:
        """The folder with all files of this server."""
        return self._paths.folder

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self) -> None:
        """Use the running server or start it; create data folder and database if they are missing.

        Raises DatabaseUnavailable when there are no programs, no usable folder, or no answer in time.
        """
        if self._use is not None:
            return
        self._paths.create_folder()
        with exclusive_lock(self._paths.start_lock, self._start_timeout):
            use = FileLock(self._paths.users_lock)
            try:
                self._join(use)
            except BaseException:
                use.close()
                raise
        self._use = use

    def close(self) -> None:
        """Stop using the server; if it has no other users, return after it has stopped."""
        if self._use is None:
            return
        use, self._use = self._use, None
        use.release()
        with use:
            wait_until(lambda: not is_supervised(self._paths) or has_other_users(use), STOP_SECONDS)

    def _join(self, use: FileLock) -> None:
        if not wait_until(use.try_shared, STOP_SECONDS):
            raise DatabaseUnavailable(
                f"The server in {self._paths.folder} has been stopping for {STOP_SECONDS:.0f} s. Run the command again."
            )
        self._start_until_ready()
        with connect_with_deadline(self._paths.url("postgres"), STOP_SECONDS) as connection:
            if connection.execute("select 1 from pg_database where datname = %s", [DATABASE]).fetchone() is None:
                connection.execute(sql.SQL("create database {}").format(sql.Identifier(DATABASE)))

    def _start_until_ready(self) -> None:
        deadline = time.monotonic() + self._start_timeout
        next_progress = time.monotonic() + _PROGRESS_SECONDS
        launched = False
        while (state := server_state(self._paths)) is not ServerState.READY or not is_supervised(self._paths):
            if not is_supervised(self._paths):
                if launched:
                    raise DatabaseUnavailable(
                        "The embedded PostgreSQL did not start. Its log ends with:\n" + self._paths.last_log_lines()
                    )
                if state is not ServerState.GONE:
                    _stop(self._paths)  # its supervisor was killed, so nothing else would stop it
                self._launch()
                launched, next_progress = True, time.monotonic() + _PROGRESS_SECONDS
            if time.monotonic() > deadline:
                raise DatabaseUnavailable(self._timeout_message())
            if time.monotonic() > next_progress:
                self._say("The embedded PostgreSQL is still starting (it may be recovering from a crash) ...")
                next_progress += _PROGRESS_SECONDS
            time.sleep(_POLL_SECONDS)

    def _timeout_message(self) -> str:
        return (
            f"The embedded PostgreSQL in {self._paths.folder} is not ready after {self._start_timeout:.0f} s. It may "
            f"be recovering from a crash; run the command again. Its log ends with:\n{self._paths.last_log_lines()}"
        )

    def _launch(self) -> None:
        user = server_user(self._paths.data)
        self._paths.check_access(user)
        binaries = server_binaries(user, self._paths.programs, major=self._paths.major, folder=self._programs)
        if not self._paths.exists:
            self._say(f"Creating the embedded PostgreSQL {binaries.major} in {self._paths.folder} ...")
            create_cluster(self._paths, user, binaries)
            self._say("Starting it ...")
        command = server_command(self._paths, binaries, self._settings)
        start_supervisor(self._paths, user, command)


def has_embedded(data_dir: Path | str | None = None) -> bool:
    """Return whether the folder has the data of an embedded server, running or not."""
    return server_paths(data_dir).exists


def stop_server(data_dir: Path | str | None = None) -> bool:
    """Stop the server even if it has users; return whether it was running.

    Raises DatabaseUnavailable when the server does not stop within a minute.
    """
    paths = server_paths(data_dir)
    if not paths.exists:
        return False
    with exclusive_lock(paths.start_lock, STOP_SECONDS):
        return _stop(paths)


def remove_server(data_dir: Path | str | None = None) -> bool:
    """Stop the server and delete all its data; return whether there was any."""
    paths = server_paths(data_dir)
    if not paths.folder.is_dir():
        return False
    with exclusive_lock(paths.start_lock, STOP_SECONDS):
        existed = paths.exists
        if existed:
            _stop(paths)
        paths.delete()
    return existed


def _stop(paths: ServerPaths) -> bool:
    if not is_supervised(paths):
        if server_state(paths) is ServerState.GONE:
            return False
        user = server_user(paths.data)
        pg_ctl = server_binaries(user, paths.programs, major=paths.major).program("pg_ctl")
        user.run([pg_ctl, "stop", "-w", "-m", "fast", "-t", f"{STOP_SECONDS:.0f}", "-D", paths.data])
    stop_supervisor(paths)
    if not wait_until(lambda: not is_supervised(paths) and server_state(paths) is ServerState.GONE, STOP_SECONDS):
        raise DatabaseUnavailable(
            f"The server in {paths.folder} did not stop. Its log ends with:\n{paths.last_log_lines()}"
        )
    return True
