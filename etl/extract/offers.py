"""Whether an account offers an undocumented resource: what its answers say, and what it returned before."""

from uuid import UUID

from sqlalchemy import Connection, text

from etl.catalogue.resource import Resource
from etl.errors import CallFailed, EndpointRefused, EtlError, Refusal, UnexpectedResponse
from etl.ledger.watermarks import OFFER_TTL


def is_absence(error: EtlError, resource: Resource) -> bool:
    """Return whether an account that lacks the resource may answer so.

    For an undocumented resource that is anything but a good answer: a refusal, a failed call, another envelope, items
    without the declared id. For a documented one nothing is: it fails.
    """
    if resource.is_documented:
        return False
    if isinstance(error, EndpointRefused):
        return error.reason is not Refusal.TOO_LARGE
    return isinstance(error, UnexpectedResponse | CallFailed)


def counts_as_documented(
    connection: Connection, tenant: str, resource: Resource, except_batch: UUID | None = None
) -> bool:
    """Return whether a resource has returned records for this account and was not refused for 7 days since.

    However long ago the last good answer came, one odd answer changes nothing. Records of `except_batch` do not count.
    """
    statement = text(f"""
        SELECT EXISTS (SELECT FROM raw.{resource.raw_table} WHERE tenant = :tenant AND page IS NOT NULL
                       AND etl_batch_id IS DISTINCT FROM CAST(:except_batch AS uuid))
           AND NOT EXISTS (
               SELECT FROM etl.offers
               WHERE tenant = :tenant AND resource = :resource
                 AND (NOT offered OR refused_since < now() - make_interval(secs => :seconds))
           )
    """)
    seconds = OFFER_TTL.total_seconds()
    values = {"tenant": tenant, "resource": resource.name, "except_batch": except_batch, "seconds": seconds}
    return bool(connection.execute(statement, values).scalar_one())
