"""The lock under which production rows are written: one transaction of an agency at a time.

A transaction writes the records of pages, what they refer to and what is made from them, so that its tables come in no
fixed order. Without the lock two transactions would wait for each other's rows, and PostgreSQL would end one of them.
Reading, cleaning and staging need no lock, nor does a page without a change.
"""

from sqlalchemy import Connection, text

#: The key in `Connection.info` for the transaction that holds the lock.
INFO_KEY = "etl production lock"

#: The first key of the lock is arbitrary but must not change; two agencies with the same hash wait for each other.
LOCK = text("SELECT pg_catalog.pg_advisory_xact_lock(1902207596, pg_catalog.hashtext(:tenant))")


def lock_production(connection: Connection, tenant: str) -> None:
    """Wait until no other transaction writes production rows of an agency; the end of the transaction unlocks.

    Must not be called inside a savepoint: its rollback would unlock too early.
    """
    transaction = connection.get_transaction()
    if connection.info.get(INFO_KEY) is not transaction:
        connection.execute(LOCK, {"tenant": tenant})
        connection.info[INFO_KEY] = transaction
