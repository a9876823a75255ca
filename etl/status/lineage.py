"""The lineage of a row: its staged record, request, batch and parent record, and the rows that refer to it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select, text

from etl.catalogue.resource import Resource
from etl.models.base import Model
from etl.models.bookkeeping import batches, requests
from etl.references import InboundReference, find_inbound_references
from etl.resources import BY_NAME
from etl.spelling import spelling_of

#: Source ids listed of the rows that refer to a placeholder.
MAX_SOURCE_IDS = 5


@dataclass(frozen=True, slots=True)
class StagingRequest:
    """The API call that returned a record."""

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
    """The record from which another record was derived or read."""

    resource: str
    source_id: str
    raw_id: UUID
    request: StagingRequest | None


@dataclass(frozen=True)
class Origin:
    """The newest staged version of a record, or the last one if the record is gone."""

    raw_id: UUID
    status: str
    error: str | None
    version_at: datetime
    staged_at: datetime
    loaded_at: datetime | None
    is_gone: bool
    versions: int  #: number of staged versions
    request: StagingRequest | None  #: None if derived from another record, or purged by age
    batch: StagingBatch | None
    parent: ParentRecord | None
    record: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Referrer:
    """The rows of one table that refer to a row."""

    table: str
    column: str
    number: int
    source_ids: list[str]


def find_origin(connection: Connection, resource: Resource, tenant: str, source_id: str) -> Origin | None:
    """Return the staged record of a source id; None if none is staged."""
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
        spelling_of(resource).decode(row.raw.encode()),
    )


def find_request(connection: Connection, page: int | None) -> StagingRequest | None:
    """Return the call with this id; None if there is none, or it was purged."""
    of = requests.c
    query = select(of.path, of.parameters, of.page, of.requested_at).where(of.id == page)
    row = connection.execute(query).one_or_none() if page is not None else None
    return None if row is None else StagingRequest(*row)


def find_batch(connection: Connection, batch_id: UUID) -> StagingBatch | None:
    """Return the batch with this id; None if it was purged."""
    of = batches.c
    query = select(of.id, of.command, of.window_start, of.window_end).where(of.id == batch_id)
    row = connection.execute(query).one_or_none()
    return None if row is None else StagingBatch(*row)


def find_parent(connection: Connection, resource: Resource, raw_id: UUID | None) -> ParentRecord | None:
    """Return the record from which a record was derived or read; None if there is none."""
    for name in parent_resources(resource) if raw_id is not None else ():
        query = text(f"SELECT source_id, page FROM raw.{BY_NAME[name].raw_table} WHERE id = :id")
        row = connection.execute(query, {"id": raw_id}).one_or_none()
        if row is not None and raw_id is not None:
            return ParentRecord(name, row.source_id, raw_id, find_request(connection, row.page))
    return None


def parent_resources(resource: Resource) -> Iterable[str]:
    """Return the resources from whose records a resource may be derived or read."""
    names = [derivation.resource for derivation in resource.derived]
    names += [resource.parent.resource] if resource.parent is not None else []
    names += [resource.nested.parent] if resource.nested is not None else []
    return dict.fromkeys(names)


def find_referrers(connection: Connection, model: type[Model], row_id: UUID) -> list[Referrer]:
    """Return the rows that refer to a row, column by column, by foreign key or soft reference."""
    references = find_inbound_references(model)
    referrers = [count_referrers(connection, reference, model, row_id) for reference in references]
    return [referrer for referrer in referrers if referrer.number]


def count_referrers(connection: Connection, reference: InboundReference, model: type[Model], row_id: UUID) -> Referrer:
    """Return the rows of one table that refer to a row through one column."""
    table, column = reference.model.__tablename__, "pointing.source_id"
    condition = reference.build_condition("waiting")
    query = text(f"""
        SELECT count(*) AS number,
               coalesce((array_agg({column} ORDER BY length({column}), {column}))[1:{MAX_SOURCE_IDS}], '{{}}') AS some
        FROM public.{model.__tablename__} AS waiting JOIN public.{table} AS pointing ON {condition}
        WHERE waiting.id = :id
    """)
    number, source_ids = connection.execute(query, {"id": row_id}).one()
    return Referrer(table, reference.column, number, source_ids)
