"""File locks that the kernel releases even after a kill -9."""

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self

from etl.errors import DatabaseUnavailable

_POLL_SECONDS = 0.02


class FileLock:
    """An advisory lock on a file, shared or exclusive, that ends with its process."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)

    def try_shared(self) -> bool:
        """Acquire the shared lock without waiting; return whether that succeeded."""
        return self._try(fcntl.LOCK_SH)

    def try_exclusive(self) -> bool:
        """Acquire the exclusive lock without waiting; return whether that succeeded."""
        return self._try(fcntl.LOCK_EX)

    def wait_exclusive(self) -> None:
        """Wait, without a limit, for the exclusive lock."""
        fcntl.flock(self._fd, fcntl.LOCK_EX)

    def release(self) -> None:
        """Release the lock and keep the file open."""
        fcntl.flock(self._fd, fcntl.LOCK_UN)

    def close(self) -> None:
        """Release the lock and close the file."""
        with suppress(OSError):
            os.close(self._fd)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def write_pid(self) -> None:
        """Write our process id to the file; it is valid as long as the lock is held."""
        os.pwrite(self._fd, f"{os.getpid()}\n".encode(), 0)
        os.ftruncate(self._fd, len(f"{os.getpid()}\n"))

    def read_pid(self) -> int | None:
        """Return the process id that the holder wrote to the file, None if there is none."""
        content = os.pread(self._fd, 32, 0).strip()
        return int(content) if content else None

    def is_current(self) -> bool:
        """Return whether the path still leads to this file, and not to a new one after a deletion."""
        try:
            return os.path.samestat(os.fstat(self._fd), self._path.stat())
        except FileNotFoundError:
            return False

    def _try(self, kind: int) -> bool:
        try:
            fcntl.flock(self._fd, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    """Poll `condition` for at most `seconds`; return whether it became true."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(_POLL_SECONDS)
    return True


@contextmanager
def exclusive_lock(path: Path, seconds: float) -> Iterator[None]:
    """Hold the exclusive lock inside the block; raise DatabaseUnavailable when others hold it for `seconds`."""
    with FileLock(path) as lock:
        if not wait_until(lock.try_exclusive, seconds):
            raise DatabaseUnavailable(
                f"Another process has been starting or stopping the embedded PostgreSQL for {seconds:.0f} s and holds "
                f"{path}. Wait for that process to end, or stop it, and run the command again."
            )
        if not lock.is_current():
            raise DatabaseUnavailable(f"The data in {path.parent} was just removed. Run the command again.")
        yield
