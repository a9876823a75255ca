"""Peak memory of a program and its workers, measured from outside in the same way for all candidates (Linux)."""

import threading
from pathlib import Path
from types import TracebackType
from typing import Self

PROC = Path("/proc")
#: Seconds between two polls. The kernel keeps each process's peak; only growth after the last poll is missed.
SECONDS = 0.02
KIB_A_MIB = 1024
#: A process that never held more is not a worker but a short-lived shell.
LEAST_MIB = 5


def descendants(pid: int) -> list[int]:
    """Return a process and its descendants, the process first."""
    pids, waiting = [], [pid]
    while waiting:
        process = waiting.pop()
        pids.append(process)
        for thread in PROC.glob(f"{process}/task/*/children"):
            try:
                waiting += map(int, thread.read_text().split())
            except OSError:
                continue
    return pids


def peak_memory(pid: int) -> int:
    """Return the peak memory of a process in KiB; 0 when the process has ended."""
    try:
        lines = (PROC / str(pid) / "status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM:")), 0)


class MemoryWatch:
    """Polls a process's memory for the length of a `with` block."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.peaks: dict[int, int] = {}
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._poll, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped.set()
        self._thread.join()

    def _poll(self) -> None:
        while not self._stopped.wait(SECONDS):
            for pid in descendants(self.pid):
                self.peaks[pid] = max(self.peaks.get(pid, 0), peak_memory(pid))

    @property
    def mebibytes(self) -> tuple[float, ...]:
        """The peaks of the process and its workers, the process first; empty without /proc."""
        sizes = [round(size / KIB_A_MIB, 1) for size in self.peaks.values()]
        return tuple(size for size in sizes if size >= LEAST_MIB)
