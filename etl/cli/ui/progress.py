"""Live progress: a bar on a terminal, plain lines elsewhere."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn
from rich.text import Text

from etl.cli.ui.format import counted, length
from etl.cli.ui.progress_state import Tallies, Tally, ending
from etl.cli.ui.terminal import err, say
from etl.config.redaction import on_one_line
from etl.events import Advanced, Ended, Event, Note, Watch
from etl.models.states import ResourceState

#: Seconds between two plain lines about one resource.
EVERY = 5.0
#: As wide as the longest name of a resource.
NAME = 16

MARKS = {ResourceState.FAILED.value: ("✗", "bold red"), ResourceState.NOT_OFFERED.value: ("-", "dim")}
DONE = ("✓", "green")


@contextmanager
def watching(total: int) -> Iterator[Watch]:
    """Give who is told of a run over `total` resources, for as long as the block runs."""
    console = err()
    if console.is_terminal and os.environ.get("TERM") != "dumb":
        with Terminal(console, total) as terminal:
            yield terminal
    else:
        yield Plain(say)


class Plain:
    """Progress as lines for a log file or a pipe: one at the end of a resource, one every few seconds on the way."""

    def __init__(self, write: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._write = write
        self._clock = clock
        self._tallies = Tallies(clock())
        self._said_at = clock()
        self._lock = threading.Lock()

    def __call__(self, event: Event) -> None:
        """Write a line where an event is worth one."""
        with self._lock:
            now = self._clock()
            if line := self._line(event, now):
                self._said_at = now
                self._write(on_one_line(line))

    def _line(self, event: Event, now: float) -> str | None:
        if isinstance(event, Note):
            return event.text
        if isinstance(event, Ended):
            return f"{event.resource:<{NAME}}  {ending(event, self._tallies.end(event, now), now)}"
        tally = self._tallies.take(event, now)
        is_due = isinstance(event, Advanced) and now - self._said_at >= EVERY
        return f"{event.resource:<{NAME}}  {tally.progress(now)} ..." if is_due else None


class Terminal:
    """Progress on a terminal: a line stays for each resource that has ended, a bar moves for each one at work."""

    def __init__(self, console: Console, total: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._console = console
        self._total = total
        self._clock = clock
        self._tallies = Tallies(clock())
        self._lock = threading.Lock()
        name, words = (TextColumn(f"{{task.{what}}}", markup=False) for what in ("description", "fields[words]"))
        self._bars = Progress(name, BarColumn(20), words, console=console, transient=True, refresh_per_second=5)
        self._all = self._bars.add_task(f"{'all':<{NAME}}", total=total, words="")
        self._at_work: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def __call__(self, event: Event) -> None:
        """Show what an event tells."""
        with self._lock:
            now = self._clock()
            if isinstance(event, Note):
                self._console.print(on_one_line(event.text), style="dim", soft_wrap=True)
            elif isinstance(event, Ended):
                self._end(event, now)
            else:
                self._show(self._tallies.take(event, now), now)
            self._sum_up(now)

    def _end(self, event: Ended, now: float) -> None:
        mark, style = MARKS.get(event.state, DONE)
        words = on_one_line(ending(event, self._tallies.end(event, now), now))
        self._console.print(Text.assemble((mark, style), f" {event.resource:<{NAME}}  {words}"), soft_wrap=True)
        if (bar := self._at_work.pop(event.resource, None)) is not None:
            self._bars.remove_task(bar)

    def _show(self, tally: Tally, now: float) -> None:
        if tally.resource not in self._at_work:
            self._at_work[tally.resource] = self._bars.add_task(f"{tally.resource:<{NAME}}", words="")
        bar = self._at_work[tally.resource]
        self._bars.update(bar, total=tally.total, completed=tally.done, words=tally.progress(now))

    def _sum_up(self, now: float) -> None:
        tallies = self._tallies
        records, took = counted(tallies.records, "record"), length(now - tallies.began_at)
        words = f"{tallies.ended} of {self._total}, {records}, {took}"
        self._bars.update(self._all, completed=min(tallies.ended, self._total), words=words)
