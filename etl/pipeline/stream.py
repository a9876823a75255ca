"""The sync stream: stage, clean and load a page group in one transaction, with the code of the three services."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from etl.catalogue.resource import Resource
from etl.config.logs import add_log_fields, configure_logging
from etl.config.settings import Settings
from etl.database.connect import make_engine
from etl.engine.page_writer import PageWriter
from etl.engine.workers import WorkerPool
from etl.ledger.batches import Batch
from etl.ledger.children.queue import RefreshAge
from etl.ledger.leases import Lease
from etl.ledger.staging.classify import IncomingRecord
from etl.ledger.staging.raw_tables import has_missing_records
from etl.ledger.staging.stage import ProcessResult, StageContext, StageResult, stage_records
from etl.ledger.transaction import Ledger
from etl.load.chunk import load_chunk
from etl.load.rows import LoadContext, soft_delete_missing
from etl.record import ReadSet, StagedRecord
from etl.reshape.clean import clean_records, count_outcomes, make_reshaper, save_findings
from etl.reshape.derive import derive_records
from etl.reshape.rules import rules_version
from etl.resources import CATALOGUE, derived_from
from etl.window import Window


@dataclass(frozen=True)
class StreamWorker:
    """The settings of a worker process, which create its page writer."""

    url: str
    settings: Settings
    batch: Batch
    windows: Mapping[str, Window]
    lease: Lease | None

    def __call__(self) -> PageWriter:
        """Return a page writer with its own connection."""
        configure_logging(self.settings)
        add_log_fields(batch=str(self.batch.id), tenant=self.batch.tenant)
        engine = make_engine(self.url, application_name="qqetl worker", pool_size=1)
        return Stream(self.settings, self.batch, self.windows).make_writer(
            Ledger(engine, self.batch.tenant, self.lease)
        )


class Stream:
    """All steps for the records of a batch in one transaction: stage, clean, load."""

    def __init__(
        self,
        settings: Settings,
        batch: Batch,
        windows: Mapping[str, Window],
        changes: dict[tuple[str, str], tuple[int, list[str]]] | None = None,
        *,
        force: bool = False,
    ) -> None:
        self.settings = settings
        self.batch = batch
        self.windows = windows
        self.rules = rules_version(settings)
        self.reshapers = {resource.name: make_reshaper(resource, settings) for resource in CATALOGUE}
        self.not_offered: dict[str, str] = {}
        self.changes = changes
        self.force = force  # also process records that are loaded under the current rules

    def make_writer(self, ledger: Ledger) -> PageWriter:
        """Return a writer that puts page groups through this stream."""
        return PageWriter(
            ledger,
            self.batch.id,
            self.settings.etl_api_timezone,
            self.rules,
            self.process_records,
            self.not_offered,
            RefreshAge.of(self.settings),
        )

    def make_pool(self, ledger: Ledger) -> WorkerPool:
        """Return the workers that write page groups, with the ledger's database and lease."""
        url = ledger.engine.url.render_as_string(hide_password=False)
        worker = StreamWorker(url, self.settings, self.batch, self.windows, ledger.lease)
        return WorkerPool(self.make_writer(ledger), worker)

    def process_records(
        self,
        connection: Connection,
        resource: Resource,
        incoming: Sequence[IncomingRecord],
        sets: Sequence[ReadSet],
        window: Window | None,
    ) -> Counter[str]:
        """Stage, clean and load records and the records that are made from them, and return the counts."""
        context = StageContext(
            self.batch.tenant, self.batch.id, None if self.force else self.rules, self.clean_and_load
        )
        result = stage_records(connection, context, resource, incoming, sets, window)
        if sets:
            soft_delete_missing(connection, self.make_target(resource), resource)
        self.process_derived(connection, resource, result)
        return result.counts

    def process_derived(self, connection: Connection, resource: Resource, result: StageResult) -> None:
        """Process the records that are made from other records.

        A record that was never seen before has no earlier derived records that could be missing now.
        """
        derivations = derived_from(resource.name)
        applicable = [
            (child, derivation)
            for child, derivation in derivations
            if not derivation.fallback or child.name in self.not_offered
        ]
        if not applicable:
            return
        usable = [record for record in result.records if result.statuses[record.raw_id].is_usable]
        first_seen_ids = (
            frozenset() if has_missing_records(connection, resource, self.batch.tenant) else result.first_seen_ids
        )
        for child, derivation in applicable:
            self.process_records(connection, child, *derive_records(child, derivation, usable, first_seen_ids), None)

    def clean_and_load(
        self, connection: Connection, resource: Resource, records: Sequence[StagedRecord]
    ) -> ProcessResult:
        """Clean and load records, and store their findings."""
        if not records:
            return ProcessResult({})
        cleaned = clean_records(self.reshapers[resource.name], records)
        finding_count = save_findings(connection, self.batch.tenant, resource, self.batch.id, cleaned)
        loaded = load_chunk(connection, self.make_target(resource), resource, cleaned, self.rules)
        return ProcessResult(loaded.statuses, count_outcomes(cleaned, finding_count) + loaded.counts)

    def make_target(self, resource: Resource) -> LoadContext:
        """Return the tenant, batch and window for loading the rows of a resource."""
        window = self.windows.get(resource.name, self.batch.window)
        return LoadContext(self.batch.tenant, self.batch.id, window.widened(self.settings.etl_overlap), self.changes)
