"""The lock under which production rows are inserted and merged: one transaction of an agency at a time.

A transaction writes the records of pages, what they refer to and what is made from them, so that its tables come in no
fixed order. Without the lock two transactions would wait for each other's rows, and PostgreSQL would end one of them.
Reading, cleaning and staging need no lock, nor does a page without a change. What the end of a run updates and deletes
does not take it: a deadlock with that is retried.
"""

from sqlalchemy import Connection, text

#: The key in `Connection.info` for the transaction that holds the lock.
INFO_KEY = "etl production lock"

#: The first key of the lock is arbitrary but must not change; two agencies with the same hash wait for each other. Many
#: workers may wait in line for longer than for a row: the limit is that of a statement, and is put back afterwards.
LOCK = text("""
    SELECT pg_catalog.set_config('lock_timeout', '0', true),
           pg_catalog.pg_advisory_xact_lock(1902207596, pg_catalog.hashtext(:tenant)),
           pg_catalog.set_config('lock_timeout', limits.before, true)
    FROM (SELECT pg_catalog.current_setting('lock_timeout') AS before OFFSET 0) AS limits
""")


def lock_production(connection: Connection, tenant: str) -> None:
    """Wait until no other transaction writes production rows of an agency; the end of the transaction unlocks.

    Must not be called inside a savepoint: its rollback would unlock too early.
    """
    transaction = connection.get_transaction()
    if transaction is None or connection.info.get(INFO_KEY) is not transaction:
        connection.execute(LOCK, {"tenant": tenant})
        connection.info[INFO_KEY] = connection.get_transaction()
