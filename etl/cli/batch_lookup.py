"""Find a batch by its id, or by the first characters of it."""

from uuid import UUID

from sqlalchemy import Connection, Text, cast, select

from etl.errors import UsageError
from etl.models.bookkeeping import batches

#: Characters of the id that are needed at least.
MIN_PREFIX_LENGTH = 4
_HEXADECIMAL = frozenset("0123456789abcdef-")


def resolve_batch_id(connection: Connection, tenant: str, name: str) -> UUID:
    """Return the id of the batch whose id begins with `name`; raise UsageError if there is none, or several."""
    prefix = name.strip().lower()
    if len(prefix) < MIN_PREFIX_LENGTH or not set(prefix) <= _HEXADECIMAL:
        raise UsageError(f"{name!r} is not a batch id. Give at least the first {MIN_PREFIX_LENGTH} characters of one.")
    has_prefix = (batches.c.tenant == tenant) & cast(batches.c.id, Text).like(f"{prefix}%")
    batch_ids: list[UUID] = list(connection.execute(select(batches.c.id).where(has_prefix).limit(2)).scalars())
    if not batch_ids:
        raise UsageError(f"There is no batch {name}. `qqetl runs` lists all batches.")
    if len(batch_ids) > 1:
        raise UsageError(f"Several batches begin with {name}. Give more characters; `qqetl runs` lists all batches.")
    return batch_ids[0]
