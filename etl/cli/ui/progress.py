"""Live progress: bars on a terminal, plain lines elsewhere."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID, TextColumn
from rich.text import Text

from etl.cli.ui.progress_state import ResourceProgress, RunProgress, describe_end
from etl.cli.ui.terminal import print_notice, stderr
from etl.config.redaction import escape_control_characters
from etl.database.waits import showing_waits
from etl.events import Advanced, Event, Finished, Message, Planned, Watch
from etl.models.states import ResourceState

#: Seconds between two plain lines.
PLAIN_INTERVAL = 5.0
#: Width of the longest resource name.
NAME_WIDTH = 16

MARKS = {ResourceState.FAILED.value: ("✗", "bold red"), ResourceState.NOT_OFFERED.value: ("-", "dim")}
DONE_MARK = ("✓", "green")


@contextmanager
def show_progress(total: int) -> Iterator[Watch]:
    """Give a watcher that shows the progress of a run over `total` resources."""
    console = stderr()
    if console.is_terminal and os.environ.get("TERM") != "dumb":
        with TerminalProgress(console, total) as terminal, showing_waits(lambda text: terminal(Message(text))):
            yield terminal
    else:
        with showing_waits(print_notice):
            yield PlainProgress(print_notice)


class PlainProgress:
    """Progress as lines: one at the end of each resource, and one every few seconds."""

    def __init__(self, write: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._write = write
        self._clock = clock
        self._run = RunProgress(clock())
        self._last_line_at = clock()
        self._lock = threading.Lock()

    def __call__(self, event: Event) -> None:
        """Print a line if the event is due for one."""
        with self._lock:
            now = self._clock()
            if line := self._format_line(event, now):
                self._last_line_at = now
                self._write(escape_control_characters(line))

    def _format_line(self, event: Event, now: float) -> str | None:
        if isinstance(event, Message):
            return event.text
        if isinstance(event, Finished):
            return f"{event.resource:<{NAME_WIDTH}}  {describe_end(event, self._run.finish(event, now), now)}"
        if isinstance(event, Planned):
            self._run.plan(event)
            return None
        progress = self._run.add(event, now)
        is_due = isinstance(event, Advanced) and now - self._last_line_at >= PLAIN_INTERVAL
        return f"{event.resource:<{NAME_WIDTH}}  {progress.describe(now)} ..." if is_due else None


class LiveText(ProgressColumn):
    """Text that is computed at each refresh, so that the clock and rates continue while nothing happens."""

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__()
        self._clock = clock

    def render(self, task: Task) -> Text:
        """Return the text of a bar now."""
        describe: Callable[[float], str] = task.fields["describe"]
        return Text(describe(self._clock()))


class TerminalProgress:
    """Progress on a terminal: a line for each finished resource, a bar for each running one."""

    def __init__(self, console: Console, total: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._console = console
        self._clock = clock
        self._run = RunProgress(clock(), total=total)
        self._lock = threading.Lock()
        name, text = TextColumn("{task.description}", markup=False), LiveText(clock)
        self._progress_bars = Progress(name, BarColumn(20), text, console=console, transient=True, refresh_per_second=5)
        self._total_bar = self._add_bar("resources", self._run.describe)
        self._bar_ids: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        self._progress_bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress_bars.stop()

    def __call__(self, event: Event) -> None:
        """Update the bars with an event."""
        with self._lock:
            now = self._clock()
            if isinstance(event, Message):
                self._console.print(escape_control_characters(event.text), style="dim", soft_wrap=True)
            elif isinstance(event, Finished):
                self._finish_resource(event, now)
            elif isinstance(event, Planned):
                self._run.plan(event)
            else:
                self._update_bar(self._run.add(event, now))
            self._update_total()

    def _finish_resource(self, event: Finished, now: float) -> None:
        mark, style = MARKS.get(event.state, DONE_MARK)
        text = escape_control_characters(describe_end(event, self._run.finish(event, now), now))
        self._console.print(Text.assemble((mark, style), f" {event.resource:<{NAME_WIDTH}}  {text}"), soft_wrap=True)
        if (bar := self._bar_ids.pop(event.resource, None)) is not None:
            self._progress_bars.remove_task(bar)

    def _add_bar(self, name: str, describe: Callable[[float], str]) -> TaskID:
        return self._progress_bars.add_task(f"{name:<{NAME_WIDTH}}", total=None, describe=describe)

    def _update_bar(self, progress: ResourceProgress) -> None:
        if progress.resource not in self._bar_ids:
            self._bar_ids[progress.resource] = self._add_bar(progress.resource, progress.describe)
        bar = self._bar_ids[progress.resource]
        self._progress_bars.update(bar, total=progress.total, completed=progress.done)

    def _update_total(self) -> None:
        self._progress_bars.update(self._total_bar, total=self._run.total, completed=self._run.finished)
