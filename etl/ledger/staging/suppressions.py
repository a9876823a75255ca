"""Forgotten people: known again by a keyed hash alone, and kept from coming back with what the API sends."""

import hmac
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select, text, tuple_
from sqlalchemy.dialects.postgresql import insert

from etl.catalogue import Resource
from etl.ledger.staging.classify import IncomingRecord
from etl.models.bookkeeping import suppressions, tenants
from etl.privacy.personal_records import (
    find_linking_tables,
    find_person_tables,
    is_forgotten,
    is_fully_personal,
    scrub_record,
)
from etl.record import decode

#: A record by its table and source id.
RecordKey = tuple[str, str]


@dataclass(frozen=True, slots=True)
class SuppressionList:
    """What a tenant remembers of its forgotten people."""

    tenant: str
    key: bytes
    digests: set[tuple[str, bytes]]

    def digest(self, table: str, source_id: str) -> bytes:
        """Return the keyed hash of a record's id (HMAC, RFC 2104)."""
        return hmac.digest(self.key, f"{table}\x1f{source_id}".encode(), "sha256")

    def has_record(self, table: str, source_id: str) -> bool:
        """Tell whether a record is a forgotten person, or was one's."""
        return (table, self.digest(table, source_id)) in self.digests


def read_suppressions(connection: Connection, tenant: str) -> SuppressionList | None:
    """Return the forgotten people of a tenant; None when there are none."""
    query = (
        select(suppressions.c.table_name, suppressions.c.digest, tenants.c.hash_key)
        .join(tenants, tenants.c.tenant == suppressions.c.tenant)
        .where(suppressions.c.tenant == tenant)
    )
    rows = connection.execute(query).all()
    return SuppressionList(tenant, rows[0].hash_key, {(row.table_name, row.digest) for row in rows}) if rows else None


def create_suppression_list(connection: Connection, tenant: str) -> SuppressionList | None:
    """Return a tenant's empty memory with its key; None when the tenant is not registered."""
    key = connection.execute(select(tenants.c.hash_key).where(tenants.c.tenant == tenant)).scalar()
    return None if key is None else SuppressionList(tenant, key, set())


def add_suppressions(connection: Connection, forgotten: SuppressionList, records: Iterable[RecordKey]) -> None:
    """Add records to what is forgotten."""
    new = {(table, forgotten.digest(table, source_id)) for table, source_id in records} - forgotten.digests
    if new:
        rows = [{"tenant": forgotten.tenant, "table_name": table, "digest": digest} for table, digest in sorted(new)]
        connection.execute(insert(suppressions).on_conflict_do_nothing(), rows)
        forgotten.digests.update(new)


def remove_suppressions(connection: Connection, forgotten: SuppressionList, records: Collection[RecordKey]) -> None:
    """Take records out again that belong to somebody else now."""
    old = {(table, forgotten.digest(table, source_id)) for table, source_id in records}
    if old:
        mine = suppressions.c.tenant == forgotten.tenant
        connection.execute(
            suppressions.delete().where(mine, tuple_(suppressions.c.table_name, suppressions.c.digest).in_(sorted(old)))
        )
        forgotten.digests.difference_update(old)


def filter_suppressed(
    connection: Connection, tenant: str, resource: Resource, arrivals: Sequence[IncomingRecord]
) -> tuple[list[IncomingRecord], int]:
    """Return the arrivals without those that are forgotten people, and how many these are.

    What belongs to a forgotten person stays without what names the person; so does all that will refer to it.
    """
    forgotten = read_suppressions(connection, tenant) if resource.model.__tablename__ in find_person_tables() else None
    if forgotten is None:
        return list(arrivals), 0
    table = resource.model.__tablename__
    stays, theirs, others = [], set(), set()
    for arrival in arrivals:
        record = arrival.record
        if not is_forgotten(resource, record.source_id, decode(record.raw), forgotten.has_record):
            stays.append(arrival)
            others.add((table, record.source_id))
        elif not is_fully_personal(resource):
            stays.append(IncomingRecord(scrub_record(resource, record), arrival.request_id))
            theirs.add((table, record.source_id))
    if table in find_linking_tables():
        add_suppressions(connection, forgotten, theirs)
        remove_suppressions(connection, forgotten, [one for one in others - theirs if forgotten.has_record(*one)])
    return stays, len(arrivals) - len(stays)


def remove_from_queues(connection: Connection, tenant: str, children: Iterable[str], source_id: str) -> int:
    """Take a person out of the queues of what is asked per person; return how many calls are not made."""
    statement = text("""
        DELETE FROM etl.child_queue
        WHERE tenant = :tenant AND parent_id = :source_id AND resource = ANY(:children)
    """)
    bound = {"tenant": tenant, "source_id": source_id, "children": list(children)}
    return connection.execute(statement, bound).rowcount
