"""The call limit of an account: one row that every worker locks, reads and writes back."""

from typing import NamedTuple

from sqlalchemy import Connection, text

# A row is created when an account is first seen. RETURNING is evaluated once the lock is held, and so is the clock.
LOCK = text("""
    INSERT INTO etl.call_limits AS known (account) VALUES (:account)
    ON CONFLICT (account) DO UPDATE SET account = known.account
    RETURNING CAST(state AS text) AS state, extract(epoch FROM clock_timestamp())::float8 AS now
""")

SAVE = text("""
    UPDATE etl.call_limits SET state = CAST(:state AS jsonb), updated_at = clock_timestamp() WHERE account = :account
""")


class LockedRow(NamedTuple):
    """The row of an account, locked until the transaction ends."""

    state: str  #: JSON; `{}` in a new row
    now: float  #: seconds of the database's clock, read after the row was locked


def lock(connection: Connection, account: str) -> LockedRow:
    """Lock the row of an account and return it."""
    row = connection.execute(LOCK, {"account": account}).one()
    return LockedRow(row.state, row.now)


def save(connection: Connection, account: str, state: str) -> None:
    """Write the state of a locked row."""
    connection.execute(SAVE, {"account": account, "state": state})
