"""The agency of the enterprise feeds: one credential may cover several, and ids are unique only inside one."""

from collections.abc import Iterable
from typing import Any

import msgspec
from sqlalchemy import Connection, text

from etl.catalogue import Envelope, Resource
from etl.errors import UnexpectedResponse
from etl.resources import AGENCY_FIELD, CATALOGUE
from etl.values.identifier import source_id


class _Item(msgspec.Struct, rename={"agency": AGENCY_FIELD}):
    """What an item of an enterprise feed says of its agency."""

    agency: Any = None


_decode = msgspec.json.Decoder(_Item).decode


def is_shared(resource: Resource) -> bool:
    """Return whether the answers of a resource may contain records of several agencies."""
    return any(endpoint.envelope is Envelope.ENTERPRISE for endpoint in resource.endpoints)


def read_source_tenant(connection: Connection, tenant: str) -> str | None:
    """Return the agency of the records that are already staged for a tenant."""
    for resource in filter(is_shared, CATALOGUE):
        query = text(f"""
            SELECT raw_data #> ARRAY['_parent', :field] FROM raw.{resource.raw_table}
            WHERE tenant = :tenant AND superseded_at IS NULL
              AND raw_data #> ARRAY['_parent', :field] IS NOT NULL LIMIT 1
        """)
        values = {"tenant": tenant, "field": AGENCY_FIELD}
        source_tenant = source_id(connection.execute(query, values).scalar_one_or_none())
        if isinstance(source_tenant, str):
            return source_tenant
    return None


def check_source_tenant(resource: str, items: Iterable[bytes], known: str | None) -> str | None:
    """Return the agency of a page; raise UnexpectedResponse when it is not the one that is known."""
    for item in items:
        try:
            agency = source_id(_decode(item).agency)
        except msgspec.DecodeError:
            continue
        if not isinstance(agency, str):  # the item does not say it, or says it in a form that is no id
            continue
        if known is not None and agency != known:
            raise UnexpectedResponse(
                f"{resource}: the credentials cover several agencies ({AGENCY_FIELD} {known} and {agency}). One "
                "ETL_TENANT holds one agency, because ids are unique only inside an agency. Nothing of this page was "
                "stored. Use credentials for one agency."
            )
        known = agency
    return known
