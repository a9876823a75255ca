"""The progress of a first full read that takes several runs."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, text

from etl.models.states import NOT_READING

#: The slices of each resource in its newest batch, if that batch is not finished.
BACKFILL = text(f"""
    WITH newest AS (
        SELECT DISTINCT ON (part.resource) part.resource, part.batch_id, part.status
        FROM etl.batch_resources AS part JOIN etl.batches AS batch ON batch.id = part.batch_id
        WHERE batch.tenant = :tenant AND batch.command NOT IN {NOT_READING}
        ORDER BY part.resource, batch.started_at DESC
    )
    SELECT resource, count(*) FILTER (WHERE slice.status = 'done') AS done, count(*) AS planned
    FROM newest JOIN etl.slices AS slice USING (batch_id, resource)
    WHERE newest.status IN ('running', 'failed') AND slice.first_day IS NOT NULL GROUP BY resource
""")


@dataclass(frozen=True, slots=True)
class BackfillProgress:
    """The number of slices of a resource that were read, and the total."""

    done: int
    planned: int


def backfill_progress(connection: Connection, tenant: str) -> Mapping[str, BackfillProgress]:
    """Return the progress of each list whose reading has started and not ended, by resource."""
    rows = connection.execute(BACKFILL, {"tenant": tenant})
    return {row.resource: BackfillProgress(row.done, row.planned) for row in rows}
