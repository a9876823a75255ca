"""File locks that the kernel gives back, even after a kill -9."""

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
    """An advisory lock on a file: shared by many holders or owned by one, and gone with its process."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)

    def try_shared(self) -> bool:
        """Take the lock beside other sharers, without waiting; return whether that worked."""
        return self._try(fcntl.LOCK_SH)

    def try_exclusive(self) -> bool:
        """Take the lock alone, without waiting; return whether that worked."""
        return self._try(fcntl.LOCK_EX)

    def wait_exclusive(self) -> None:
        """Wait without an end until the lock is ours alone."""
        fcntl.flock(self._fd, fcntl.LOCK_EX)

    def release(self) -> None:
        """Give the lock back and keep the file open."""
        fcntl.flock(self._fd, fcntl.LOCK_UN)

    def close(self) -> None:
        """Give the lock back for good."""
        with suppress(OSError):
            os.close(self._fd)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def write_pid(self) -> None:
        """Write our process id into the file; it is to be believed for as long as the lock is held."""
        os.pwrite(self._fd, f"{os.getpid()}\n".encode(), 0)
        os.ftruncate(self._fd, len(f"{os.getpid()}\n"))

    def read_pid(self) -> int | None:
        """Return the process id that the holder wrote into the file, if it did."""
        content = os.pread(self._fd, 32, 0).strip()
        return int(content) if content else None

    def is_current(self) -> bool:
        """Return whether the file is still the one of that name, and was not deleted and made anew."""
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
    """Ask `condition` again and again for at most `seconds`; return whether it came true."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(_POLL_SECONDS)
    return True


@contextmanager
def exclusive_lock(path: Path, seconds: float) -> Iterator[None]:
    """Hold the file alone inside the block; raise DatabaseUnavailable when others keep it for `seconds`."""
    with FileLock(path) as lock:
        if not wait_until(lock.try_exclusive, seconds):
            raise DatabaseUnavailable(
                f"Another process has been starting or stopping the embedded PostgreSQL for {seconds:.0f} s and holds "
                f"{path}. Wait for it to end, or end it, and run the command again."
            )
        if not lock.is_current():
            raise DatabaseUnavailable(f"The data in {path.parent} were removed this moment. Run the command again.")
        yield
