"""The extract step: reads every resource of a window from the API into staging."""

import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Engine
from sqlalchemy.orm import Session

import etl
from etl.api.connection import ApiConnection as Api
from etl.api.connection import connected
from etl.api.traffic import Traffic
from etl.catalogue.resource import Resource
from etl.config.settings import Settings
from etl.database.connect import engine_of
from etl.database.revisions import check_migrated
from etl.engine.page_writer import PageWriter
from etl.engine.workers import WorkerPool
from etl.events import Watch, ignore_event
from etl.extract.account import register_account
from etl.extract.record_traffic import recording_traffic
from etl.extract.run import ExtractRun
from etl.extract.scheduler import read_all
from etl.extract.selection import find_out_of_reach, resource_names
from etl.ledger import batches
from etl.ledger.batches import Batch
from etl.ledger.children.queue import RefreshAge
from etl.ledger.leases import Waiting, hold_lease
from etl.ledger.staging.classify import IncomingRecord
from etl.ledger.staging.stage import StageContext, stage_records
from etl.ledger.transaction import Ledger
from etl.models.states import EXTRACT, BatchState
from etl.record import ReadSet
from etl.reshape.rules import rules_version
from etl.window import Window


class ExtractService:
    """Stages what the API returns for a window; nothing is transformed or loaded."""

    def __init__(
        self,
        db: Session | Engine,
        *,
        settings: Settings | None = None,
        watch: Watch = ignore_event,
        stop: threading.Event | None = None,
    ) -> None:
        self.engine = engine_of(db)
        self.settings = settings or Settings.load()
        self.watch = watch
        self.stop = stop or threading.Event()

    def extract_data(self, sync_window: Window | Mapping[str, Any], resources: Iterable[str] = ()) -> UUID:
        """Read all resources, or the given ones, for a window, and return the id of the batch.

        An error of a single resource is stored with the batch and stops no other. Raises WindowError for an invalid
        window, LeaseHeld while another run is active, CredentialsRefused, DatabaseNotReady.
        """
        check_migrated(self.engine)
        out_of_reach = find_out_of_reach(self.settings, resources := tuple(resources))
        names = [name for name in resource_names(resources, self.settings) if name not in out_of_reach]
        with self.connect(names) as (api, ledger):
            window = Window.of(sync_window).clipped_to(api.now)
            register_account(ledger, self.settings, api)
            batch = batches.build_batch(ledger.tenant, window, rules_version(self.settings.cleaning), EXTRACT, {})
            windows = dict.fromkeys(names, window)
            ledger.commit(partial(batches.create_batch, batch=batch, windows=windows, version=etl.__version__))
            self.read(api, ledger, batch)
        return batch.id

    def resume(self, batch: Batch) -> Traffic:
        """Read what is left of an unfinished batch, and return the API traffic of this call."""
        batch_resources = Ledger(self.engine, batch.tenant).read(
            partial(batches.read_batch_resources, batch_id=batch.id)
        )
        names = [batch_resource.resource for batch_resource in batch_resources]
        with self.connect(names) as (api, ledger):
            self.read(api, ledger, batch)
            return api.api.traffic

    @contextmanager
    def connect(self, names: Sequence[str]) -> Iterator[tuple[Api, Ledger]]:
        """Hold the API connection and the leases of some resources."""
        tenant = self.settings.etl_tenant
        waiting = Waiting(self.watch, self.stop)
        with (
            connected(self.settings, self.stop, self.engine) as api,
            hold_lease(self.engine, tenant, names, waiting) as lease,
        ):
            yield api, Ledger(self.engine, tenant, lease)

    def read(self, api: Api, ledger: Ledger, batch: Batch) -> None:
        """Read every unread resource of a batch; on an error the batch is marked failed and can be resumed."""
        make_writer = partial(make_staging_writer, settings=self.settings, batch=batch)
        workers = WorkerPool(ledger, self.settings.log, batch, make_writer)
        run = ExtractRun(
            ledger, self.settings.reading, batch, api.event_loop, api.api, workers, self.watch, EXTRACT, self.stop,
            today=api.now.date(), traffic=api.api.traffic,
        )  # fmt: skip
        batch_resources = ledger.read(partial(batches.read_batch_resources, batch_id=batch.id))
        ledger.commit(partial(batches.advance_batch, batch_id=batch.id, state=BatchState.EXTRACTING))
        with ledger.mark_failed_on_error(batch.id), recording_traffic(ledger, batch.id, api.api.traffic), workers:
            read_all(run, [batch_resource for batch_resource in batch_resources if not batch_resource.fully_read])
        ledger.commit(partial(batches.advance_batch, batch_id=batch.id, state=BatchState.EXTRACTED))


def make_staging_writer(ledger: Ledger, settings: Settings, batch: Batch) -> PageWriter:
    """Return the page writer that stages records for the later steps."""
    context = StageContext(batch.tenant, batch.id, batch.rules)

    def stage(
        connection: Connection,
        resource: Resource,
        incoming: Sequence[IncomingRecord],
        sets: Sequence[ReadSet],
        window: Window | None,
        _not_offered: AbstractSet[str],
    ) -> Counter[str]:
        return stage_records(connection, context, resource, incoming, sets, window)

    return PageWriter(
        ledger, batch.id, settings.etl_api_timezone, batch.rules, stage, RefreshAge(*settings.refresh_ages)
    )
