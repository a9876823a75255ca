"""An agency whose runs are counted by the simulator: calls by kind, and what they were for."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import partial

from benchmarks.calls_book import SET
from benchmarks.calls_figures import Period
from benchmarks.clock import JumpingClock
from etl.api.connection import connected
from etl.catalogue.detail_rules import RECENTLY_ENDED_DAYS
from etl.config.settings import Settings
from etl.database.connect import make_engine
from etl.ledger.children.child_counts import read_details_left
from etl.ledger.transaction import Ledger
from etl.ledger.watermarks import read_not_offered
from etl.pipeline import Options, Summary, sync
from etl.pipeline.doctor.doctor import POLICY, examine, save_offers
from etl.pipeline.forecast.forecast import SyncForecast
from etl.pipeline.forecast.read_facts import forecast
from etl.pipeline.plan import plan
from etl.pipeline.watcher import Watcher
from etl.resources import CATALOGUE
from etl.simulator import Simulator
from etl.simulator.routes import Route, find
from etl.simulator.world import World

API = "/v1/"
UNAUTHORIZED = 401


@dataclass
class Agency:
    """An agency, its database, and the clock that both share."""

    simulator: Simulator
    database: str
    clock: JumpingClock
    window: float  #: seconds that are a minute

    def settings(self) -> Settings:
        """Return the settings of a run."""
        own = self.simulator.settings
        return Settings.load(
            database_url=self.database,
            qqcatalyst_api_url=self.simulator.api_url,
            qqcatalyst_token_url=self.simulator.token_url,
            qqcatalyst_client_id=own.client_id,
            qqcatalyst_client_secret=own.client_secret,
            qqcatalyst_username=own.username,
            qqcatalyst_password=own.password,
            etl_rate_limit=f"{SET}/{max(1, round(self.window))}s",
            log_level="ERROR",
        )

    def run(self, watcher: Watcher) -> Summary:
        """Run one sync; raise SystemExit if it fails."""
        with self.ledger() as ledger:
            summary = sync(ledger.engine, self.settings(), None, Options(), replace(watcher, now=self.clock.now))
        if summary.exit_status:
            raise SystemExit(f"The sync ended as {summary.batch.status}: {summary.batch.error}")
        return summary

    def examine(self) -> None:
        """Let `qqetl doctor` find out what the account offers, which the forecasts then know."""
        settings = self.settings()
        with (
            self.ledger() as ledger,
            connected(settings, engine=ledger.engine, policy=POLICY, now=self.clock.now) as api,
        ):
            save_offers(ledger, examine(settings, api).reports)

    def forecast(self) -> SyncForecast:
        """Return what `qqetl sync --dry-run` forecasts."""
        settings = self.settings()
        with self.ledger() as ledger, connected(settings, engine=ledger.engine, now=self.clock.now) as api:
            return forecast(ledger, settings, api, plan(ledger, settings, api.now, None, Options()))

    def count_due(self) -> dict[str, int]:
        """Return the calls for details that are due, by resource, as `qqetl status` counts them."""
        today = self.clock.now().date()
        details = [resource for resource in CATALOGUE if resource.parent is not None and not resource.is_optional]
        with self.ledger() as ledger:
            not_offered = ledger.read(partial(read_not_offered, tenant=ledger.tenant))
            offered = [child for child in details if child.name not in not_offered]
            reads = [partial(read_details_left, child=child, tenant=ledger.tenant, today=today) for child in offered]
            return {child.name: ledger.read(read).calls for child, read in zip(offered, reads, strict=True)}

    @contextmanager
    def ledger(self) -> Iterator[Ledger]:
        """Yield a ledger of the agency's database."""
        engine = make_engine(self.database)
        try:
            yield Ledger(engine, self.settings().etl_tenant)
        finally:
            engine.dispose()

    def count(self, period: Period) -> None:
        """Move what the simulator has logged into a period."""
        requests = list(self.simulator.requests)
        self.simulator.requests.clear()
        for request in requests:
            if request.path.startswith(API) and request.status == UNAUTHORIZED:
                period.refused += 1
            elif request.path.startswith(API):
                match = find(request.path.removeprefix(API))
                period.calls[match[0].name if match else "other"] += 1
                if match and is_current(self.simulator.world, *match, self.clock.now().date()):
                    period.current_calls = period.accepted

    def count_logged(self) -> int:
        """Return the accepted calls that the simulator has logged since it was last counted."""
        requests = list(self.simulator.requests)
        return sum(request.path.startswith(API) and request.status != UNAUTHORIZED for request in requests)


def is_current(world: World, route: Route, ids: tuple[int, ...], today: date) -> bool:
    """Return whether a call reads details of a customer, or of a policy that did not end more than 13 months ago."""
    if not route.path.startswith("Policies/#"):
        return bool(ids) or route.name == "documents"
    policy = world.policies[ids[0]]
    is_continuous = policy["ExpirationDate"] is None and policy["Status"] in {"A", "P"}
    ended = policy["ExpirationDate"] or policy["EffectiveDate"]
    return is_continuous or ended >= str(today - timedelta(days=RECENTLY_ENDED_DAYS))
