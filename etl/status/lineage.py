"""The staged record behind a row: raw row, request, batch, the record it was made from; and who speaks of a stub."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select, text

from etl.catalogue import Resource
from etl.models.base import Model
from etl.models.bookkeeping import batches, requests
from etl.record import decode
from etl.references import InboundReference, find_inbound_references
from etl.resources import BY_NAME

#: How many rows that speak of a placeholder are named.
MAX_SOURCE_IDS = 5


@dataclass(frozen=True, slots=True)
class StagingRequest:
    """The call that brought a record."""

    path: str
    parameters: Mapping[str, Any]
    page: int | None
    requested_at: datetime


@dataclass(frozen=True, slots=True)
class StagingBatch:
    """The batch that staged a record."""

    id: UUID
    command: str
    window_start: datetime
    window_end: datetime


@dataclass(frozen=True, slots=True)
class ParentRecord:
    """The record that another one was made from, or asked for by."""

    resource: str
    source_id: str
    raw_id: UUID
    request: StagingRequest | None


@dataclass(frozen=True)
class Origin:
    """The newest staged version of a record; the last one where the record is gone."""

    raw_id: UUID
    status: str
    error: str | None
    version_at: datetime
    staged_at: datetime
    loaded_at: datetime | None
    is_gone: bool
    versions: int  #: how many are staged
    request: StagingRequest | None  #: None: made from another record, or purged by age
    batch: StagingBatch | None
    parent: ParentRecord | None
    record: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Referrer:
    """Rows of one table that point to a row."""

    table: str
    column: str
    number: int
    source_ids: list[str]


def find_origin(connection: Connection, resource: Resource, tenant: str, source_id: str) -> Origin | None:
    """Return the staged record of a source id, None when none is staged."""
    query = text(f"""
        SELECT id, status, error_message, version_at, created_at, loaded_at, page, etl_batch_id, parent_raw_id,
               superseded_at IS NOT NULL AS is_gone, CAST(raw_data AS text) AS raw, count(*) OVER () AS versions
        FROM raw.{resource.raw_table}
        WHERE tenant = :tenant AND source_id = :source_id
        ORDER BY superseded_at DESC NULLS FIRST, created_at DESC, id DESC LIMIT 1
    """)
    row = connection.execute(query, {"tenant": tenant, "source_id": source_id}).one_or_none()
    if row is None:
        return None
    return Origin(
        row.id,
        row.status,
        row.error_message,
        row.version_at,
        row.created_at,
        row.loaded_at,
        row.is_gone,
        row.versions,
        find_request(connection, row.page),
        find_batch(connection, row.etl_batch_id),
        find_parent(connection, resource, row.parent_raw_id),
        decode(row.raw.encode()),
    )


def find_request(connection: Connection, page: int | None) -> StagingRequest | None:
    """Return the call of this number, None when there is none or it was purged."""
    of = requests.c
    query = select(of.path, of.parameters, of.page, of.requested_at).where(of.id == page)
    row = connection.execute(query).one_or_none() if page is not None else None
    return None if row is None else StagingRequest(*row)


def find_batch(connection: Connection, batch_id: UUID) -> StagingBatch | None:
    """Return the batch of this id, None when it is no longer kept."""
    of = batches.c
    query = select(of.id, of.command, of.window_start, of.window_end).where(of.id == batch_id)
    row = connection.execute(query).one_or_none()
    return None if row is None else StagingBatch(*row)


def find_parent(connection: Connection, resource: Resource, raw_id: UUID | None) -> ParentRecord | None:
    """Return the record that a record was made from, found in, or asked for by; None when there is none."""
    for name in parent_resources(resource) if raw_id is not None else ():
        query = text(f"SELECT source_id, page FROM raw.{BY_NAME[name].raw_table} WHERE id = :id")
        row = connection.execute(query, {"id": raw_id}).one_or_none()
        if row is not None and raw_id is not None:
            return ParentRecord(name, row.source_id, raw_id, find_request(connection, row.page))
    return None


def parent_resources(resource: Resource) -> Iterable[str]:
    """Return the resources that a resource's records may be made from, found in, or asked for by."""
    names = [way.resource for way in resource.derived]
    names += [resource.parent.resource] if resource.parent is not None else []
    names += [resource.nested.parent] if resource.nested is not None else []
    return dict.fromkeys(names)


def find_referrers(connection: Connection, model: type[Model], row_id: UUID) -> list[Referrer]:
    """Return who refers to a row, column by column, by a foreign key or in words."""
    found = [count_referrers(connection, one, model, row_id) for one in find_inbound_references(model)]
    return [one for one in found if one.number]


def count_referrers(connection: Connection, one: InboundReference, model: type[Model], row_id: UUID) -> Referrer:
    """Return the rows of one table that refer to a row through one column."""
    table, known = one.model.__tablename__, "pointing.source_id"
    query = text(f"""
        SELECT count(*) AS number,
               coalesce((array_agg({known} ORDER BY length({known}), {known}))[1:{MAX_SOURCE_IDS}], '{{}}') AS some
        FROM public.{model.__tablename__} AS waiting JOIN public.{table} AS pointing ON {one.build_condition("waiting")}
        WHERE waiting.id = :id
    """)
    number, some = connection.execute(query, {"id": row_id}).one()
    return Referrer(table, one.column, number, some)
