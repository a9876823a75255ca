"""The most memory that a program and its workers held, watched from outside so that all are measured alike (Linux)."""

import threading
from pathlib import Path
from types import TracebackType
from typing import Self

PROC = Path("/proc")
#: Between two looks. A process's own peak is kept by the kernel; only what it gains in its last moment is missed.
SECONDS = 0.02
KIB_A_MIB = 1024
#: A process that never held more is no worker but a shell of a moment.
LEAST_MIB = 5


def descendants(pid: int) -> list[int]:
    """Return a process and all below it, the process first."""
    found, waiting = [], [pid]
    while waiting:
        one = waiting.pop()
        found.append(one)
        for thread in PROC.glob(f"{one}/task/*/children"):
            try:
                waiting += map(int, thread.read_text().split())
            except OSError:
                continue
    return found


def peak(pid: int) -> int:
    """Return the most memory that a process has held since it began its program, in KiB; 0 when it has ended."""
    try:
        lines = (PROC / str(pid) / "status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM:")), 0)


class Watch:
    """Watches a process for the length of a `with` block."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.peaks: dict[int, int] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._over.wait(SECONDS):
            for pid in descendants(self.pid):
                self.peaks[pid] = max(self.peaks.get(pid, 0), peak(pid))

    @property
    def mebibytes(self) -> tuple[float, ...]:
        """The peaks of the process and of its workers, the process first; empty where there is no /proc."""
        sizes = [round(size / KIB_A_MIB, 1) for size in self.peaks.values()]
        return tuple(size for size in sizes if size >= LEAST_MIB)
