"""What became of a commit whose answer was lost: PostgreSQL knows, by the transaction's number."""

from sqlalchemy import Connection, Engine, text

from etl.database.retrying import patiently
from etl.database.sqlstate import database_errors
from etl.errors import DatabaseUnavailable

NUMBER = text("SELECT CAST(pg_current_xact_id_if_assigned() AS text)")
#: A transaction that a crash has lost wholly has a number that was never given, so far as the server can tell.
STATUS = text("""
    SELECT CASE WHEN CAST(:number AS xid8) < pg_snapshot_xmax(pg_current_snapshot())
                THEN pg_xact_status(CAST(:number AS xid8)) END
""")


def number_of(connection: Connection) -> str | None:
    """Return the number of the open transaction, None for one that has written nothing."""
    number: str | None = connection.execute(NUMBER).scalar_one()
    return number


def was_committed(engine: Engine, number: str | None) -> bool:
    """Return whether the transaction of this number was committed; without a number it never came so far.

    Raises DatabaseUnavailable when the server stays out of reach, or has not ended the transaction for too long.
    """

    def look() -> bool:
        with database_errors(), engine.connect() as connection:
            status = connection.execute(STATUS, {"number": number}).scalar_one()
        if status == "in progress":
            raise DatabaseUnavailable(
                "The answer to a commit was lost, and the database has not ended that transaction. It ends by itself "
                "within minutes; what it was about is written whole or not at all."
            )
        return bool(status == "committed")

    return number is not None and patiently(look)
