"""Reports of long waits for the database: what is waited for, since when, and what happens if it does not answer."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from etl.config.logs import get_logger
from etl.local_time import to_local

#: Seconds after which a wait for the database is reported, and between two reports.
LONG_WAIT, REPORT_EVERY = 3.0, 15.0
#: Seconds after which a call without an answer is reported: a statement may take long.
LONG_SILENCE = 20.0

#: Shows a line about a wait to a person.
ShowLine = Callable[[str], None]

log = get_logger(__name__)


class WaitReports:
    """What was said about waits for the database; threads that wait together are reported as one."""

    def __init__(self) -> None:
        self.show: ShowLine | None = None  #: None if nobody watches: the log tells it then
        self._lock = threading.Lock()
        self._since: float | None = None  #: start of the reported wait, by the monotonic clock
        self._reported_at = 0.0

    def report(self, start: float, end: float, reason: str) -> None:
        """Say what is waited for, since when and until when, once the wait is long, and again from time to time."""
        now = time.monotonic()
        with self._lock:
            is_known = self._since is not None and now - self._reported_at < REPORT_EVERY
            if now - start < LONG_WAIT or is_known:
                return
            self._since, self._reported_at = min(start, self._since or start), now
            started = datetime.now(UTC) - timedelta(seconds=now - self._since)
        seconds_left = max(0, round(end - now))
        log.log(
            self._level,
            "waiting for the database",
            since=started.isoformat(timespec="seconds"),
            reason=reason,
            gives_up_in_seconds=seconds_left,
            afterwards="the run ends; `qqetl retry` continues it where it stopped",
        )
        if self.show is not None:
            self.show(
                f"Waiting for the database since {to_local(started):%H:%M:%S %Z}: {reason.rstrip('.')}. Progress is "
                f"saved. If it does not answer within {seconds_left} s, the run ends and `qqetl retry` resumes it."
            )

    def report_end(self, *, answers: bool) -> None:
        """End the reported wait, if there is one, and say so if the database answers again."""
        with self._lock:
            since, self._since = self._since, None
        if since is None or not answers:
            return
        seconds = round(time.monotonic() - since)
        log.log(self._level, "the database answers again", after_seconds=seconds)
        if self.show is not None:
            self.show(f"The database answers again after {seconds} s.")

    @property
    def _level(self) -> int:
        """The level of a log line: a warning only if nobody sees the line that says the same."""
        return logging.WARNING if self.show is None else logging.INFO


reports = WaitReports()


@contextmanager
def showing_waits(show: ShowLine) -> Iterator[None]:
    """Show long waits for the database as lines until the block ends."""
    before, reports.show = reports.show, show
    try:
        yield
    finally:
        reports.show = before
