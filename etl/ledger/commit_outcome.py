"""What became of a commit whose answer was lost: a row that the transaction itself wrote stands, or does not.

PostgreSQL's own word, by the number of the transaction, would not do: after a crash the number of a transaction that
left no trace is given to another one.
"""

from uuid import UUID

from sqlalchemy import Connection, Engine, TextClause, text

from etl.database.retry import CommitUnknown, with_retries
from etl.database.sqlstate import database_errors
from etl.errors import DatabaseUnavailable

#: A transaction that has written nothing writes no evidence either. Old evidence goes when a batch ends.
WRITE_EVIDENCE = text("""
    INSERT INTO etl.commits (id) SELECT :id WHERE pg_current_xact_id_if_assigned() IS NOT NULL
    RETURNING CAST(pg_current_xact_id_if_assigned() AS text)
""")
#: An open transaction holds a lock on its number. A lock is let go after what it guarded can be seen, so that whoever
#: finds none, and looks for the row in a later transaction, sees what this one became. A standby knows neither.
IS_OPEN = text("""
    SELECT pg_is_in_recovery() OR EXISTS (
        SELECT FROM pg_locks WHERE locktype = 'transactionid' AND transactionid = CAST(CAST(:number AS xid8) AS xid)
    )
""")
HAS_EVIDENCE = text("SELECT EXISTS (SELECT FROM etl.commits WHERE id = :id)")
#: Nobody asks for a commit after so long: patience ends within minutes. Several runs may end at once.
REMOVE_EXPIRED = text("""
    DELETE FROM etl.commits WHERE id IN (
        SELECT id FROM etl.commits WHERE noted_at < now() - interval '1 day' FOR UPDATE SKIP LOCKED
    )
""")


def write_evidence(connection: Connection, attempt: UUID) -> str | None:
    """Leave the evidence of an attempt in its transaction; return its number, None for one that has written nothing."""
    number: str | None = connection.execute(WRITE_EVIDENCE, {"id": attempt}).scalar_one_or_none()
    return number


def was_committed(engine: Engine, attempt: UUID, number: str | None) -> bool:
    """Return whether the attempt with this number was committed; without a number it never came so far.

    Its evidence decides. The number only tells that there is nothing to see yet: while a transaction of that number is
    open, whichever it is, one looks again. Raises Undecided when the server stays out of reach, or has not ended the
    transaction for too long.
    """

    def look() -> bool:
        is_open = fetch_flag(engine, IS_OPEN, number=number)
        stands = fetch_flag(engine, HAS_EVIDENCE, id=attempt)
        if is_open and not stands:
            raise DatabaseUnavailable(
                "The answer to a commit was lost, and the database has not ended that transaction. It ends by itself "
                "within minutes; what it was about is written whole or not at all."
            )
        return stands

    if number is None:
        return False
    try:
        return with_retries(look)
    except DatabaseUnavailable as error:
        raise CommitUnknown(str(error)) from None


def fetch_flag(engine: Engine, question: TextClause, **bound: object) -> bool:
    """Return what the database answers now: in a transaction of its own, whatever level of isolation is usual there."""
    with database_errors(), engine.connect() as connection:
        return bool(connection.execute(question, bound).scalar_one())


def remove_expired(connection: Connection) -> None:
    """Remove the evidence that nobody will ask for any more."""
    connection.execute(REMOVE_EXPIRED)
