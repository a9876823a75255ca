"""The suppression list: forgotten people, stored as keyed hashes, are not staged again."""

import hmac
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select, tuple_
from sqlalchemy.dialects.postgresql import insert

from etl.catalogue.resource import Resource
from etl.ledger.staging.classify import IncomingRecord
from etl.models.bookkeeping import suppressions, tenants
from etl.privacy.personal_records import (
    can_be_personal,
    find_linking_tables,
    is_forgotten,
    is_fully_personal,
    scrub_record,
)
from etl.queries import Queries
from etl.record import decode

SQL = Queries(__file__)

#: The table and source id of a record.
RecordKey = tuple[str, str]


@dataclass(frozen=True, slots=True)
class SuppressionList:
    """The keyed hashes of a tenant's forgotten people and of their records."""

    tenant: str
    key: bytes
    digests: set[tuple[str, bytes]]

    def digest(self, table: str, source_id: str) -> bytes:
        """Return the keyed hash of a record's table and source id (HMAC, RFC 2104)."""
        return hmac.digest(self.key, f"{table}\x1f{source_id}".encode(), "sha256")

    def has_record(self, table: str, source_id: str) -> bool:
        """Return whether a record is a forgotten person or belonged to one."""
        return (table, self.digest(table, source_id)) in self.digests


def read_suppressions(connection: Connection, tenant: str) -> SuppressionList | None:
    """Return the suppression list of a tenant, None when it is empty."""
    query = (
        select(suppressions.c.table_name, suppressions.c.digest, tenants.c.hash_key)
        .join(tenants, tenants.c.tenant == suppressions.c.tenant)
        .where(suppressions.c.tenant == tenant)
    )
    rows = connection.execute(query).all()
    return SuppressionList(tenant, rows[0].hash_key, {(row.table_name, row.digest) for row in rows}) if rows else None


def create_suppression_list(connection: Connection, tenant: str) -> SuppressionList | None:
    """Return an empty suppression list with the tenant's key, None when the tenant is not registered."""
    key = connection.execute(select(tenants.c.hash_key).where(tenants.c.tenant == tenant)).scalar()
    return None if key is None else SuppressionList(tenant, key, set())


def add_suppressions(connection: Connection, suppression_list: SuppressionList, records: Iterable[RecordKey]) -> None:
    """Add records to the suppression list."""
    new_digests = {
        (table, suppression_list.digest(table, source_id)) for table, source_id in records
    } - suppression_list.digests
    if new_digests:
        rows = [
            {"tenant": suppression_list.tenant, "table_name": table, "digest": digest}
            for table, digest in sorted(new_digests)
        ]
        connection.execute(insert(suppressions).on_conflict_do_nothing(), rows)
        suppression_list.digests.update(new_digests)


def remove_suppressions(
    connection: Connection, suppression_list: SuppressionList, records: Collection[RecordKey]
) -> None:
    """Remove records that now belong to another person."""
    digests = {(table, suppression_list.digest(table, source_id)) for table, source_id in records}
    if digests:
        is_tenant = suppressions.c.tenant == suppression_list.tenant
        connection.execute(
            suppressions.delete().where(
                is_tenant, tuple_(suppressions.c.table_name, suppressions.c.digest).in_(sorted(digests))
            )
        )
        suppression_list.digests.difference_update(digests)


def filter_suppressed(
    connection: Connection, tenant: str, resource: Resource, incoming: Sequence[IncomingRecord]
) -> tuple[list[IncomingRecord], int]:
    """Return the incoming records without forgotten people, and the number of removed records.

    A record that belongs to a forgotten person is kept without its personal fields, and so is every record that
    refers to it later.
    """
    suppression_list = read_suppressions(connection, tenant) if can_be_personal(resource) else None
    if suppression_list is None:
        return list(incoming), 0
    table = resource.table
    kept_records, forgotten_keys, other_keys = [], set(), set()
    for incoming_record in incoming:
        record = incoming_record.record
        if not is_forgotten(resource, record.source_id, decode(record.raw), suppression_list.has_record):
            kept_records.append(incoming_record)
            other_keys.add((table, record.source_id))
        elif not is_fully_personal(resource):
            kept_records.append(IncomingRecord(scrub_record(resource, record), incoming_record.request_id))
            forgotten_keys.add((table, record.source_id))
    if table in find_linking_tables():
        add_suppressions(connection, suppression_list, forgotten_keys)
        remove_suppressions(
            connection,
            suppression_list,
            [key for key in other_keys - forgotten_keys if suppression_list.has_record(*key)],
        )
    return kept_records, len(incoming) - len(kept_records)


def remove_from_queues(connection: Connection, tenant: str, children: Iterable[str], source_id: str) -> int:
    """Remove a person from the child queues; return the number of canceled calls."""
    parameters = {"tenant": tenant, "source_id": source_id, "children": list(children)}
    return connection.execute(SQL["remove_from_queues"], parameters).rowcount
