"""Stand-ins: what an account does not offer is also made of records that were read before that was known."""

from collections.abc import Iterable
from functools import partial

from sqlalchemy import Connection, text

from etl.catalogue import Derivation, Resource
from etl.config.settings import Settings
from etl.ledger.batches import Batch, Part
from etl.ledger.staging import raw_tables
from etl.ledger.staging.chunks import PORTION, portions
from etl.ledger.transaction import Ledger
from etl.load.rows import Target, bury_gone
from etl.models.states import ResourceState
from etl.record import Candidate
from etl.reshape.derive import derive
from etl.resources import resource as named
from etl.stream import Stream

#: The batch itself asked and was refused, and there are records from before, of which it made nothing.
OWED = """
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


def mind_stand_ins(ledger: Ledger, settings: Settings, batch: Batch, parts: Iterable[Part]) -> None:
    """Let other records stand in for what a batch found not to be offered, and no longer for what it found offered."""
    for part in parts:
        resource = named(part.resource)
        for way in (one for one in resource.derived if one.fallback):
            if part.status is ResourceState.DONE:
                ledger.commit(partial(withdraw, batch=batch, resource=resource, way=way))
            elif part.status is ResourceState.NOT_OFFERED:
                stand_in(ledger, settings, batch, resource, way)


def stand_in(ledger: Ledger, settings: Settings, batch: Batch, resource: Resource, way: Derivation) -> None:
    """Make the stand-ins of a resource from all that is staged, where the batch is the first to know that it has to."""
    source = named(way.resource)
    if not ledger.read(partial(is_owed, batch=batch, resource=resource, source=source)):
        return
    stream = Stream(settings, batch, {})

    def read(connection: Connection, after: str) -> list[Candidate]:
        return raw_tables.newest(connection, source, batch.tenant, after=after, most=PORTION, sound=True)

    for portion in portions(ledger, read):
        ledger.commit(partial(make, stream=stream, resource=resource, way=way, portion=portion))


def make(
    connection: Connection, stream: Stream, resource: Resource, way: Derivation, portion: Iterable[Candidate]
) -> None:
    """Take the stand-ins that some records hold through to production."""
    stream.accept(connection, resource, *derive(resource, way, portion), None)


def is_owed(connection: Connection, batch: Batch, resource: Resource, source: Resource) -> bool:
    """Tell whether records from before a batch have yet to stand in for what it found not to be offered."""
    bound = {"tenant": batch.tenant, "batch_id": batch.id, "resource": resource.name}
    return bool(connection.execute(text(OWED.format(table=source.raw_table)), bound).scalar())


def withdraw(connection: Connection, batch: Batch, resource: Resource, way: Derivation) -> None:
    """Mark deleted what stood in for records that the account offers by now."""
    bound = {"tenant": batch.tenant, "batch_id": batch.id, "origin": f"{way.resource}:"}
    if connection.execute(text(WITHDRAW.format(table=resource.raw_table)), bound).rowcount:
        bury_gone(connection, Target(batch.tenant, batch.id, batch.window), resource)
