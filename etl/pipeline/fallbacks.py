"""Fallbacks: fill a resource that the account does not offer from records that are already staged."""

from collections.abc import Iterable
from functools import partial

from sqlalchemy import Connection, text

from etl.catalogue.resource import Derivation, Resource
from etl.config.settings import Settings
from etl.ledger.batches import Batch, BatchResource
from etl.ledger.staging import raw_tables
from etl.ledger.staging.chunks import CHUNK_SIZE, iterate_chunks
from etl.ledger.transaction import Ledger
from etl.load.rows import LoadContext, soft_delete_missing
from etl.models.states import ResourceState
from etl.pipeline.stream import Stream
from etl.record import StagedRecord
from etl.reshape.derive import derive_records
from etl.resources import find_resource

#: This batch learned that the resource is not offered, perhaps after it staged records of the fallback source.
FALLBACK_MISSING = """
    SELECT EXISTS (
        SELECT FROM etl.offers AS offer JOIN etl.batches AS batch ON batch.id = :batch_id
        WHERE offer.tenant = :tenant AND offer.resource = :resource AND offer.asked_at >= batch.started_at
    ) AND EXISTS (
        SELECT FROM raw.{table} WHERE tenant = :tenant AND superseded_at IS NULL
    )
"""

WITHDRAW = """
    UPDATE raw.{table} SET superseded_at = now(), gone_batch_id = :batch_id, updated_at = now()
    WHERE tenant = :tenant AND superseded_at IS NULL AND starts_with(set_key, :origin)
"""


def update_fallbacks(
    ledger: Ledger, settings: Settings, batch: Batch, batch_resources: Iterable[BatchResource]
) -> None:
    """Create the fallbacks of resources that a batch found not offered; withdraw those of offered resources."""
    for batch_resource in batch_resources:
        resource = find_resource(batch_resource.resource)
        fallbacks = [derivation for derivation in resource.derived if derivation.fallback]
        for derivation in fallbacks:
            if batch_resource.status is ResourceState.DONE:
                ledger.commit(partial(withdraw_fallbacks, batch=batch, resource=resource, derivation=derivation))
            elif batch_resource.status is ResourceState.NOT_OFFERED:
                create_fallbacks(ledger, settings, batch, resource, derivation)


def create_fallbacks(
    ledger: Ledger, settings: Settings, batch: Batch, resource: Resource, derivation: Derivation
) -> None:
    """Create the fallbacks of a resource from all staged records, if this batch learned that they are needed."""
    source = find_resource(derivation.resource)
    if not ledger.read(partial(is_fallback_missing, batch=batch, resource=resource, source=source)):
        return
    stream = Stream(settings.cleaning, settings.etl_overlap, batch, {})

    def read_chunk(connection: Connection, after: str) -> list[StagedRecord]:
        return raw_tables.read_newest_versions(
            connection, source, batch.tenant, after=after, limit=CHUNK_SIZE, only_usable=True
        )

    for chunk in iterate_chunks(ledger, read_chunk):
        ledger.commit(partial(load_fallbacks, stream=stream, resource=resource, derivation=derivation, chunk=chunk))


def load_fallbacks(
    connection: Connection, stream: Stream, resource: Resource, derivation: Derivation, chunk: Iterable[StagedRecord]
) -> None:
    """Load the fallbacks found in some staged records into production."""
    stream.process_records(connection, resource, *derive_records(resource, derivation, chunk))


def is_fallback_missing(connection: Connection, batch: Batch, resource: Resource, source: Resource) -> bool:
    """Return whether a batch has yet to create fallbacks from staged records."""
    bound = {"tenant": batch.tenant, "batch_id": batch.id, "resource": resource.name}
    return bool(connection.execute(text(FALLBACK_MISSING.format(table=source.raw_table)), bound).scalar())


def withdraw_fallbacks(connection: Connection, batch: Batch, resource: Resource, derivation: Derivation) -> None:
    """Mark the fallbacks of a resource deleted, now that the account offers its records."""
    bound = {"tenant": batch.tenant, "batch_id": batch.id, "origin": f"{derivation.resource}:"}
    if connection.execute(text(WITHDRAW.format(table=resource.raw_table)), bound).rowcount:
        soft_delete_missing(connection, LoadContext(batch.tenant, batch.id, batch.window), resource)
