"""A process that has imported the product and forks a run for each order: killed at the n-th call of a seam, or not.

Orders come as lines of JSON on standard input: `arguments`, `environment`, `seam` and `at` (0: nobody is killed), and
`output`, the file that takes what the run says. Each is answered by a line: the exit status (negative: the signal),
and how often each seam was called, unless the run was killed. The product knows nothing of all this.
"""

import json
import os
import signal
import sys
from collections import Counter
from collections.abc import Callable
from importlib import import_module
from typing import Any

import psycopg

from etl.api.transport import Transport
from etl.cli.main import COMMANDS, main

#: Where the process is killed: what is called, and on what.
SEAMS: dict[str, tuple[tuple[Any, str], ...]] = {
    "http": ((Transport, "send"),),
    "sql": ((psycopg.Cursor, "execute"), (psycopg.Cursor, "executemany")),
    "copy": ((psycopg.Copy, "write"),),
    "commit": ((psycopg.Connection, "commit"),),
}


def kill() -> None:
    """End this process as nothing can prevent."""
    os.kill(os.getpid(), signal.SIGKILL)


def mortal(seam: str, call: Callable[..., Any], calls: Counter[str], at: int) -> Callable[..., Any]:
    """Return a call of a seam that counts itself, and kills the process instead of its `at`-th turn."""

    def counted(self: Any, *given: Any, **named: Any) -> Any:
        calls[seam] += 1
        if calls[seam] == at:
            if seam == "copy":  # half of a block is on its way
                call(self, given[0][: len(given[0]) // 2])
            kill()
        return call(self, *given, **named)

    return counted


def live(order: dict[str, Any], report: int) -> None:
    """Be the run that was ordered; this never returns."""
    said = os.open(order["output"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(said, 1)
    os.dup2(said, 2)
    os.environ.update(order["environment"])
    calls: Counter[str] = Counter()
    for seam, places in SEAMS.items():
        at = order["at"] if seam == order["seam"] else 0
        for owner, name in places:
            setattr(owner, name, mortal(seam, getattr(owner, name), calls, at))
    status = main(order["arguments"])
    sys.stdout.flush()
    os.write(report, json.dumps(calls).encode())
    os._exit(status)


def carry_out(order: dict[str, Any]) -> dict[str, Any]:
    """Fork a run, wait for its end and return how it ended."""
    heard, report = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(heard)
        live(order, report)
    os.close(report)
    with os.fdopen(heard, "rb") as pipe:
        calls = pipe.read()
    _, status = os.waitpid(child, 0)
    return {"status": os.waitstatus_to_exitcode(status), "calls": json.loads(calls or b"{}")}


if __name__ == "__main__":
    for command in COMMANDS:
        import_module(f"etl.cli.{command}")
    for line in sys.stdin:
        sys.stdout.write(json.dumps(carry_out(json.loads(line))) + "\n")
        sys.stdout.flush()
