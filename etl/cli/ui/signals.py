"""Stop a run: the first signal stops it after the current page, the second one quits now."""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Self

from etl.database.deadline import cancel_pending_calls
from etl.errors import Interrupted

SIGNALS = (signal.SIGINT, signal.SIGTERM)

#: Seconds that the current page gets before its calls are canceled, and seconds until the process then quits.
PAGE_GRACE, EXIT_GRACE = 15, 12

STOPPING = (
    "\nStopping after the current page. Progress is saved; the next run resumes from here. "
    "Press Ctrl-C again to quit now.\n"
)
SHOW_CURSOR = "\x1b[?25h"


class StopRequest:
    """Handles SIGINT, SIGTERM and a time limit while the block runs."""

    def __init__(self, resumed_by: str = "`qqetl retry` or the next `qqetl sync`") -> None:
        self.resumed_by = resumed_by  #: what resumes the run after a stop
        self.event = threading.Event()  #: set: stop the run
        self.by_signal = False  #: a signal requested the stop
        self.timed_out = False  #: the time limit is reached
        self._calls_cancelled = False

    def __enter__(self) -> Self:
        self._previous_handlers = {number: signal.signal(number, self._on_signal) for number in SIGNALS}
        self._previous_handlers[signal.SIGALRM] = signal.signal(signal.SIGALRM, self._on_alarm)
        return self

    def __exit__(self, *_: object) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in self._previous_handlers.items():
            signal.signal(number, handler)

    @contextmanager
    def limit_time(self, minutes: float | None) -> Iterator[threading.Event]:
        """Give the event that stops a run; a signal or the time limit sets it."""
        self.timed_out = False
        if not self.by_signal:
            self.event.clear()
        timer = threading.Timer((minutes or 0) * 60, self._on_timeout)
        timer.daemon = True
        if minutes is not None:
            timer.start()
        try:
            yield self.event
        finally:
            timer.cancel()

    def _on_timeout(self) -> None:
        self.timed_out = True
        self.event.set()

    def _on_signal(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 (signature of a signal handler)
        if self.by_signal:
            exit_now()
        self.by_signal = True
        self.event.set()
        write_stderr(STOPPING)
        signal.setitimer(signal.ITIMER_REAL, PAGE_GRACE, EXIT_GRACE)

    def _on_alarm(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        if self._calls_cancelled:
            exit_now()
        self._calls_cancelled = True
        cancel_pending_calls()
        raise Interrupted


def write_stderr(text: str) -> None:
    """Write to standard error without buffers, which a signal handler must not use."""
    with suppress(OSError):
        os.write(2, text.encode())


def exit_now() -> None:
    """Quit the process now. The batch can be resumed, and its lease expires within a minute."""
    if sys.stderr.isatty():
        write_stderr(SHOW_CURSOR)
    os._exit(1)
