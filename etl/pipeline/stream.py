"""The sync stream: stage, clean and load a page group in one transaction, with the code of the three services."""

from collections import Counter
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import timedelta

from sqlalchemy import Connection

from etl.catalogue.resource import Derivation, Resource
from etl.config.options import CleaningOptions
from etl.engine.page_writer import PageWriter
from etl.ledger.batches import Batch
from etl.ledger.children.queue import RefreshAge
from etl.ledger.staging.classify import IncomingRecord
from etl.ledger.staging.raw_tables import has_missing_records
from etl.ledger.staging.stage import ProcessResult, StageContext, classify_records, write_versions
from etl.ledger.transaction import Ledger
from etl.load.chunk import load_chunk
from etl.load.rows import LoadContext, soft_delete_missing
from etl.record import ReadSet
from etl.reshape.clean import clean_records, count_outcomes, make_reshaper, save_findings
from etl.reshape.derive import derive_records
from etl.reshape.rules import rules_version
from etl.resources import CATALOGUE, derived_from
from etl.window import Window


def make_stream_writer(
    ledger: Ledger,
    options: CleaningOptions,
    overlap: timedelta,
    age: RefreshAge,
    batch: Batch,
    windows: Mapping[str, Window],
) -> PageWriter:
    """Return a page writer that takes page groups through all steps."""
    stream = Stream(options, overlap, batch, windows)
    return PageWriter(ledger, batch.id, options.zone, stream.rules, stream.process_records, age)


class Stream:
    """All steps for the records of a batch in one transaction: stage, clean, load."""

    def __init__(
        self,
        options: CleaningOptions,
        overlap: timedelta,
        batch: Batch,
        windows: Mapping[str, Window],
        changes: dict[tuple[str, str], tuple[int, list[str]]] | None = None,
        *,
        force: bool = False,
    ) -> None:
        self.overlap = overlap
        self.batch = batch
        self.windows = windows
        self.rules = rules_version(options)
        self.reshapers = {resource.name: make_reshaper(resource, options) for resource in CATALOGUE}
        self.changes = changes
        self.force = force  # also process records that are loaded under the current rules

    def process_records(
        self,
        connection: Connection,
        resource: Resource,
        incoming: Sequence[IncomingRecord],
        sets: Sequence[ReadSet] = (),
        window: Window | None = None,
        not_offered: AbstractSet[str] = frozenset(),
    ) -> Counter[str]:
        """Stage, clean and load records and the records that are made from them, and return the counts."""
        context = StageContext(self.batch.tenant, self.batch.id, None if self.force else self.rules)
        group = classify_records(connection, context, resource, incoming, sets, window)
        loaded = ProcessResult({})
        if group.records:
            cleaned = clean_records(self.reshapers[resource.name], group.records)
            finding_count = save_findings(connection, self.batch.tenant, resource, self.batch.id, cleaned)
            chunk = load_chunk(connection, self.make_target(resource), resource, cleaned, self.rules)
            loaded = ProcessResult(chunk.statuses, count_outcomes(cleaned, finding_count) + chunk.counts)
        counts = write_versions(connection, group, loaded)
        if sets:
            soft_delete_missing(connection, self.make_target(resource), resource)
        derivations = derivations_of(resource, not_offered)
        if derivations:
            usable = [record for record in group.records if loaded.statuses[record.raw_id].is_usable]
            # A record that was never seen before has no earlier derived records that could be missing now.
            has_missing = has_missing_records(connection, resource, self.batch.tenant)
            first_seen_ids = frozenset() if has_missing else group.first_seen_ids
            for child, derivation in derivations:
                derived = derive_records(child, derivation, usable, first_seen_ids)
                self.process_records(connection, child, *derived, None, not_offered)
        return counts

    def make_target(self, resource: Resource) -> LoadContext:
        """Return the tenant, batch and window for loading the rows of a resource."""
        window = self.windows.get(resource.name, self.batch.window)
        return LoadContext(self.batch.tenant, self.batch.id, window.widened(self.overlap), self.changes)


def derivations_of(resource: Resource, not_offered: AbstractSet[str]) -> list[tuple[Resource, Derivation]]:
    """Return the resources that are made from the records of another; fallbacks only if the account lacks their own."""
    return [
        (child, derivation)
        for child, derivation in derived_from(resource.name)
        if not derivation.fallback or child.name in not_offered
    ]
