"""The calls of an account by hour, of all runs and commands that share a database."""

from sqlalchemy import Connection, text

from etl.queries import Queries

SQL = Queries(__file__)

#: Counts older than this are removed.
KEPT_HOURS = 48


def add_calls(connection: Connection, account: str, calls: int) -> None:
    """Add calls to the current hour, and remove old hours."""
    connection.execute(SQL["add_calls"], {"account": account, "calls": calls})
    connection.execute(
        text("DELETE FROM etl.account_calls WHERE account = :account AND hour < now() - make_interval(hours => :kept)"),
        {"account": account, "kept": KEPT_HOURS},
    )


def count_calls_of_last_day(connection: Connection, account: str) -> int:
    """Return the calls of the last 24 hours; the hour in which they began counts as a whole."""
    return int(connection.execute(SQL["count_calls_of_last_day"], {"account": account}).scalar_one())
