"""Loads one chunk of cleaned records: placeholders, rows, statuses. The load step and the sync share it."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from sqlalchemy import Connection

from etl.catalogue.resource import Resource
from etl.ledger.staging.raw_tables import CleanStatus
from etl.load.rows import LoadContext, UpsertResult, load_rows, write_stubs
from etl.models.base import references_of
from etl.models.states import RawState
from etl.reshape.clean import CLEAN, CleanResult, clean_status
from etl.reshape.reshaper import row_columns


@dataclass(frozen=True, slots=True)
class LoadedChunk:
    """The final status of every raw row of a chunk, and the outcomes of the records with a row."""

    statuses: Mapping[str, CleanStatus]
    counts: Counter[str]


def load_chunk(
    connection: Connection, context: LoadContext, resource: Resource, cleaned: Sequence[CleanResult], rules: str
) -> LoadedChunk:
    """Write the rows of cleaned records, with placeholders for what they refer to; return statuses and outcomes."""
    with_row = [result for result in cleaned if result.reshaped.row is not None]
    present = {resource.table: {result.staged.record.source_id for result in with_row}}
    write_stubs(connection, context, reference_stubs(with_row), present, foreign_key_tables(resource))

    def write_all_placeholders() -> None:
        write_stubs(connection, context, reference_stubs(with_row), {})

    columns = row_columns(resource.model, resource.data_source)
    rows = [result.reshaped.row for result in with_row if result.reshaped.row is not None]
    loaded = load_rows(connection, context, resource, columns, rows, write_all_placeholders)
    statuses = {result.staged.raw_id: final_status(result, loaded, rules) for result in cleaned}
    return LoadedChunk(statuses, loaded.counts)


@cache
def foreign_key_tables(resource: Resource) -> frozenset[str]:
    """Return the tables that a resource refers to only by its foreign keys."""
    stub_tables = {stub.model.__tablename__ for stub in resource.stubs}
    references = references_of(resource.model, resource.data_source).values()
    return frozenset(reference.table for reference in references) - stub_tables


def reference_stubs(cleaned: Sequence[CleanResult]) -> Iterator[tuple[str, str, str | None, datetime]]:
    """Yield what records know of other rows: table, source id, name, and the version of the record that knows it."""
    for result in cleaned:
        version_at = result.staged.record.version_at
        for table, source_id, label in result.reshaped.stubs:
            yield table, source_id, label, version_at


@cache
def loaded_status(rules: str) -> CleanStatus:
    """Return the final status of most records; cached, so that it is created once."""
    return CleanStatus(RawState.LOADED, rules=rules, loaded=True)


def final_status(result: CleanResult, loaded: UpsertResult, rules: str) -> CleanStatus:
    """Return the status of a record after the load.

    A row outside the window is not done: a later window may load it. A row that the database refused is a validation
    error.
    """
    status_before = clean_status(result, rules)
    raw_id = result.staged.raw_id
    if status_before is CLEAN and raw_id not in loaded.bad and raw_id not in loaded.turned_away:
        return loaded_status(rules)
    if result.reshaped.row is None:
        return status_before
    if raw_id in loaded.bad:
        return CleanStatus(RawState.VALIDATION_ERROR, loaded.bad[raw_id], status_before.findings + 1, rules)
    status = RawState.LOADED if status_before.status is RawState.TRANSFORMED else status_before.status
    if raw_id in loaded.turned_away:
        return CleanStatus(RawState.LOADED, status_before.reason, status_before.findings)
    return CleanStatus(status, status_before.reason, status_before.findings, rules, loaded=True)
