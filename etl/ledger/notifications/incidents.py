"""What is the matter with a tenant: opened when it is first seen, closed when it is over, told once at both ends."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, select, text

from etl.models.notifications import troubles
from etl.models.states import TroubleKind

OPEN = text("""
    INSERT INTO etl.troubles AS known (tenant, kind, subject, words, batch_id)
    VALUES (:tenant, :kind, :subject, :words, :batch_id)
    ON CONFLICT (tenant, kind, subject) DO UPDATE
    SET words = excluded.words, batch_id = excluded.batch_id, last_seen = now(),
        times_seen = CASE WHEN known.closed_at IS NULL THEN known.times_seen ELSE 0 END + 1,
        opened_at = CASE WHEN known.closed_at IS NULL THEN known.opened_at ELSE now() END,
        told_at = CASE WHEN known.closed_at IS NULL THEN known.told_at END,
        closed_at = NULL
""")

#: Only what was told when it began is told when it ends.
CLOSE = text("""
    UPDATE etl.troubles SET closed_at = now()
    WHERE tenant = :tenant AND closed_at IS NULL AND kind = ANY(:kinds)
      AND (kind, subject) NOT IN (
          SELECT seen.kind, seen.subject FROM unnest(CAST(:seen AS text[]), CAST(:subjects AS text[]))
                                              AS seen (kind, subject)
      )
    RETURNING kind, subject, words, batch_id, opened_at, times_seen, told_at
""")

CLAIM_UNREPORTED = text("""
    UPDATE etl.troubles SET told_at = now() WHERE tenant = :tenant AND closed_at IS NULL AND told_at IS NULL
    RETURNING kind, subject, words, batch_id, opened_at, times_seen, told_at
""")


@dataclass(frozen=True, slots=True)
class Incident:
    """One thing that a person has to see to."""

    kind: TroubleKind
    subject: str = ""  #: the resource; empty where it concerns the run as a whole
    message: str = ""  #: redacted
    batch_id: UUID | None = None
    opened_at: datetime | None = None  #: None while it is not kept
    times_seen: int = 0
    reported_at: datetime | None = None


def write_incidents(connection: Connection, tenant: str, seen: Iterable[Incident]) -> None:
    """Keep troubles as they stand now; one that was over begins anew."""
    for one in sorted(seen, key=sort_key):
        bound = {"kind": one.kind, "subject": one.subject, "words": one.message, "batch_id": one.batch_id}
        connection.execute(OPEN, {"tenant": tenant, **bound})


def close_resolved(
    connection: Connection, tenant: str, kinds: Collection[TroubleKind], seen: Sequence[Incident]
) -> list[Incident]:
    """Close the open troubles of some kinds that are no longer seen, and return them."""
    still = {"seen": [one.kind for one in seen], "subjects": [one.subject for one in seen]}
    rows = connection.execute(CLOSE, {"tenant": tenant, "kinds": list(kinds), **still})
    return sorted(map(to_incident, rows), key=sort_key)


def claim_unreported(connection: Connection, tenant: str) -> list[Incident]:
    """Return the open troubles that nobody was told of, and note that they are told with this transaction."""
    return sorted(map(to_incident, connection.execute(CLAIM_UNREPORTED, {"tenant": tenant})), key=sort_key)


def read_open_incidents(connection: Connection, tenant: str) -> list[Incident]:
    """Return the open troubles of a tenant, the oldest first."""
    query = select(troubles).where(troubles.c.tenant == tenant, troubles.c.closed_at.is_(None))
    ordered = query.order_by(troubles.c.opened_at, troubles.c.kind, troubles.c.subject)
    return [to_incident(row) for row in connection.execute(ordered)]


def to_incident(row: object) -> Incident:
    """Return a row of `etl.troubles` as a trouble."""
    names = ("subject", "words", "batch_id", "opened_at", "times_seen", "told_at")
    return Incident(TroubleKind(getattr(row, "kind")), *(getattr(row, name) for name in names))  # noqa: B009 (any row)


def sort_key(trouble: Incident) -> tuple[str, str]:
    """Return what tells a trouble from the others of its tenant."""
    return trouble.kind, trouble.subject
