"""The call limit of an account: one row that every worker locks, reads and writes back."""

from typing import NamedTuple

from sqlalchemy import Connection

from etl.queries import Queries

SQL = Queries(__file__)


class LockedRow(NamedTuple):
    """The row of an account, locked until the transaction ends."""

    state: str  #: JSON; `{}` in a new row
    now: float  #: seconds of the database's clock, read after the row was locked


def lock(connection: Connection, account: str) -> LockedRow:
    """Lock the row of an account and return it."""
    row = connection.execute(SQL["lock_row"], {"account": account}).one()
    return LockedRow(row.state, row.now)


def save(connection: Connection, account: str, state: str) -> None:
    """Write the state of a locked row."""
    connection.execute(SQL["save_state"], {"account": account, "state": state})
