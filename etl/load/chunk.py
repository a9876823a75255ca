"""Loads one chunk of cleaned records: placeholders, rows, statuses. The load step and the sync share it."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from sqlalchemy import Connection

from etl.catalogue import Resource
from etl.ledger.staging.raw_tables import Verdict
from etl.load.rows import LoadContext, UpsertResult, load_rows, write_stubs
from etl.models.base import references_of
from etl.models.states import RawState
from etl.reshape.clean import CLEAN, CleanResult, clean_status
from etl.reshape.reshaper import row_columns


@dataclass(frozen=True, slots=True)
class LoadedChunk:
    """The final status of every raw row of a chunk, and the outcomes of the records with a row."""

    verdicts: Mapping[str, Verdict]
    counts: Counter[str]


def load_chunk(
    connection: Connection, context: LoadContext, resource: Resource, cleaned: Sequence[CleanResult], rules: str
) -> LoadedChunk:
    """Write the rows of cleaned records, with placeholders for what they refer to; return statuses and outcomes."""
    with_row = [result for result in cleaned if result.reshaped.row is not None]
    present = {resource.model.__tablename__: {result.staged.record.source_id for result in with_row}}
    write_stubs(connection, context, stubs_of(with_row), present, guarded(resource))

    def write_all_placeholders() -> None:
        write_stubs(connection, context, stubs_of(with_row), {})

    columns = row_columns(resource.model, resource.data_source)
    rows = [result.reshaped.row for result in with_row if result.reshaped.row is not None]
    loaded = load_rows(connection, context, resource, columns, rows, write_all_placeholders)
    verdicts = {result.staged.raw_id: last_word(result, loaded, rules) for result in cleaned}
    return LoadedChunk(verdicts, loaded.counts)


@cache
def guarded(resource: Resource) -> frozenset[str]:
    """Return the tables of which a resource tells by its foreign keys alone."""
    told = {stub.model.__tablename__ for stub in resource.stubs}
    return frozenset(one.table for one in references_of(resource.model, resource.data_source).values()) - told


def stubs_of(cleaned: Sequence[CleanResult]) -> Iterator[tuple[str, str, str | None, datetime]]:
    """Yield what records know of other rows: table, source id, name, and the version of the record that knows it."""
    for one in cleaned:
        version_at = one.staged.record.version_at
        for table, source_id, label in one.reshaped.stubs:
            yield table, source_id, label, version_at


@cache
def loaded_well(rules: str) -> Verdict:
    """Return the last word on most records, made once."""
    return Verdict(RawState.LOADED, rules=rules, loaded=True)


def last_word(one: CleanResult, loaded: UpsertResult, rules: str) -> Verdict:
    """Return what a record is after the load.

    One that the window turned away is not through: a later window may take it. One that the database refused is bad.
    """
    judged = clean_status(one, rules)
    raw_id = one.staged.raw_id
    if judged is CLEAN and raw_id not in loaded.bad and raw_id not in loaded.turned_away:
        return loaded_well(rules)
    if one.reshaped.row is None:
        return judged
    if raw_id in loaded.bad:
        return Verdict(RawState.VALIDATION_ERROR, loaded.bad[raw_id], judged.findings + 1, rules)
    status = RawState.LOADED if judged.status is RawState.TRANSFORMED else judged.status
    if raw_id in loaded.turned_away:
        return Verdict(RawState.LOADED, judged.reason, judged.findings)
    return Verdict(status, judged.reason, judged.findings, rules, loaded=True)
