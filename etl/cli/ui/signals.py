"""Ending a run: the first signal asks for an end, time brings it about, and a second signal ends at once."""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Self

from etl.database.deadline import let_go
from etl.errors import Interrupted

SIGNALS = (signal.SIGINT, signal.SIGTERM)

#: Seconds that the page under way has before it is given up, and then as many until the process ends.
GRACE, LAST_GRACE = 15, 12

ASKED = "\nStopping; what came is kept, and the next run goes on there. Once more ends at once.\n"
SHOW_CURSOR = "\x1b[?25h"


class Stopping:
    """Hears SIGINT and SIGTERM for as long as the block runs."""

    def __init__(self) -> None:
        self.event = threading.Event()  #: set: the run is to end
        self.asked = False  #: by a signal
        self.time_is_up = False  #: its minutes are over
        self._gave_up = False

    def __enter__(self) -> Self:
        self._before = {number: signal.signal(number, self._hear) for number in SIGNALS}
        self._before[signal.SIGALRM] = signal.signal(signal.SIGALRM, self._grow_impatient)
        return self

    def __exit__(self, *_: object) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in self._before.items():
            signal.signal(number, handler)

    @contextmanager
    def within(self, minutes: float | None) -> Iterator[threading.Event]:
        """Give the event that ends a run, which is set by a signal or when the minutes are over."""
        self.time_is_up = False
        if not self.asked:
            self.event.clear()
        timer = threading.Timer((minutes or 0) * 60, self._tell_time)
        timer.daemon = True
        if minutes is not None:
            timer.start()
        try:
            yield self.event
        finally:
            timer.cancel()

    def _tell_time(self) -> None:
        self.time_is_up = True
        self.event.set()

    def _hear(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 (the form of a signal handler)
        if self.asked:
            end_at_once()
        self.asked = True
        self.event.set()
        write(ASKED)
        signal.setitimer(signal.ITIMER_REAL, GRACE, LAST_GRACE)

    def _grow_impatient(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        if self._gave_up:
            end_at_once()
        self._gave_up = True
        let_go()
        raise Interrupted


def write(words: str) -> None:
    """Write to standard error past all buffers, which a signal handler must not touch."""
    with suppress(OSError):
        os.write(2, words.encode())


def end_at_once() -> None:
    """End the process now. The batch is resumable, and its lease frees itself within a minute."""
    if sys.stderr.isatty():
        write(SHOW_CURSOR)
    os._exit(1)
