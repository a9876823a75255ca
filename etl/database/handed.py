"""The database as a caller hands it in: an Engine, or a Session that leads to one."""

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from etl.errors import UsageError


def engine_of(db: Session | Engine) -> Engine:
    """Return the engine behind `db`, which is only the way to it: every step makes its own transactions.

    Raises UsageError for a Session inside an open transaction, whose changes the steps could neither see nor keep.
    """
    if isinstance(db, Engine):
        return db
    if isinstance(db, Session):
        if db.in_transaction():
            raise UsageError(
                "The Session is inside a transaction; it has to be idle, since each step commits by itself. "
                "Commit or roll it back first, or hand in the Engine."
            )
        bound = db.get_bind()
        return bound if isinstance(bound, Engine) else bound.engine
    raise UsageError(f"db has to be a SQLAlchemy Session or Engine, not {type(db).__name__}.")
