"""The progress of a first full read that takes several runs."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from etl.models.states import NOT_READING
from etl.queries import Queries

SQL = Queries(__file__)


@dataclass(frozen=True, slots=True)
class BackfillProgress:
    """The number of slices of a resource that were read, and the total."""

    done: int
    planned: int


def backfill_progress(connection: Connection, tenant: str) -> Mapping[str, BackfillProgress]:
    """Return the progress of each list whose reading has started and not ended, by resource."""
    rows = connection.execute(SQL["backfill"], {"tenant": tenant, "not_reading": list(NOT_READING)})
    return {row.resource: BackfillProgress(row.done, row.planned) for row in rows}
