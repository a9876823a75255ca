"""All steps in one transaction: what a page brings is staged, cleaned and loaded by the code of the three services."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from etl.catalogue import Resource
from etl.config.logs import add_log_fields, configure_logging
from etl.config.settings import Settings
from etl.database.connect import make_engine
from etl.engine.page_writer import PageWriter
from etl.engine.workers import WorkerPool
from etl.ledger.batches import Batch
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
    """What a lane of its own process needs to take groups through all steps."""

    url: str
    settings: Settings
    batch: Batch
    windows: Mapping[str, Window]
    lease: Lease | None

    def __call__(self) -> PageWriter:
        """Return the taker, with a connection of its own."""
        configure_logging(self.settings)
        add_log_fields(batch=str(self.batch.id), tenant=self.batch.tenant)
        engine = make_engine(self.url, application_name="qqetl worker", pool_size=1)
        return Stream(self.settings, self.batch, self.windows).make_writer(
            Ledger(engine, self.batch.tenant, self.lease)
        )


class Stream:
    """The road of records through all steps in one transaction; the steps are those of the separate services."""

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
        self.reshapers = {one.name: make_reshaper(one, settings) for one in CATALOGUE}
        self.not_offered: dict[str, str] = {}
        self.changes = changes
        self.force = force  # records are taken again that are loaded under today's rules

    def make_writer(self, ledger: Ledger) -> PageWriter:
        """Return what takes groups of answers into this stream."""
        zone = self.settings.etl_api_timezone
        return PageWriter(ledger, self.batch.id, zone, self.rules, self.process_records, self.not_offered)

    def make_pool(self, ledger: Ledger) -> WorkerPool:
        """Return the lanes in which groups are taken, over the ledger's database and under its lease."""
        url = ledger.engine.url.render_as_string(hide_password=False)
        lane = StreamWorker(url, self.settings, self.batch, self.windows, ledger.lease)
        return WorkerPool(self.make_writer(ledger), lane)

    def process_records(
        self,
        connection: Connection,
        resource: Resource,
        arrivals: Sequence[IncomingRecord],
        sets: Sequence[ReadSet],
        window: Window | None,
    ) -> Counter[str]:
        """Take records through to production, with those made from them."""
        intake = StageContext(self.batch.tenant, self.batch.id, None if self.force else self.rules, self.clean_and_load)
        taken = stage_records(connection, intake, resource, arrivals, sets, window)
        if sets:
            soft_delete_missing(connection, self.make_target(resource), resource)
        self.process_derived(connection, resource, taken)
        return taken.counts

    def process_derived(self, connection: Connection, resource: Resource, taken: StageResult) -> None:
        """Take the records that are made from others through to production.

        A record that was never seen has no parts from before, which its complete sets could no longer hold.
        """
        children = derived_from(resource.name)
        made = [(one, way) for one, way in children if not way.fallback or one.name in self.not_offered]
        if not made:
            return
        sound = [one for one in taken.records if taken.statuses[one.raw_id].is_usable]
        new = frozenset() if has_missing_records(connection, resource, self.batch.tenant) else taken.first_seen_ids
        for child, derivation in made:
            self.process_records(connection, child, *derive_records(child, derivation, sound, new), None)

    def clean_and_load(
        self, connection: Connection, resource: Resource, candidates: Sequence[StagedRecord]
    ) -> ProcessResult:
        """Clean and load candidates, and keep their findings."""
        if not candidates:
            return ProcessResult({})
        cleaned = clean_records(self.reshapers[resource.name], candidates)
        found = save_findings(connection, self.batch.tenant, resource, self.batch.id, cleaned)
        loaded = load_chunk(connection, self.make_target(resource), resource, cleaned, self.rules)
        return ProcessResult(loaded.statuses, count_outcomes(cleaned, found) + loaded.counts)

    def make_target(self, resource: Resource) -> LoadContext:
        """Return where and for which window the rows of a resource are written."""
        window = self.windows.get(resource.name, self.batch.window)
        return LoadContext(self.batch.tenant, self.batch.id, window.widened(self.settings.etl_overlap), self.changes)
