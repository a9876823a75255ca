"""How far a first full read has come that takes many runs: stretches of the window, and details per parent."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, text

#: The stretches of each resource in the newest batch that began to read it and has not ended.
BACKFILL = text("""
    WITH newest AS (
        SELECT DISTINCT ON (part.resource) part.resource, part.batch_id, part.status
        FROM etl.batch_resources AS part JOIN etl.batches AS batch ON batch.id = part.batch_id
        WHERE batch.tenant = :tenant ORDER BY part.resource, batch.started_at DESC
    )
    SELECT resource, count(*) FILTER (WHERE slice.status = 'done') AS done, count(*) AS planned
    FROM newest JOIN etl.slices AS slice USING (batch_id, resource)
    WHERE newest.status IN ('running', 'failed') AND slice.first_day IS NOT NULL GROUP BY resource
""")


@dataclass(frozen=True, slots=True)
class BackfillProgress:
    """How many stretches of its window a resource was read in, and how many there are."""

    done: int
    planned: int


def backfill_progress(connection: Connection, tenant: str) -> Mapping[str, BackfillProgress]:
    """Return how far the lists are that a run began and has not ended, by resource."""
    rows = connection.execute(BACKFILL, {"tenant": tenant})
    return {row.resource: BackfillProgress(row.done, row.planned) for row in rows}
