"""Stores of an account's window: PostgreSQL, a locked file without a database, or memory."""

import fcntl
import os
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Protocol, TypeVar

import msgspec
from sqlalchemy import Connection

from etl.api.rate_limit.window import WindowState, merge, shift_clock
from etl.config.settings import Settings
from etl.database.embedded.paths import server_paths
from etl.errors import EtlError
from etl.ledger.account import call_limits
from etl.ledger.executor import LedgerExecutor

T = TypeVar("T")
#: Maps the state and the time to the new state and a result.
Change = Callable[[WindowState, float], tuple[WindowState, T]]


class WindowStore(Protocol):
    """Changes the window of one account, one worker at a time."""

    async def change(self, change: Change[T]) -> T:
        """Apply a change to the current state and return its result."""


class MemoryStore:
    """The window of one client, not shared."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.state = WindowState()

    async def change(self, change: Change[T]) -> T:
        """Apply a change."""
        self.state, result = change(self.state, self._clock())
        return result


class FileStore:
    """The window in a file that is locked for each change, shared by all processes of a machine."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self._path = path
        self._clock = clock

    async def change(self, change: Change[T]) -> T:
        """Apply a change to the state in the file; a broken file counts as empty."""
        with os.fdopen(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600), "r+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            state, result = change(decode_state(file.read()), self._clock())
            file.seek(0)
            file.write(msgspec.json.encode(state))
            file.truncate()
        return result

    def take_over(self, now: float) -> WindowState:
        """Return the state in the file, by a clock that shows `now`, and remove the file: the database continues it."""
        with suppress(OSError), self._path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            state = shift_clock(decode_state(file.read()), now - self._clock())
            self._path.unlink(missing_ok=True)
            return state
        return WindowState()


class PostgresStore:
    """The window in the database, shared by all workers of all machines, by the database's clock."""

    def __init__(self, database: LedgerExecutor, account: str, file: FileStore) -> None:
        """Take over the state of `file`, which was used before the database existed, at the first use."""
        self._database = database
        self._account = account
        self._file = file

    async def change(self, change: Change[T]) -> T:
        """Apply a change in one short transaction."""
        return await self._database.commit(partial(self._apply, change=change))

    def _apply(self, connection: Connection, change: Change[T]) -> T:
        """Lock the row, apply the change, write the row."""
        row = call_limits.lock(connection, self._account)
        state = merge(decode_state(row.state.encode()), self._file.take_over(row.now))
        state, result = change(state, row.now)
        call_limits.save(connection, self._account, msgspec.json.encode(state).decode())
        return result


def decode_state(text: bytes) -> WindowState:
    """Return the state in a JSON text, an empty one if it is broken."""
    with suppress(msgspec.DecodeError):
        return msgspec.json.decode(text, type=WindowState)
    return WindowState()


def choose_store(settings: Settings, database: LedgerExecutor | None, clock: Callable[[], float]) -> WindowStore:
    """Return the store of an account's window."""
    if settings.rate_limit.calls is None:
        return MemoryStore(clock)
    account, home = settings.account_key, server_paths(settings.etl_data_dir)
    file = FileStore(home.folder / f"call-limit-{account[:16]}.json")
    if database is not None:
        return PostgresStore(database, account, file)
    try:
        home.create_folder()
    except EtlError:
        return MemoryStore(clock)  # without a data folder each client counts for itself
    return file
