"""A batch as a person names it: by its id, or by the first characters of it."""

from uuid import UUID

from sqlalchemy import Connection, Text, cast, select

from etl.errors import UsageError
from etl.models.bookkeeping import batches

#: So few characters at least, that a name is no accident.
FEWEST = 4
_HEXADECIMAL = frozenset("0123456789abcdef-")


def batch_named(connection: Connection, tenant: str, name: str) -> UUID:
    """Return the id of the batch that a name stands for; raise UsageError when there is none, or several."""
    words = name.strip().lower()
    if len(words) < FEWEST or not set(words) <= _HEXADECIMAL:
        raise UsageError(f"{name!r} names no batch: give its id, or at least its first {FEWEST} characters.")
    mine = (batches.c.tenant == tenant) & cast(batches.c.id, Text).like(f"{words}%")
    found: list[UUID] = list(connection.execute(select(batches.c.id).where(mine).limit(2)).scalars())
    if not found:
        raise UsageError(f"There is no batch {name}. `qqetl runs` lists them.")
    if len(found) > 1:
        raise UsageError(f"{name} names several batches; give more of its id. `qqetl runs` lists them.")
    return found[0]
