"""The agency of the enterprise feeds: one credential may cover several, and ids are unique only inside one."""

from collections.abc import Iterable

import msgspec
from sqlalchemy import Connection, text

from etl.catalogue import Envelope, Resource
from etl.errors import UnexpectedResponse
from etl.ledger.json_fields import field_text
from etl.resources import CATALOGUE, SOURCE_TENANT
from etl.spelling import read_field

_decode = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def is_shared(resource: Resource) -> bool:
    """Return whether the answers of a resource may contain records of several agencies."""
    return any(endpoint.envelope is Envelope.ENTERPRISE for endpoint in resource.endpoints)


def read_source_tenant(connection: Connection, tenant: str) -> str | None:
    """Return the QQTenantID of the records that are already staged for a tenant."""
    for resource in filter(is_shared, CATALOGUE):
        query = text(f"""
            SELECT named.tenant_id FROM raw.{resource.raw_table}
            CROSS JOIN LATERAL (SELECT {field_text("raw_data -> '_parent'", ":key")} AS tenant_id) AS named
            WHERE tenant = :tenant AND superseded_at IS NULL AND named.tenant_id IS NOT NULL LIMIT 1
        """)
        source_tenant: str | None = connection.execute(
            query, {"tenant": tenant, "key": SOURCE_TENANT}
        ).scalar_one_or_none()
        if source_tenant is not None:
            return source_tenant
    return None


def check_source_tenant(resource: str, items: Iterable[bytes], known: str | None) -> str | None:
    """Return the QQTenantID of a page; raise UnexpectedResponse when it is not the one that is known."""
    for item in items:
        try:
            named = read_field(_decode(item), SOURCE_TENANT)
        except msgspec.DecodeError:
            continue
        if not isinstance(named, int | str):
            continue
        if known is not None and str(named) != known:
            raise UnexpectedResponse(
                f"{resource}: the credentials cover several agencies ({SOURCE_TENANT} {known} and {named}). "
                "One ETL_TENANT holds one agency, because ids are unique only inside an agency. Nothing of this page "
                "was stored. Use credentials for one agency."
            )
        known = str(named)
    return known
