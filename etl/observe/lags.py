"""How far each resource lags behind, without counting any rows: for what asks after every run."""

from datetime import timedelta

from sqlalchemy import Connection

from etl.ledger import children
from etl.observe.status import LATEST, Facts, complete, lag_of, offers_of
from etl.resources import CATALOGUE


def lags(connection: Connection, tenant: str) -> dict[str, timedelta]:
    """Return how far the resources of a tenant lag behind; those never whole, or not offered, are not in it."""
    per_parent = [one.name for one in CATALOGUE if one.parent is not None]
    facts = Facts(
        now=children.now(connection),
        complete=complete(connection, tenant),
        rows={},
        findings={},
        offered=offers_of(connection, tenant),
        latest={row.resource: row for row in connection.execute(LATEST, {"tenant": tenant})},
        coverage={name: children.coverage(connection, name, tenant) for name in per_parent},
    )
    behind = {one.name: lag_of(one, facts) for one in CATALOGUE if facts.offered.get(one.name) is not False}
    return {name: lag for name, lag in behind.items() if lag is not None}
