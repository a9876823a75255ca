"""The agency of the enterprise feeds: one credential may cover several, and ids are unique only inside one."""

from collections.abc import Iterable

import msgspec
from sqlalchemy import Connection, text

from etl.catalogue.resource import Envelope, Resource
from etl.errors import UnexpectedResponse
from etl.ledger.json_fields import field_json
from etl.resources import AGENCY_FIELD, CATALOGUE
from etl.spelling import read_field
from etl.values.identifier import source_id

_decode = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def is_shared(resource: Resource) -> bool:
    """Return whether the answers of a resource may contain records of several agencies."""
    return any(endpoint.envelope is Envelope.ENTERPRISE for endpoint in resource.endpoints)


def read_source_tenant(connection: Connection, tenant: str) -> str | None:
    """Return the agency of the records that are already staged for a tenant."""
    for resource in filter(is_shared, CATALOGUE):
        query = text(f"""
            SELECT parent_record.tenant_id FROM raw.{resource.raw_table}
            CROSS JOIN LATERAL (SELECT {field_json("raw_data -> '_parent'", ":key")} AS tenant_id) AS parent_record
            WHERE tenant = :tenant AND superseded_at IS NULL AND parent_record.tenant_id IS NOT NULL LIMIT 1
        """)
        values = {"tenant": tenant, "key": AGENCY_FIELD}
        source_tenant = source_id(connection.execute(query, values).scalar_one_or_none())
        if isinstance(source_tenant, str):
            return source_tenant
    return None


def check_source_tenant(resource: str, items: Iterable[bytes], known_tenant: str | None) -> str | None:
    """Return the agency of a page; raise UnexpectedResponse when it is not the one that is known."""
    for item in items:
        try:
            agency = source_id(read_field(_decode(item), AGENCY_FIELD))
        except msgspec.DecodeError:
            continue
        if not isinstance(agency, str):  # the item does not say it, or says it in a form that is no id
            continue
        if known_tenant is not None and agency != known_tenant:
            raise UnexpectedResponse(
                f"{resource}: the credentials cover several agencies ({AGENCY_FIELD} {known_tenant} and {agency}). "
                "One ETL_TENANT holds one agency, because ids are unique only inside an agency. Nothing of this page "
                "was stored. Use credentials for one agency."
            )
        known_tenant = agency
    return known_tenant
