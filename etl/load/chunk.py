"""One group of cleaned records into production: stubs, rows, verdicts. Both roads, stepwise and stream, end here."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from sqlalchemy import Connection

from etl.catalogue import Resource
from etl.ledger.staging.raw_tables import Verdict
from etl.load.rows import Loaded, Target, load_rows, load_stubs
from etl.models.base import references_of
from etl.models.states import RawState
from etl.reshape.clean import CLEAN, Cleaned, verdict
from etl.reshape.reshaper import columns


@dataclass(frozen=True, slots=True)
class LoadedPortion:
    """What a group became: the last word on every raw row, and the outcomes of those that had a row."""

    verdicts: Mapping[str, Verdict]
    counts: Counter[str]


def load_portion(
    connection: Connection, target: Target, resource: Resource, cleaned: Sequence[Cleaned], rules: str
) -> LoadedPortion:
    """Write the rows of cleaned records with placeholders for what they refer to; return verdicts and outcomes."""
    with_row = [one for one in cleaned if one.reshaped.row is not None]
    present = {resource.model.__tablename__: {one.candidate.record.source_id for one in with_row}}
    load_stubs(connection, target, stubs_of(with_row), present, guarded(resource))

    def stand_in() -> None:
        load_stubs(connection, target, stubs_of(with_row), {})

    rows = [one.reshaped.row for one in with_row if one.reshaped.row is not None]
    loaded = load_rows(connection, target, resource, columns(resource.model, resource.road), rows, stand_in)
    verdicts = {one.candidate.raw_id: last_word(one, loaded, rules) for one in cleaned}
    return LoadedPortion(verdicts, loaded.counts)


@cache
def guarded(resource: Resource) -> frozenset[str]:
    """Return the tables of which a resource tells by its foreign keys alone."""
    told = {stub.model.__tablename__ for stub in resource.stubs}
    return frozenset(one.table for one in references_of(resource.model, resource.road).values()) - told


def stubs_of(cleaned: Sequence[Cleaned]) -> Iterator[tuple[str, str, str | None, datetime]]:
    """Yield what records know of other rows: table, source id, name, and the version of the record that knows it."""
    for one in cleaned:
        version_at = one.candidate.record.version_at
        for table, source_id, label in one.reshaped.stubs:
            yield table, source_id, label, version_at


@cache
def loaded_well(rules: str) -> Verdict:
    """Return the last word on most records, made once."""
    return Verdict(RawState.LOADED, rules=rules, loaded=True)


def last_word(one: Cleaned, loaded: Loaded, rules: str) -> Verdict:
    """Return what a record is after the load.

    One that the window turned away is not through: a later window may take it. One that the database refused is bad.
    """
    judged = verdict(one, rules)
    raw_id = one.candidate.raw_id
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
