"""Whether a commit whose answer was lost took effect: each transaction writes a row as evidence.

The status that PostgreSQL keeps for a transaction id is not enough: after a crash it can assign the id of a transaction
that left no trace to another one.
"""

from uuid import UUID

from sqlalchemy import Connection, Engine, TextClause, text

from etl.database.retry import with_retries
from etl.database.sqlstate import database_errors
from etl.errors import CommitUnknown, DatabaseUnavailable
from etl.queries import Queries

SQL = Queries(__file__)

HAS_EVIDENCE = text("SELECT EXISTS (SELECT FROM etl.commits WHERE id = :id)")


def write_evidence(connection: Connection, attempt_id: UUID) -> str | None:
    """Write the evidence of an attempt in its transaction; return the transaction id, None if nothing was written."""
    transaction_id: str | None = connection.execute(SQL["write_evidence"], {"id": attempt_id}).scalar_one_or_none()
    return transaction_id


def was_committed(engine: Engine, attempt_id: UUID, transaction_id: str | None) -> bool:
    """Return whether an attempt was committed. Without a transaction id the attempt did not reach the commit.

    The evidence decides. While a transaction with this id is open, the check is repeated. Raises CommitUnknown when
    the server stays unreachable or does not end the transaction in time.
    """

    def check() -> bool:
        is_open = fetch_flag(engine, SQL["is_open"], number=transaction_id)
        has_evidence = fetch_flag(engine, HAS_EVIDENCE, id=attempt_id)
        if is_open and not has_evidence:
            raise DatabaseUnavailable(
                "The connection was lost during a commit, and the transaction is still open in the database. It ends "
                "within minutes; its changes are then saved completely or not at all."
            )
        return has_evidence

    if transaction_id is None:
        return False
    try:
        return with_retries(check)
    except DatabaseUnavailable as error:
        raise CommitUnknown(str(error)) from None


def fetch_flag(engine: Engine, statement: TextClause, **parameters: object) -> bool:
    """Run a statement in its own transaction and return its boolean result, independent of the isolation level."""
    with database_errors(), engine.connect() as connection:
        return bool(connection.execute(statement, parameters).scalar_one())


def remove_expired(connection: Connection) -> None:
    """Remove evidence that is too old to be needed."""
    connection.execute(SQL["remove_expired"])
