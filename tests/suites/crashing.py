"""Runs of the command line that are killed at a chosen call: orders to a process that forks them."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

ZYGOTE = Path(__file__).with_name("zygote.py")
SEAMS = ("http", "sql", "copy", "commit")
KILLED = -9


@dataclass(frozen=True)
class Ended:
    """How a run ended: its exit status (KILLED for a kill), how often each seam was called, and what it said."""

    status: int
    calls: Mapping[str, int]
    said: str


@dataclass(frozen=True)
class Zygote:
    """The way to the process that forks runs."""

    orders: IO[str]
    answers: IO[str]
    output: Path

    def order(self, *arguments: str, environment: Mapping[str, str], seam: str = "", at: int = 0) -> None:
        """Have a run of the command line begun, to be killed at the `at`-th call of a seam (0: not at all)."""
        order = {
            "arguments": arguments, "environment": dict(environment), "seam": seam, "at": at, "output": str(self.output)
        }  # fmt: skip
        self.orders.write(json.dumps(order) + "\n")
        self.orders.flush()

    def answer(self) -> Ended:
        """Wait for the end of the run that was ordered and return how it ended."""
        answer = json.loads(self.answers.readline())
        return Ended(answer["status"], answer["calls"], self.output.read_text(errors="replace"))

    def run(self, *arguments: str, environment: Mapping[str, str], seam: str = "", at: int = 0) -> Ended:
        """Have a run carried out and return how it ended."""
        self.order(*arguments, environment=environment, seam=seam, at=at)
        return self.answer()


@contextmanager
def zygote(folder: Path, environment: Mapping[str, str]) -> Iterator[Zygote]:
    """Give a process that forks runs, for as long as the block runs."""
    process = subprocess.Popen(
        [sys.executable, str(ZYGOTE)], cwd=folder, env=dict(environment), text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    with process:
        orders, answers = cast("IO[str]", process.stdin), cast("IO[str]", process.stdout)
        yield Zygote(orders, answers, folder / "said")
        orders.close()
