"""Stand-ins: what an account does not offer is also made of records that were read before that was known."""

from collections.abc import Iterable
from functools import partial

from sqlalchemy import Connection, text

from etl.catalogue import Derivation, Resource
from etl.config.settings import Settings
from etl.ledger.batches import Batch, BatchResource
from etl.ledger.staging import raw_tables
from etl.ledger.staging.chunks import CHUNK_SIZE, iterate_chunks
from etl.ledger.transaction import Ledger
from etl.load.rows import LoadContext, soft_delete_missing
from etl.models.states import ResourceState
from etl.record import StagedRecord
from etl.reshape.derive import derive_records
from etl.resources import resource as named
from etl.stream import Stream

#: The batch itself asked and was refused, and there are records from before, of which it made nothing.
FALLBACK_MISSING = """
    SELECT EXISTS (
        SELECT FROM etl.offers AS offer JOIN etl.batches AS batch ON batch.id = :batch_id
        WHERE offer.tenant = :tenant AND offer.resource = :resource AND offer.asked_at >= batch.started_at
    ) AND EXISTS (
        SELECT FROM raw.{table} WHERE tenant = :tenant AND superseded_at IS NULL AND etl_batch_id <> :batch_id
    )
"""

WITHDRAW = """
    UPDATE raw.{table} SET superseded_at = now(), gone_batch_id = :batch_id, updated_at = now()
    WHERE tenant = :tenant AND superseded_at IS NULL AND starts_with(set_key, :origin)
"""


def update_fallbacks(ledger: Ledger, settings: Settings, batch: Batch, parts: Iterable[BatchResource]) -> None:
    """Let other records stand in for what a batch found not to be offered, and no longer for what it found offered."""
    for part in parts:
        resource = named(part.resource)
        for way in (one for one in resource.derived if one.fallback):
            if part.status is ResourceState.DONE:
                ledger.commit(partial(withdraw_fallbacks, batch=batch, resource=resource, way=way))
            elif part.status is ResourceState.NOT_OFFERED:
                create_fallbacks(ledger, settings, batch, resource, way)


def create_fallbacks(ledger: Ledger, settings: Settings, batch: Batch, resource: Resource, way: Derivation) -> None:
    """Make the stand-ins of a resource from all that is staged, where the batch is the first to know that it has to."""
    source = named(way.resource)
    if not ledger.read(partial(is_fallback_missing, batch=batch, resource=resource, source=source)):
        return
    stream = Stream(settings, batch, {})

    def read(connection: Connection, after: str) -> list[StagedRecord]:
        return raw_tables.read_newest_versions(connection, source, batch.tenant, after=after, most=CHUNK_SIZE, only_usable=True)

    for portion in iterate_chunks(ledger, read):
        ledger.commit(partial(load_fallbacks, stream=stream, resource=resource, way=way, portion=portion))


def load_fallbacks(
    connection: Connection, stream: Stream, resource: Resource, way: Derivation, portion: Iterable[StagedRecord]
) -> None:
    """Take the stand-ins that some records hold through to production."""
    stream.process_records(connection, resource, *derive_records(resource, way, portion), None)


def is_fallback_missing(connection: Connection, batch: Batch, resource: Resource, source: Resource) -> bool:
    """Tell whether records from before a batch have yet to stand in for what it found not to be offered."""
    bound = {"tenant": batch.tenant, "batch_id": batch.id, "resource": resource.name}
    return bool(connection.execute(text(FALLBACK_MISSING.format(table=source.raw_table)), bound).scalar())


def withdraw_fallbacks(connection: Connection, batch: Batch, resource: Resource, way: Derivation) -> None:
    """Mark deleted what stood in for records that the account offers by now."""
    bound = {"tenant": batch.tenant, "batch_id": batch.id, "origin": f"{way.resource}:"}
    if connection.execute(text(WITHDRAW.format(table=resource.raw_table)), bound).rowcount:
        soft_delete_missing(connection, LoadContext(batch.tenant, batch.id, batch.window), resource)
