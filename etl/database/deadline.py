"""A client-side deadline for every wait on the server, for black holes between it and us.

The server's `statement_timeout` ends a statement that works too long; behind a dead network or a proxy that swallows
everything, neither it nor TCP keep-alives help, and the driver would wait for ever. Every wait of a psycopg connection
goes through `Connection.wait`, so that is the place for the deadline: no second thread, no statement left out. It is
the place, too, where whoever is asked to end lets go of the calls under way, in whichever thread they wait.
"""

import time
from collections.abc import Generator
from contextlib import suppress
from math import inf
from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen
from psycopg.pq import TransactionStatus

from etl.errors import Interrupted

RV = TypeVar("RV")

#: The server should be the first to give up: its answer leaves the session usable.
CLIENT_GRACE_SECONDS = 5.0
_CANCEL_SECONDS = 2.0
_POLL_SECONDS = 0.1


class DeadlineExpired(psycopg.OperationalError):
    """The server did not answer in time; the session was closed, and what it was doing is undone."""


class UnexpectedResult(psycopg.OperationalError):
    """The session was lost in a COPY, and a pooler told of it after the server had: the driver expects one result."""


class _LastCancellation:
    """The last moment at which this process let go of its calls under way."""

    at = -inf


def cancel_pending_calls() -> None:
    """Break off every call to a database that this process waits for now; later calls are not concerned."""
    _LastCancellation.at = time.monotonic()


def were_calls_cancelled_since(began: float) -> bool:
    """Return whether calls were let go after this moment of the monotonic clock."""
    return _LastCancellation.at >= began


class DeadlineConnection(psycopg.Connection[Any]):
    """A psycopg connection on which no wait lasts longer than `deadline` seconds; None waits without an end."""

    deadline: float | None = None

    def wait(self, gen: PQGen[RV], interval: float = _POLL_SECONDS, *args: Any, **kwargs: Any) -> RV:
        """Wait for the server and return what it said.

        Raises DeadlineExpired when that takes too long, AnswerGarbled when its end comes in pieces, Interrupted when
        the call was let go; then, and when a signal handler raises, the session is closed.
        """
        try:
            return super().wait(_with_deadline(gen, self.deadline), interval, *args, **kwargs)
        except DeadlineExpired:
            self._cancel_and_close()
            raise
        except (psycopg.Error, UnicodeError):
            raise
        except ValueError as error:
            self._cancel_and_close()
            raise UnexpectedResult("The database answered a COPY with more than one result.") from error
        except BaseException:
            if self.pgconn.transaction_status == TransactionStatus.ACTIVE:
                self._cancel_and_close()
            raise

    def rollback(self) -> None:
        """Roll back; of a session that is closed nothing is left to undo, and no second error hides the first."""
        if not self.closed:
            super().rollback()

    def _cancel_and_close(self) -> None:
        """Ask the server to drop the statement, if it still hears us, and close the session either way."""
        self.deadline = None
        with suppress(Exception):
            self.cancel_safe(timeout=_CANCEL_SECONDS)
        self.close()


def connect_with_deadline(url: str, seconds: float, **parameters: Any) -> DeadlineConnection:
    """Return a connection of its own for a few short questions, each answered within `seconds` or not at all.

    `parameters` are libpq's, beside those of the URL.
    """
    limits = {"connect_timeout": max(2, round(seconds)), "autocommit": True}
    connection = DeadlineConnection.connect(url, **{**parameters, **limits})
    connection.deadline = seconds
    return connection


def _with_deadline(gen: PQGen[RV], seconds: float | None) -> Generator[Any, Any, RV]:
    """Pass the driver's waiting through, and break it off after `seconds` or when it is let go."""
    began = time.monotonic()
    try:
        waits_for = next(gen)
        while True:
            ready = yield waits_for
            if were_calls_cancelled_since(began):
                raise Interrupted
            if seconds is not None and time.monotonic() > began + seconds:
                raise DeadlineExpired(f"The database did not answer within {seconds:.0f} s; the session was closed.")
            waits_for = gen.send(ready)
    except StopIteration as done:
        result: RV = done.value
        return result
