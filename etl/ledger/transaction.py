"""The unit of work: one transaction that a lease guards and that is tried again when PostgreSQL asks for it."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from threading import Lock
from typing import TypeVar
from uuid import UUID, uuid4

from sqlalchemy import Connection, Engine

from etl.config.logs import get_logger, log_context
from etl.database.connect import with_limits
from etl.database.deadline import were_calls_cancelled_since
from etl.database.retry import with_retries
from etl.database.sqlstate import database_errors
from etl.errors import DatabaseUnavailable, EtlError, Interrupted, LeaseLost
from etl.ledger import batches, commit_outcome
from etl.ledger.counters import collect_counters
from etl.ledger.leases import TTL, Lease, application_name, verify_lease

log = get_logger(__name__)

T = TypeVar("T")

#: Seconds that the mark of a failure may take: whoever writes it is about to end.
FAILURE_SECONDS = 5


class Ledger:
    """One tenant's way to its database: every change of a table passes through `commit`."""

    def __init__(self, engine: Engine, tenant: str, lease: Lease | None = None) -> None:
        self.engine = engine
        self.tenant = tenant
        self.lease = lease
        # A stalled run keeps its successor from no row for longer than from the lease.
        self._writing = with_limits(engine, idle_s=TTL, name=application_name(lease.holder) if lease else None)

    def commit(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in one transaction, check that the lease still holds, commit, and return what `work` returned.

        The whole transaction is tried again after a transient error, and not when it turns out to be committed though
        the answer was lost; `work` must therefore have no effect but on its connection. Raises LeaseLost when another
        run took over, DatabaseUnavailable when patience is at an end, Undecided among them: the commit's own fate.
        """
        return with_retries(partial(self._commit_once, work))

    def _commit_once(self, work: Callable[[Connection], T]) -> T:
        attempt, number = uuid4(), None
        try:
            with database_errors(), self._writing.begin() as connection:
                with collect_counters(connection):
                    done = work(connection)
                if self.lease is not None:
                    verify_lease(connection, self.lease)
                number = commit_outcome.write_evidence(connection, attempt)
        except DatabaseUnavailable:
            if not commit_outcome.was_committed(self.engine, attempt, number):
                raise
        return done

    def fail(self, batch_id: UUID, error: EtlError) -> None:
        """Mark a batch failed, resumable, with the error's words; the first error outranks a second one here.

        A batch whose lease is lost belongs to another run, and is left alone.
        """
        if isinstance(error, LeaseLost):
            return
        self.try_once(partial(self.write_failure, batch_id=batch_id, error=error))

    def write_failure(self, connection: Connection, batch_id: UUID, error: EtlError) -> None:
        """Write why a batch failed, under the lease where there is one."""
        batches.mark_batch_failed(connection, batch_id, str(error))
        if self.lease is not None:
            verify_lease(connection, self.lease)

    def try_once(self, work: Callable[[Connection], object]) -> None:
        """Run `work` once in one short transaction; where the database does not take it, let it be."""
        with (
            suppress(EtlError),
            database_errors(),
            with_limits(self.engine, statement_s=FAILURE_SECONDS).begin() as connection,
        ):
            work(connection)

    @contextmanager
    def mark_failed_on_error(self, batch_id: UUID) -> Iterator[None]:
        """Mark the batch failed when the block raises an error of ours, and let the error pass.

        What is logged in the block names the batch.
        """
        with log_context(batch=str(batch_id), tenant=self.tenant):
            log.info("batch at work")
            try:
                yield
            except EtlError as error:
                self.fail(batch_id, error)
                log.warning("batch failed", reason=str(error), error=type(error).__name__)
                raise
            log.info("batch at its end")

    def dry_run(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in a transaction that is rolled back, and return what it returned."""
        return with_retries(partial(self._dry_run_once, work))

    def _dry_run_once(self, work: Callable[[Connection], T]) -> T:
        with database_errors(), self.engine.connect() as connection, connection.begin() as transaction:
            done = work(connection)
            transaction.rollback()
        return done

    def read(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in a transaction that changes nothing, and return what it returned; tried again as a commit is."""
        return with_retries(partial(self._read_once, work))

    def _read_once(self, work: Callable[[Connection], T]) -> T:
        with database_errors(), self.engine.connect() as connection:
            return work(connection)


class SerializedLedger(Ledger):
    """The same way to the database for several threads, which take turns: together they need one connection."""

    def __init__(self, ledger: Ledger) -> None:
        super().__init__(ledger.engine, ledger.tenant, ledger.lease)
        self._lock = Lock()

    @contextmanager
    def _exclusive(self) -> Iterator[None]:
        """Wait for a turn; raise Interrupted where the process let go of its calls meanwhile."""
        began = time.monotonic()
        with self._lock:
            if were_calls_cancelled_since(began):
                raise Interrupted
            yield

    def _commit_once(self, work: Callable[[Connection], T]) -> T:
        with self._exclusive():
            return super()._commit_once(work)

    def _read_once(self, work: Callable[[Connection], T]) -> T:
        with self._exclusive():
            return super()._read_once(work)
