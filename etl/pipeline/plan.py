"""What a sync will cover: a window for each resource, from its mark to now, and what an account does not offer."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from etl.config.settings import Settings
from etl.ledger import batches, watermarks
from etl.ledger.batches import Batch
from etl.ledger.transaction import Ledger
from etl.reshape.rules import rules_version
from etl.resources import BY_NAME, selected
from etl.window import FIRST_INSTANT, Window


@dataclass(frozen=True)
class Options:
    """What a sync is asked for, besides its window."""

    resources: tuple[str, ...] = ()
    full: bool = False  #: read everything, whatever the marks say
    limit: int | None = None  #: about so many records of each resource, for a first look; no mark moves
    dry_sweep: bool = False  #: with `full`: only tell what has vanished
    command: str = "sync"
    run: str | None = None  #: the name of the run, where several tasks share it


@dataclass(frozen=True)
class Plan:
    """The windows of a run, and the resources that it leaves out since the account does not offer them."""

    windows: Mapping[str, Window]
    not_offered: Mapping[str, str]

    @property
    def window(self) -> Window:
        """The stretch that all windows lie in."""
        ends = list(self.windows.values())
        return Window(min(one.start for one in ends), max(one.end for one in ends))


def plan(ledger: Ledger, settings: Settings, now: datetime, window: Window | None, options: Options) -> Plan:
    """Return the windows of a sync that begins at `now`, the time by the API's clock.

    Raises WindowError for a given window that lies wholly in the future.
    """
    asks_again = options.full or bool(options.resources)
    left_out = {} if asks_again else ledger.read(partial(watermarks.read_not_offered, tenant=ledger.tenant))
    names = [one.name for one in selected(options.resources)]
    if window is not None:
        return Plan(dict.fromkeys(names, window.clipped_to(now)), left_out)
    if options.full:
        return Plan(dict.fromkeys(names, Window(FIRST_INSTANT, now)), left_out)
    return Plan({name: Window(window_start(ledger, settings, name, now), now) for name in names}, left_out)


def window_start(ledger: Ledger, settings: Settings, resource: str, now: datetime) -> datetime:
    """Return where a resource's next window begins: its mark, or earlier where the API does not show changes."""
    intervals = ledger.read(partial(watermarks.read_complete_windows, tenant=ledger.tenant, resource=resource))
    start = min(watermarks.find_next_start(intervals), now - timedelta(seconds=1))
    if needs_lookback(resource) and intervals and settings.etl_billing_lookback and not is_same_day(intervals[-1].end, now):
        return max(FIRST_INSTANT, min(start, now - settings.etl_billing_lookback))
    return start


def needs_lookback(resource: str) -> bool:
    """Tell whether a feed filters by a date that its records do not show, so that changes never bring them back."""
    return any(endpoint.dates is not None and endpoint.dates.field is None for endpoint in BY_NAME[resource].endpoints)


def is_same_day(one: datetime, other: datetime) -> bool:
    """Tell whether two instants lie on one day of UTC: the trailing stretch is read again once a day."""
    return one.date() == other.date()


def build_batch(ledger: Ledger, settings: Settings, planned: Plan, options: Options) -> Batch:
    """Return the batch that will carry out a plan."""
    kept = {
        "full": options.full,
        "limit": options.limit,
        "dry_sweep": options.dry_sweep,
        "resources": list(options.resources),
        "run": options.run,
    }
    return batches.build_batch(ledger.tenant, planned.window, rules_version(settings), options.command, kept)


def resource_names(resources: Iterable[str]) -> list[str]:
    """Return the names of the selected resources."""
    return [one.name for one in selected(resources)]
