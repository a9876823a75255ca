"""Runs commands through a fork server, which can kill a run at a chosen call."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

FORK_SERVER = Path(__file__).with_name("fork_server.py")
SEAMS = ("http", "sql", "copy", "commit")
KILLED = -9


@dataclass(frozen=True)
class RunResult:
    """The result of a run: its exit status (KILLED after a kill), the number of calls of each seam, and its output."""

    status: int
    calls: Mapping[str, int]
    said: str


@dataclass(frozen=True)
class ForkServer:
    """A connection to the fork server."""

    orders: IO[str]
    answers: IO[str]
    output: Path

    def order(self, *arguments: str, environment: Mapping[str, str], seam: str = "", at: int = 0) -> None:
        """Start a command, to be killed at the `at`-th call of a seam (0: never)."""
        order = {
            "arguments": arguments, "environment": dict(environment), "seam": seam, "at": at, "output": str(self.output)
        }  # fmt: skip
        self.orders.write(json.dumps(order) + "\n")
        self.orders.flush()

    def answer(self) -> RunResult:
        """Wait for the end of the run and return its result."""
        answer = json.loads(self.answers.readline())
        return RunResult(answer["status"], answer["calls"], self.output.read_text(errors="replace"))

    def run(self, *arguments: str, environment: Mapping[str, str], seam: str = "", at: int = 0) -> RunResult:
        """Run a command and return its result."""
        self.order(*arguments, environment=environment, seam=seam, at=at)
        return self.answer()


@contextmanager
def start_fork_server(folder: Path, environment: Mapping[str, str]) -> Iterator[ForkServer]:
    """Give a fork server for the duration of the block."""
    process = subprocess.Popen(
        [sys.executable, str(FORK_SERVER)], cwd=folder, env=dict(environment), text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    with process:
        orders, answers = cast("IO[str]", process.stdin), cast("IO[str]", process.stdout)
        yield ForkServer(orders, answers, folder / "said")
        orders.close()
