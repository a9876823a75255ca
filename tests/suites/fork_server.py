"""A fork server: it imports qqetl once and forks a run for each order, which it can kill at the n-th call of a seam.

Orders are lines of JSON on standard input: `arguments`, `environment`, `seam` and `at` (0: no kill), and `output`, the
file for the output of the run. Each answer is a line: the exit status (negative: the signal), and the number of calls
of each seam, unless the run was killed. qqetl contains no code for this.
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
from etl.reshape.rules import CLEANING, READING, rules_digest

#: The calls at which the process can be killed: the owner and name of each method.
SEAMS: dict[str, tuple[tuple[Any, str], ...]] = {
    "http": ((Transport, "send"),),
    "sql": ((psycopg.Cursor, "execute"), (psycopg.Cursor, "executemany")),
    "copy": ((psycopg.Copy, "write"),),
    "commit": ((psycopg.Connection, "commit"),),
}


def kill() -> None:
    """Kill this process with SIGKILL."""
    os.kill(os.getpid(), signal.SIGKILL)


def mortal(seam: str, call: Callable[..., Any], calls: Counter[str], at: int) -> Callable[..., Any]:
    """Return a method of a seam that counts its calls, and kills the process at the `at`-th call."""

    def counted(self: Any, *args: Any, **kwargs: Any) -> Any:
        calls[seam] += 1
        if calls[seam] == at:
            if seam == "copy":  # send half of a block first
                call(self, args[0][: len(args[0]) // 2])
            kill()
        return call(self, *args, **kwargs)

    return counted


def live(order: dict[str, Any], report: int) -> None:
    """Run the order in this process; never returns."""
    output = os.open(order["output"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
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
    """Fork a run, wait for its end, and return its result."""
    reader, report = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        live(order, report)
    os.close(report)
    with os.fdopen(reader, "rb") as pipe:
        calls = pipe.read()
    _, status = os.waitpid(child, 0)
    return {"status": os.waitstatus_to_exitcode(status), "calls": json.loads(calls or b"{}")}


if __name__ == "__main__":
    for command in COMMANDS:
        import_module(f"etl.cli.commands.{command}")
    for paths in (CLEANING, READING):
        rules_digest(paths)  # parses the sources once for all runs
    for line in sys.stdin:
        sys.stdout.write(json.dumps(carry_out(json.loads(line))) + "\n")
        sys.stdout.flush()
