"""Client-side deadlines and cancellation for every wait on the database server.

The server's `statement_timeout` ends a statement that works too long. When the network is dead or a proxy drops
everything, neither that timeout nor TCP keepalives help, and the driver would wait forever. Every wait of a psycopg
connection goes through `Connection.wait`, so the deadline is checked there: it needs no second thread and covers every
statement. Pending calls of all threads are canceled there too when the process is asked to stop.
"""

import time
from collections.abc import Generator
from contextlib import suppress
from math import inf
from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen
from psycopg.pq import TransactionStatus

from etl.database.waits import LONG_SILENCE, reports
from etl.errors import Interrupted

RV = TypeVar("RV")

#: Seconds that the client waits longer than the server: a server-side timeout leaves the session usable.
CLIENT_GRACE_SECONDS = 5.0
_CANCEL_SECONDS = 2.0
_POLL_SECONDS = 0.1
_NO_ANSWER = "no answer; it is busy with a statement, or cannot be reached."


class DeadlineExpired(psycopg.OperationalError):
    """The server did not answer in time; the session was closed and its transaction is rolled back."""


class UnexpectedResult(psycopg.OperationalError):
    """The session was lost during a COPY, and server and pooler both reported it: the driver expects one result."""


class _LastCancellation:
    """When this process last canceled its pending calls."""

    at = -inf


def cancel_pending_calls() -> None:
    """Cancel every database call that this process is waiting for; later calls are not affected."""
    _LastCancellation.at = time.monotonic()


def were_calls_canceled_since(began: float) -> bool:
    """Return whether pending calls were canceled after this time of the monotonic clock."""
    return _LastCancellation.at >= began


class DeadlineConnection(psycopg.Connection[Any]):
    """A psycopg connection on which no wait lasts longer than `deadline` seconds; None means no limit."""

    deadline: float | None = None

    def wait(self, gen: PQGen[RV], interval: float = _POLL_SECONDS, *args: Any, **kwargs: Any) -> RV:
        """Wait for the server and return its answer.

        Raises DeadlineExpired when that takes too long, UnexpectedResult when a COPY returns more than one result, and
        Interrupted when the call was canceled. The session is closed in these cases and when a signal handler raises.
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
            raise UnexpectedResult("The database returned more than one result for a COPY.") from error
        except BaseException:
            if self.pgconn.transaction_status == TransactionStatus.ACTIVE:
                self._cancel_and_close()
            raise

    def rollback(self) -> None:
        """Roll back unless the session is closed, so that no second error hides the first."""
        if not self.closed:
            super().rollback()

    def _cancel_and_close(self) -> None:
        """Try to cancel the statement on the server, then close the session."""
        self.deadline = None
        with suppress(Exception):
            self.cancel_safe(timeout=_CANCEL_SECONDS)
        self.close()


def connect_with_deadline(url: str, seconds: float, **parameters: Any) -> DeadlineConnection:
    """Return a separate connection for a few short queries, each limited to `seconds`.

    `parameters` are libpq parameters in addition to those of the URL.
    """
    limits = {"connect_timeout": max(2, round(seconds)), "autocommit": True}
    connection = DeadlineConnection.connect(url, **{**parameters, **limits})
    connection.deadline = seconds
    return connection


def _with_deadline(gen: PQGen[RV], seconds: float | None) -> Generator[Any, Any, RV]:
    """Forward the driver's waits; stop after `seconds` or when pending calls are canceled."""
    began, is_reported = time.monotonic(), False
    try:
        waits_for = next(gen)
        while True:
            ready = yield waits_for
            if were_calls_canceled_since(began):
                raise Interrupted
            if seconds is not None and time.monotonic() > began + seconds:
                raise DeadlineExpired(f"The database did not answer within {seconds:.0f} s; the session was closed.")
            if seconds is not None and time.monotonic() > began + LONG_SILENCE:
                is_reported = True
                reports.report(began, began + seconds, _NO_ANSWER)
            waits_for = gen.send(ready)
    except StopIteration as done:
        if is_reported:
            reports.report_end(answers=True)
        result: RV = done.value
        return result
