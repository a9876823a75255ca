"""The lock under which production rows are inserted and merged: one transaction of an agency at a time.

A transaction writes the records of pages, what they refer to and what is made from them, so that its tables come in no
fixed order. Without the lock two transactions would wait for each other's rows, and PostgreSQL would end one of them.
Reading, cleaning and staging need no lock, nor does a page without a change. What the end of a run updates and deletes
does not take it: a deadlock with that is retried.
"""

from sqlalchemy import Connection

from etl.queries import Queries

SQL = Queries(__file__)

#: The key in `Connection.info` for the transaction that holds the lock.
INFO_KEY = "etl production lock"


def lock_production(connection: Connection, tenant: str) -> None:
    """Wait until no other transaction writes production rows of an agency; the end of the transaction unlocks.

    Must not be called inside a savepoint: its rollback would unlock too early.
    """
    transaction = connection.get_transaction()
    if transaction is None or connection.info.get(INFO_KEY) is not transaction:
        connection.execute(SQL["lock_tenant"], {"tenant": tenant})
        connection.info[INFO_KEY] = connection.get_transaction()
