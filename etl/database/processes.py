"""Which process holds a lease, and whether it has ended: known on the same machine since its start, on Linux."""

import os
from pathlib import Path

PROC = Path("/proc")
#: The states of a process that has ended and is not yet collected (proc(5)).
ENDED_STATES = frozenset({"Z", "X", "x"})


def describe_process(pid: int | None = None) -> str | None:
    """Return a process (default: this one) as text: boot id, namespace of process ids, id and start time.

    None where the system does not tell, or if the process has ended.
    """
    pid = os.getpid() if pid is None else pid
    where, start = read_machine(), read_start(pid)
    return None if where is None or start is None else f"{where} {pid} {start}"


def is_gone(process: str | None) -> bool:
    """Return whether a described process certainly has ended: it was of this machine and namespace, and is not there.

    A process with the same id that started at another time is another one.
    """
    if process is None:
        return False
    _, pid, start = process.rsplit(" ", 2)
    return is_here(process) and read_start(int(pid)) != start and not is_hidden(int(pid))


def is_hidden(pid: int) -> bool:
    """Return whether a process exists of which /proc tells nothing, such as that of another user with `hidepid`."""
    if os.access(PROC / str(pid) / "stat", os.R_OK):
        return False
    try:
        os.kill(pid, 0)  # sends nothing
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def is_here(process: str | None) -> bool:
    """Return whether a described process is of this machine and namespace, so that `is_gone` can tell."""
    return process is not None and process.rsplit(" ", 2)[0] == read_machine()


def read_machine() -> str | None:
    """Return the id of this boot of the machine, and of the namespace of process ids; None if unknown."""
    try:
        boot = (PROC / "sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {(PROC / 'self/ns/pid').readlink()}"
    except OSError:
        return None


def read_start(pid: int) -> str | None:
    """Return the start time of a process, in ticks since the boot; None if it has ended."""
    try:
        state, *fields = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except (OSError, ValueError):
        return None
    return None if state in ENDED_STATES else fields[18]
