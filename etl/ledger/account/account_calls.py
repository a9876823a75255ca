"""The calls of an account by hour, of all runs and commands that share a database."""

from sqlalchemy import Connection, text

#: Counts older than this are removed.
KEPT_HOURS = 48


def add_calls(connection: Connection, account: str, calls: int) -> None:
    """Add calls to the current hour, and remove old hours."""
    connection.execute(
        text("""
            INSERT INTO etl.account_calls AS known (account, hour, calls)
            VALUES (:account, date_trunc('hour', now()), :calls)
            ON CONFLICT (account, hour) DO UPDATE SET calls = known.calls + excluded.calls, updated_at = now()
        """),
        {"account": account, "calls": calls},
    )
    connection.execute(
        text("DELETE FROM etl.account_calls WHERE account = :account AND hour < now() - make_interval(hours => :kept)"),
        {"account": account, "kept": KEPT_HOURS},
    )


def count_calls_of_last_day(connection: Connection, account: str) -> int:
    """Return the calls of the last 24 hours; the hour in which they began counts as a whole."""
    statement = text("""
        SELECT COALESCE(sum(calls), 0) FROM etl.account_calls
        WHERE account = :account AND hour > now() - interval '25 hours'
    """)
    return int(connection.execute(statement, {"account": account}).scalar_one())
