"""One group of cleaned records into production: stubs, rows, verdicts. Both roads, stepwise and stream, end here."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from etl.catalogue import Resource
from etl.ledger.staging import Verdict
from etl.load.rows import Loaded, Target, load_rows, load_stubs
from etl.models.states import RawState
from etl.reshape.cleaning import Cleaned, verdict
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
    stubs = (
        (stub.table, stub.source_id, stub.label, one.candidate.record.version_at)
        for one in with_row
        for stub in one.reshaped.stubs
    )
    load_stubs(connection, target, stubs, present)
    rows = [one.reshaped.row for one in with_row if one.reshaped.row is not None]
    loaded = load_rows(connection, target, resource, columns(resource.model, resource.road), rows)
    verdicts = {one.candidate.raw_id: last_word(one, loaded, rules) for one in cleaned}
    return LoadedPortion(verdicts, loaded.counts)


def last_word(one: Cleaned, loaded: Loaded, rules: str) -> Verdict:
    """Return what a record is after the load.

    One that the window turned away is not through: a later window may take it. One that the database refused is bad.
    """
    judged = verdict(one, rules)
    raw_id = one.candidate.raw_id
    if one.reshaped.row is None:
        return judged
    if raw_id in loaded.bad:
        return Verdict(RawState.VALIDATION_ERROR, loaded.bad[raw_id], judged.findings + 1, rules)
    status = RawState.LOADED if judged.status is RawState.TRANSFORMED else judged.status
    if raw_id in loaded.turned_away:
        return Verdict(RawState.LOADED, judged.reason, judged.findings)
    return Verdict(status, judged.reason, judged.findings, rules, loaded=True)
