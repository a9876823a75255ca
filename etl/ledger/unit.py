"""The unit of work: one transaction that a lease guards and that is tried again when PostgreSQL asks for it."""

import random
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar
from uuid import UUID

from sqlalchemy import Connection, Engine

from etl.database.sqlstate import TooSlow, database_errors
from etl.errors import DatabaseUnavailable, EtlError, LeaseLost
from etl.ledger import batches
from etl.ledger.leases import Lease, hold
from etl.ledger.tally import summed_up

T = TypeVar("T")

#: How often one transaction is tried: deadlocks and serialization failures pass, a restarting server takes seconds.
ATTEMPTS = 7
#: What took too long once may have been unlucky; what takes too long twice will again.
ATTEMPTS_IF_SLOW = 2
#: The longest pause between two tries, in seconds.
LONGEST_PAUSE = 8.0


class Ledger:
    """One tenant's way to its database: every change of a table passes through `commit`."""

    def __init__(self, engine: Engine, tenant: str, lease: Lease | None = None) -> None:
        self.engine = engine
        self.tenant = tenant
        self.lease = lease

    def commit(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in one transaction, check that the lease still holds, commit, and return what `work` returned.

        The whole transaction is tried again after a transient error; `work` must therefore have no effect but on its
        connection. Raises LeaseLost when another run took over, DatabaseUnavailable when the tries are used up.
        """
        attempt = 1
        while True:
            try:
                with database_errors(), self.engine.begin() as connection:
                    with summed_up(connection):
                        done = work(connection)
                    if self.lease is not None:
                        hold(connection, self.lease)
                return done
            except DatabaseUnavailable as error:
                if attempt >= (ATTEMPTS_IF_SLOW if isinstance(error, TooSlow) else ATTEMPTS):
                    raise
            time.sleep(random.uniform(0, min(LONGEST_PAUSE, 0.02 * 4**attempt)))  # noqa: S311 (jitter, no secret)
            attempt += 1

    def fail(self, batch_id: UUID, error: EtlError) -> None:
        """Mark a batch failed, resumable, with the error's words; the first error outranks a second one here.

        A batch whose lease is lost belongs to another run, and is left alone.
        """
        if isinstance(error, LeaseLost):
            return
        with suppress(EtlError), database_errors(), self.engine.begin() as connection:
            batches.fail(connection, batch_id, str(error))

    def rehearse(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in a transaction that is rolled back, and return what it returned."""
        with database_errors(), self.engine.connect() as connection, connection.begin() as transaction:
            done = work(connection)
            transaction.rollback()
        return done

    def read(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in a transaction that changes nothing, and return what it returned."""
        with database_errors(), self.engine.connect() as connection:
            return work(connection)
