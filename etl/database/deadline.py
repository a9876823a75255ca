"""A client-side deadline for every wait on the server, for black holes between it and us.

The server's `statement_timeout` ends a statement that works too long; behind a dead network or a proxy that swallows
everything, neither it nor TCP keep-alives help, and the driver would wait for ever. Every wait of a psycopg connection
goes through `Connection.wait`, so that is the place for the deadline: no second thread, no statement left out.
"""

import time
from collections.abc import Generator
from contextlib import suppress
from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen

RV = TypeVar("RV")

#: The server should be the first to give up: its answer leaves the session usable.
HEAD_START_SECONDS = 5.0
_CANCEL_SECONDS = 2.0
_LOOK_EVERY_SECONDS = 0.1


class DeadlineExpired(psycopg.OperationalError):
    """The server did not answer in time; the session was closed, and what it was doing is undone."""


class DeadlineConnection(psycopg.Connection[Any]):
    """A psycopg connection on which no wait lasts longer than `deadline` seconds; None waits without an end."""

    deadline: float | None = None

    def wait(self, gen: PQGen[RV], interval: float = _LOOK_EVERY_SECONDS, *rest: Any, **options: Any) -> RV:
        """Wait for the server and return what it said; raise DeadlineExpired when that takes too long."""
        if self.deadline is None:
            return super().wait(gen, interval, *rest, **options)
        try:
            return super().wait(_until(gen, self.deadline), interval, *rest, **options)
        except DeadlineExpired:
            self._abandon()
            raise

    def _abandon(self) -> None:
        """Ask the server to drop the statement, if it still hears us, and close the session either way."""
        self.deadline = None
        with suppress(Exception):
            self.cancel_safe(timeout=_CANCEL_SECONDS)
        self.close()


def _until(gen: PQGen[RV], seconds: float) -> Generator[Any, Any, RV]:
    """Pass the driver's waiting through, and break it off after `seconds`."""
    give_up = time.monotonic() + seconds
    try:
        waits_for = next(gen)
        while True:
            ready = yield waits_for
            if time.monotonic() > give_up:
                raise DeadlineExpired(f"The database did not answer within {seconds:.0f} s; the session was closed.")
            waits_for = gen.send(ready)
    except StopIteration as done:
        result: RV = done.value
        return result
