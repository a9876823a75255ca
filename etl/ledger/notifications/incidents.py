"""Incidents of a tenant: opened when detected, closed when resolved, each reported once."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, select

from etl.models.notifications import troubles
from etl.models.states import IncidentKind
from etl.queries import Queries

SQL = Queries(__file__)


@dataclass(frozen=True, slots=True)
class Incident:
    """A problem that a person has to fix."""

    kind: IncidentKind
    subject: str = ""  #: the resource; empty if the incident concerns the whole run
    message: str = ""  #: redacted
    batch_id: UUID | None = None
    opened_at: datetime | None = None  #: None before it is stored
    times_seen: int = 0
    reported_at: datetime | None = None


def write_incidents(connection: Connection, tenant: str, detected: Iterable[Incident]) -> None:
    """Store the detected incidents. A closed incident that is detected again is opened again."""
    for incident in sorted(detected, key=sort_key):
        parameters = {
            "kind": incident.kind,
            "subject": incident.subject,
            "words": incident.message,
            "batch_id": incident.batch_id,
        }
        connection.execute(SQL["open_incident"], {"tenant": tenant, **parameters})


def close_resolved(
    connection: Connection, tenant: str, kinds: Collection[IncidentKind], detected: Sequence[Incident]
) -> list[Incident]:
    """Close the open incidents of these kinds that are no longer detected, and return them."""
    open_values = {
        "seen": [incident.kind for incident in detected],
        "subjects": [incident.subject for incident in detected],
    }
    rows = connection.execute(SQL["close_incidents"], {"tenant": tenant, "kinds": list(kinds), **open_values})
    return sorted(map(to_incident, rows), key=sort_key)


def claim_unreported(connection: Connection, tenant: str) -> list[Incident]:
    """Return the open incidents that were not reported yet, and mark them as reported."""
    return sorted(map(to_incident, connection.execute(SQL["claim_unreported"], {"tenant": tenant})), key=sort_key)


def read_open_incidents(connection: Connection, tenant: str) -> list[Incident]:
    """Return the open incidents of a tenant, oldest first."""
    query = select(troubles).where(troubles.c.tenant == tenant, troubles.c.closed_at.is_(None))
    ordered = query.order_by(troubles.c.opened_at, troubles.c.kind, troubles.c.subject)
    return [to_incident(row) for row in connection.execute(ordered)]


def to_incident(row: object) -> Incident:
    """Convert a row of `etl.troubles` to an incident."""
    columns = ("subject", "words", "batch_id", "opened_at", "times_seen", "told_at")
    return Incident(IncidentKind(getattr(row, "kind")), *(getattr(row, name) for name in columns))  # noqa: B009 (any row)


def sort_key(incident: Incident) -> tuple[str, str]:
    """Return the kind and subject, which identify an incident of a tenant."""
    return incident.kind, incident.subject
