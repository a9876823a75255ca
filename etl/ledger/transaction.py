"""Transactions: each one is guarded by a lease and retried after a transient database error."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from functools import partial
from threading import Lock
from typing import TypeVar
from uuid import UUID, uuid4

from sqlalchemy import Connection, Engine

from etl.config.logs import get_logger, log_context
from etl.database.connect import with_limits
from etl.database.deadline import were_calls_canceled_since
from etl.database.retry import Attempts
from etl.database.sqlstate import database_errors
from etl.errors import DatabaseUnavailable, EtlError, Interrupted, LeaseLost
from etl.ledger import batches, commit_outcome
from etl.ledger.counters import collect_counters
from etl.ledger.leases import TTL, Lease, application_name, verify_lease

log = get_logger(__name__)

T = TypeVar("T")

#: Time limit, in seconds, for writing that a batch failed; the process is about to end.
FAILURE_SECONDS = 5


class Ledger:
    """One tenant's access to its database. Every change of a table passes through `commit`."""

    def __init__(self, engine: Engine, tenant: str, lease: Lease | None = None) -> None:
        self.engine = engine
        self.tenant = tenant
        self.lease = lease
        # A stalled run must not lock rows for longer than it holds the lease.
        self._writing = with_limits(engine, idle_s=TTL, name=application_name(lease.holder) if lease else None)

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Give the connection of one transaction; verify the lease at its end, and commit.

        The server is asked about a commit whose answer was lost. Raises LeaseLost when another run took over,
        DatabaseUnavailable after a transient error, and its subclass CommitUnknown when it stays unknown whether the
        transaction was committed.
        """
        attempt_id, transaction_id = uuid4(), None
        with self.turn():
            try:
                with database_errors(), self._writing.begin() as connection:
                    with collect_counters(connection):
                        yield connection
                    if self.lease is not None:
                        verify_lease(connection, self.lease)
                    transaction_id = commit_outcome.write_evidence(connection, attempt_id)
            except DatabaseUnavailable:
                if not commit_outcome.was_committed(self.engine, attempt_id, transaction_id):
                    raise

    def commit(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in a transaction, tried again after transient errors, and return its result.

        `work` must change nothing except through its connection. Raises what `transaction` raises.
        """
        for attempt in Attempts():
            with attempt, self.transaction() as connection:
                result = work(connection)
        return result

    def fail(self, batch_id: UUID, error: EtlError) -> None:
        """Mark a batch failed and resumable, with the error's message. A second error in this step is ignored.

        After LeaseLost the batch belongs to another run and is not changed.
        """
        if isinstance(error, LeaseLost):
            return
        self.try_once(partial(self.write_failure, batch_id=batch_id, error=error))

    def write_failure(self, connection: Connection, batch_id: UUID, error: EtlError) -> None:
        """Write why a batch failed, and verify the lease if there is one."""
        batches.mark_batch_failed(connection, batch_id, str(error))
        if self.lease is not None:
            verify_lease(connection, self.lease)

    def try_once(self, work: Callable[[Connection], object]) -> None:
        """Run `work` once in one short transaction, and ignore a database error."""
        with (
            suppress(EtlError),
            database_errors(),
            with_limits(self.engine, statement_s=FAILURE_SECONDS).begin() as connection,
        ):
            work(connection)

    @contextmanager
    def mark_failed_on_error(self, batch_id: UUID) -> Iterator[None]:
        """Mark the batch failed when the block raises an EtlError, and raise the error again.

        All log lines of the block carry the batch id.
        """
        with log_context(batch=str(batch_id), tenant=self.tenant):
            log.info("batch started")
            try:
                yield
            except EtlError as error:
                self.fail(batch_id, error)
                if isinstance(error, Interrupted):
                    log.info("batch stopped", reason=str(error))
                else:
                    log.warning("batch failed", reason=str(error), error=type(error).__name__)
                raise
            log.info("batch step finished")

    def dry_run(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in a transaction that is rolled back, and return the result of `work`."""
        for attempt in Attempts():
            with attempt, database_errors(), self.engine.connect() as connection:
                result = work(connection)
                connection.rollback()
        return result

    def read(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in a transaction that changes nothing, with retries, and return the result of `work`."""
        for attempt in Attempts():
            with attempt, self.turn(), database_errors(), self.engine.connect() as connection:
                result = work(connection)
        return result

    def turn(self) -> AbstractContextManager[None]:
        """Wait until the connection is free; each transaction of this ledger has its own."""
        return nullcontext()


class SerializedLedger(Ledger):
    """A ledger for several threads that share one connection: one transaction at a time."""

    def __init__(self, ledger: Ledger) -> None:
        super().__init__(ledger.engine, ledger.tenant, ledger.lease)
        self._lock = Lock()

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for the lock; raise Interrupted when the process canceled its pending calls in the meantime."""
        began = time.monotonic()
        with self._lock:
            if were_calls_canceled_since(began):
                raise Interrupted
            yield
