"""The embedded PostgreSQL: one server on this machine, started on demand and shared by those who use it."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Self

from psycopg import sql

from etl.database.deadline import asking
from etl.database.embedded.binaries import server_binaries
from etl.database.embedded.cluster import create_cluster, server_command
from etl.database.embedded.file_lock import FileLock, exclusively, wait_until
from etl.database.embedded.liveness import Life, life_of, others_use, start_supervisor, stop_supervisor, supervised
from etl.database.embedded.os_user import account_for
from etl.database.embedded.paths import DATABASE, Home, default_data_dir, home_of
from etl.errors import DatabaseUnavailable

__all__ = ["EmbeddedPostgres", "default_data_dir", "embedded_exists", "remove", "stop_now"]

#: Recovery after a crash replays at most max_wal_size (4 GB) of log.
START_SECONDS = 300.0
STOP_SECONDS = 60.0
_NEWS_EVERY_SECONDS = 5.0
_POLL_SECONDS = 0.02


class EmbeddedPostgres:
    """The embedded server for the length of a `with` block; the last user on the machine stops it.

    `say` gets a line when something takes a while; `settings` are PostgreSQL settings for the server if this process
    is the one to start it; `programs` is a folder with initdb and postgres to use in place of those found.
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
        self._home = home_of(data_dir)
        self._start_timeout = start_timeout
        self._say = say or (lambda _: None)
        self._settings = settings or {}
        self._programs = programs
        self._use: FileLock | None = None

    @property
    def url(self) -> str:
        """The address of the database, with the password; valid inside the `with` block."""
        return self._home.url()

    @property
    def data_dir(self) -> Path:
        """The folder that holds everything of this server."""
        return self._home.folder

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self) -> None:
        """Join the running server or start it; make data folder and database if they are missing.

        Raises DatabaseUnavailable when there are no programs, no usable folder, or no answer within the time.
        """
        if self._use is not None:
            return
        self._home.make()
        with exclusively(self._home.starting, self._start_timeout):
            use = FileLock(self._home.users)
            try:
                self._join(use)
            except BaseException:
                use.close()
                raise
        self._use = use

    def close(self) -> None:
        """Leave the server; when nobody else uses it, return after it has stopped."""
        if self._use is None:
            return
        use, self._use = self._use, None
        use.release()
        with use:
            wait_until(lambda: not supervised(self._home) or others_use(use), STOP_SECONDS)

    def _join(self, use: FileLock) -> None:
        if not wait_until(use.try_shared, STOP_SECONDS):
            raise DatabaseUnavailable(
                f"The server in {self._home.folder} has been stopping for {STOP_SECONDS:.0f} s. Run the command again."
            )
        self._bring_up()
        _ensure_database(self._home)

    def _bring_up(self) -> None:
        give_up = time.monotonic() + self._start_timeout
        news = time.monotonic() + _NEWS_EVERY_SECONDS
        launched = False
        while (life := life_of(self._home)) is not Life.READY or not supervised(self._home):
            if not supervised(self._home):
                if launched:
                    raise DatabaseUnavailable(
                        f"The embedded PostgreSQL did not start. It said:\n{self._home.last_words()}"
                    )
                if life is not Life.GONE:
                    _stop(self._home)  # its supervisor was killed, and nobody would ever stop it
                self._launch()
                launched = True
            if time.monotonic() > give_up:
                raise DatabaseUnavailable(self._too_late())
            if time.monotonic() > news:
                self._say("The embedded PostgreSQL is still starting (it may be recovering from a crash) ...")
                news += _NEWS_EVERY_SECONDS
            time.sleep(_POLL_SECONDS)

    def _too_late(self) -> str:
        return (
            f"The embedded PostgreSQL in {self._home.folder} is not ready after {self._start_timeout:.0f} s. It may be "
            f"recovering from a crash; run the command again. It said:\n{self._home.last_words()}"
        )

    def _launch(self) -> None:
        account = account_for(self._home.data)
        self._home.check_reach(account)
        binaries = server_binaries(account, self._home.programs, major=self._home.major, folder=self._programs)
        if not self._home.exists:
            self._say(f"Making the embedded PostgreSQL {binaries.major} in {self._home.folder} ...")
            create_cluster(self._home, account, binaries)
        command = server_command(self._home, binaries, self._settings)
        start_supervisor(self._home, account, command)


def embedded_exists(data_dir: Path | str | None = None) -> bool:
    """Return whether an embedded server's data lie in the folder, running or not."""
    return home_of(data_dir).exists


def stop_now(data_dir: Path | str | None = None) -> bool:
    """Stop the server though others may use it; return whether one was running.

    Raises DatabaseUnavailable when it does not stop within a minute.
    """
    home = home_of(data_dir)
    if not home.exists:
        return False
    with exclusively(home.starting, STOP_SECONDS):
        return _stop(home)


def remove(data_dir: Path | str | None = None) -> bool:
    """Stop the server and delete all its data; return whether there were any."""
    home = home_of(data_dir)
    if not home.folder.is_dir():
        return False
    with exclusively(home.starting, STOP_SECONDS):
        existed = home.exists
        if existed:
            _stop(home)
        home.clear()
    return existed


def _stop(home: Home) -> bool:
    if not supervised(home):
        if life_of(home) is Life.GONE:
            return False
        account = account_for(home.data)
        pg_ctl = server_binaries(account, home.programs, major=home.major).program("pg_ctl")
        account.run([pg_ctl, "stop", "-w", "-m", "fast", "-t", f"{STOP_SECONDS:.0f}", "-D", home.data])
    stop_supervisor(home)
    if not wait_until(lambda: not supervised(home) and life_of(home) is Life.GONE, STOP_SECONDS):
        raise DatabaseUnavailable(f"The server in {home.folder} did not stop. It said:\n{home.last_words()}")
    return True


def _ensure_database(home: Home) -> None:
    with asking(home.url("postgres"), STOP_SECONDS) as connection:
        if connection.execute("select 1 from pg_database where datname = %s", [DATABASE]).fetchone() is None:
            connection.execute(sql.SQL("create database {}").format(sql.Identifier(DATABASE)))
