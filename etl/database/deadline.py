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
HEAD_START_SECONDS = 5.0
_CANCEL_SECONDS = 2.0
_LOOK_EVERY_SECONDS = 0.1


class DeadlineExpired(psycopg.OperationalError):
    """The server did not answer in time; the session was closed, and what it was doing is undone."""


class AnswerGarbled(psycopg.OperationalError):
    """The session was lost in a COPY, and a pooler told of it after the server had: the driver expects one result."""


class _LetGo:
    """The last moment at which this process let go of its calls under way."""

    at = -inf


def let_go() -> None:
    """Break off every call to a database that this process waits for now; later calls are not concerned."""
    _LetGo.at = time.monotonic()


def let_go_since(began: float) -> bool:
    """Return whether calls were let go after this moment of the monotonic clock."""
    return _LetGo.at >= began


class DeadlineConnection(psycopg.Connection[Any]):
    """A psycopg connection on which no wait lasts longer than `deadline` seconds; None waits without an end."""

    deadline: float | None = None

    def wait(self, gen: PQGen[RV], interval: float = _LOOK_EVERY_SECONDS, *rest: Any, **options: Any) -> RV:
        """Wait for the server and return what it said.

        Raises DeadlineExpired when that takes too long, AnswerGarbled when its end comes in pieces, Interrupted when
        the call was let go; then, and when a signal handler raises, the session is closed.
        """
        try:
            return super().wait(_until(gen, self.deadline), interval, *rest, **options)
        except DeadlineExpired:
            self._abandon()
            raise
        except (psycopg.Error, UnicodeError):
            raise
        except ValueError as error:
            self._abandon()
            raise AnswerGarbled("The database answered a COPY with more than one result.") from error
        except BaseException:
            if self.pgconn.transaction_status == TransactionStatus.ACTIVE:
                self._abandon()
            raise

    def rollback(self) -> None:
        """Roll back; of a session that is closed nothing is left to undo, and no second error hides the first."""
        if not self.closed:
            super().rollback()

    def _abandon(self) -> None:
        """Ask the server to drop the statement, if it still hears us, and close the session either way."""
        self.deadline = None
        with suppress(Exception):
            self.cancel_safe(timeout=_CANCEL_SECONDS)
        self.close()


def asking(url: str, seconds: float, **parameters: Any) -> DeadlineConnection:
    """Return a connection of its own for a few short questions, each answered within `seconds` or not at all.

    `parameters` are libpq's, beside those of the URL.
    """
    limits = {"connect_timeout": max(2, round(seconds)), "autocommit": True}
    connection = DeadlineConnection.connect(url, **{**parameters, **limits})
    connection.deadline = seconds
    return connection


def _until(gen: PQGen[RV], seconds: float | None) -> Generator[Any, Any, RV]:
    """Pass the driver's waiting through, and break it off after `seconds` or when it is let go."""
    began = time.monotonic()
    try:
        waits_for = next(gen)
        while True:
            ready = yield waits_for
            if let_go_since(began):
                raise Interrupted
            if seconds is not None and time.monotonic() > began + seconds:
                raise DeadlineExpired(f"The database did not answer within {seconds:.0f} s; the session was closed.")
            waits_for = gen.send(ready)
    except StopIteration as done:
        result: RV = done.value
        return result
