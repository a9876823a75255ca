"""All steps in one transaction: what a page brings is staged, cleaned and loaded by the code of the three services."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from etl.catalogue import Resource
from etl.config.logs import bind, configure
from etl.config.settings import Settings
from etl.database.connect import make_engine
from etl.engine.page_writer import Taker
from etl.engine.workers import Lanes
from etl.ledger.batches import Batch
from etl.ledger.leases import Lease
from etl.ledger.staging.classify import Arrival
from etl.ledger.staging.raw_tables import has_lost_some
from etl.ledger.staging.stage import Intake, Judgement, Taken, take_in
from etl.ledger.transaction import Ledger
from etl.load.chunk import load_portion
from etl.load.rows import Target, bury_gone
from etl.record import Candidate, ReadSet
from etl.reshape.clean import clean, keep_findings, outcomes, reshaper
from etl.reshape.derive import derive
from etl.reshape.rules import rules_version
from etl.resources import CATALOGUE, derived_from
from etl.window import Window


@dataclass(frozen=True)
class StreamLane:
    """What a lane of its own process needs to take groups through all steps."""

    url: str
    settings: Settings
    batch: Batch
    windows: Mapping[str, Window]
    lease: Lease | None

    def __call__(self) -> Taker:
        """Return the taker, with a connection of its own."""
        configure(self.settings)
        bind(batch=str(self.batch.id), tenant=self.batch.tenant)
        engine = make_engine(self.url, application_name="qqetl lane", pool_size=1)
        return Stream(self.settings, self.batch, self.windows).taker(Ledger(engine, self.batch.tenant, self.lease))


class Stream:
    """The road of records through all steps in one transaction; the steps are those of the separate services."""

    def __init__(
        self,
        settings: Settings,
        batch: Batch,
        windows: Mapping[str, Window],
        changes: dict[tuple[str, str], tuple[int, list[str]]] | None = None,
        *,
        anew: bool = False,
    ) -> None:
        self.settings = settings
        self.batch = batch
        self.windows = windows
        self.rules = rules_version(settings)
        self.reshapers = {one.name: reshaper(one, settings) for one in CATALOGUE}
        self.not_offered: dict[str, str] = {}
        self.changes = changes
        self.anew = anew  # records are taken again that are loaded under today's rules

    def taker(self, ledger: Ledger) -> Taker:
        """Return what takes groups of answers into this stream."""
        zone = self.settings.etl_api_timezone
        return Taker(ledger, self.batch.id, zone, self.rules, self.accept, self.not_offered)

    def lanes(self, ledger: Ledger) -> Lanes:
        """Return the lanes in which groups are taken, over the ledger's database and under its lease."""
        url = ledger.engine.url.render_as_string(hide_password=False)
        lane = StreamLane(url, self.settings, self.batch, self.windows, ledger.lease)
        return Lanes(self.taker(ledger), lane)

    def accept(
        self,
        connection: Connection,
        resource: Resource,
        arrivals: Sequence[Arrival],
        sets: Sequence[ReadSet],
        window: Window | None,
    ) -> Counter[str]:
        """Take records through to production, with those made from them."""
        intake = Intake(self.batch.tenant, self.batch.id, None if self.anew else self.rules, self.judge)
        taken = take_in(connection, intake, resource, arrivals, sets, window)
        if sets:
            bury_gone(connection, self.target(resource), resource)
        self.accept_parts(connection, resource, taken)
        return taken.counts

    def accept_parts(self, connection: Connection, resource: Resource, taken: Taken) -> None:
        """Take the records that are made from others through to production.

        A record that was never seen has no parts from before, which its complete sets could no longer hold.
        """
        children = derived_from(resource.name)
        made = [(one, way) for one, way in children if not way.fallback or one.name in self.not_offered]
        if not made:
            return
        sound = [one for one in taken.candidates if taken.verdicts[one.raw_id].sound]
        new = frozenset() if has_lost_some(connection, resource, self.batch.tenant) else taken.strangers
        for child, derivation in made:
            self.accept(connection, child, *derive(child, derivation, sound, new), None)

    def judge(self, connection: Connection, resource: Resource, candidates: Sequence[Candidate]) -> Judgement:
        """Clean and load candidates, and keep their findings."""
        if not candidates:
            return Judgement({})
        cleaned = clean(self.reshapers[resource.name], candidates)
        found = keep_findings(connection, self.batch.tenant, resource, self.batch.id, cleaned)
        loaded = load_portion(connection, self.target(resource), resource, cleaned, self.rules)
        return Judgement(loaded.verdicts, outcomes(cleaned, found) + loaded.counts)

    def target(self, resource: Resource) -> Target:
        """Return where and for which window the rows of a resource are written."""
        window = self.windows.get(resource.name, self.batch.window)
        return Target(self.batch.tenant, self.batch.id, window.widened(self.settings.etl_overlap), self.changes)
