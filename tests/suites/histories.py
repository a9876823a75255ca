"""A random history of changes at the source and of runs, drawn from a seed, followed by a run without faults."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from killed_engine import Killed, KilledEngine
from oracle_compare import compare
from sites import serve_agency, set_faults, settings_for
from source_events import happen
from sqlalchemy import Engine, text

from etl.database.connect import make_engine
from etl.errors import EtlError, UsageError
from etl.events import Advanced, Event
from etl.pipeline import Options, Summary, Watcher, retry, sync

BEGINNING = datetime(2025, 6, 2, 15, 30, tzinfo=UTC)
#: Number of commission rules; the simulator creates hundreds by default.
RULES = 9
#: Resources read in every history, because most others depend on them.
ALWAYS = ("contacts", "policies")
OTHERS = (
    "locations", "departments", "carrier_list", "account_info", "applications", "policy_details",
    "adjustments", "quotes", "coverages", "equipment", "drivers", "vehicles", "claims", "billing_records",
    "commission_rules", "commissions", "documents", "acord_forms",
)  # fmt: skip
#: Faults that a retry resolves, and faults of pages; `{n}`: a small number, `@{k}`: every k-th call.
PASSING = (
    "token-expiry:{many}", "token-errors:{n}", "rate-limit:{n}@{k}", "rate-limit:date@{k}", "server-errors:{n}@{k}",
    "html-login:1@{k}", "redirect-login@{k}", "odd-success:202@{k}", "odd-success:206@{k}", "is-success-false:{n}@{k}",
    "bad-json:{n}@{k}", "cut-body:{n}@{k}", "reset:0@{k}", "reset:40@{k}", "wrong-encoding:{n}@{k}",
    "slow:0.002", "clock-skew:3600", "clock-skew:-3600", "token-answer:no-expiry", "token-answer:text-expiry",
)  # fmt: skip
PAGES = (
    "page-drift:{n}@{k}", "page-drift:-{n}@{k}", "repeated-page", "empty-middle-page:{n}@{k}", "duplicate-records:{n}",
    "wrong-total:{n}", "wrong-total:null", "wrong-total:text", "wrong-total:negative", "null-modified",
    "strange-modified:0001-01-01T00:00:00", "strange-modified:9999-12-31T00:00:00",
)  # fmt: skip
LASTING = (
    "server-errors:always@{k}", "unauthorized:Commissions", "forbidden:Claims", "not-found:Departments",
    "wrong-verb:Carriers", "not-offered:ACORDForms", "forbidden:Policies", "not-found:Contacts",
    "token-refused", "token-answer:html", "unauthorized-always",
)  # fmt: skip


@dataclass
class History:
    """One history of one tenant: its random generator, its clock, and the events so far."""

    seed: int
    url: str

    def __post_init__(self) -> None:
        self.dice = Random(f"history:{self.seed}")
        self.tenant = f"seed-{self.seed}"
        self.now = BEGINNING + timedelta(seconds=self.dice.randrange(86_400))
        self.events: list[str] = []
        everything = self.dice.random() < 0.06
        chosen = self.dice.sample(OTHERS, self.dice.randrange(1, 5))
        self.resources = () if everything else (*ALWAYS, *chosen)

    def run(self) -> list[str]:
        """Run the history and return the differences between production and the source at its end."""
        contacts = self.dice.randrange(1, 5)
        with serve_agency(
            seed=self.dice.randrange(10**6), contacts=contacts, founded=self.now, now=self.now
        ) as simulator:
            self.simulator = simulator
            del simulator.world.agency_rules[RULES:]
            for _ in range(self.dice.choice((1, 1, 2, 2, 3))):
                self.upstream()
                self.troubled()
            return self.quiet()

    def upstream(self) -> None:
        """Advance the clock and make random changes at the source."""
        begun = self.now
        span = self.dice.choice((60, 3600, 86_400, 5 * 86_400))
        self.pass_time(self.dice.randrange(10, span))
        moments = sorted(self.dice.random() for _ in range(self.dice.randrange(4)))
        for share in moments:
            self.change(begun + share * (self.now - begun), self.dice)

    def change(self, at: datetime, dice: Random) -> None:
        self.events.append(f"{at:%m-%d %H:%M:%S} {happen(self.simulator, dice, at)}")

    def pass_time(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        server = self.simulator.server
        server.settings = replace(server.settings, now=self.now)

    def troubled(self) -> None:
        """Run under faults, possibly interrupted or with changes meanwhile, and possibly retry."""
        set_faults(self.simulator, *self.faults())
        how = self.dice.choice(("whole", "whole", "stopped", "killed", "killed", "changing"))
        settings = {
            "etl_page_size": self.dice.randrange(1, 9), "etl_concurrency": self.dice.randrange(1, 9),
            "etl_child_budget": self.dice.choice((None, None, self.dice.randrange(8))),
        }  # fmt: skip
        full = self.dice.random() < 0.2
        ended = self.attempt(how, full, settings)
        if ended != "0" and self.dice.random() < 0.4:
            if self.dice.random() < 0.5:
                set_faults(self.simulator)
            self.attempt("retry", full, settings)
        set_faults(self.simulator)

    def faults(self) -> Iterator[str]:
        """Draw some faults, mostly ones that a run survives."""
        for _ in range(self.dice.choice((0, 1, 1, 2, 3))):
            kind = self.dice.choices((PASSING, PAGES, LASTING), (6, 4, 1))[0]
            name = self.dice.choice(kind).format(
                n=self.dice.randrange(1, 4), k=self.dice.randrange(1, 7), many=self.dice.randrange(2, 30)
            )
            self.events.append(f"fault {name}")
            yield name

    def attempt(self, how: str, full: bool, settings: dict[str, Any]) -> str:
        """Make one run and return its exit status, or the error that ended it."""
        with self.engine() as engine:
            mortal = KilledEngine(engine, self.dice.randrange(1, 400)) if how == "killed" else None
            watcher = self.watcher(how)
            try:
                if how == "retry":
                    done = retry(engine, self.settings(**settings), watcher=watcher)
                else:
                    done = self.sync(engine, full, settings, watcher)
                ended = str(done.exit_status)
            except (EtlError, Killed) as error:
                ended = type(error).__name__
        if mortal is not None and mortal.is_dead:
            self.bury()
        self.events.append(f"{self.now:%m-%d %H:%M:%S} {how}{' full' if full else ''} {settings}: {ended}")
        return ended

    def sync(self, engine: Engine, full: bool, settings: dict[str, Any], watcher: Watcher) -> Summary:
        return sync(engine, self.settings(**settings), None, Options(self.resources, full), watcher)

    def settings(self, **more: Any) -> Any:
        return settings_for(self.simulator, self.url, etl_tenant=self.tenant, etl_delete_brake=1.0, **more)

    def watcher(self, how: str) -> Watcher:
        """Return a watcher that stops a run, or changes the records that it reads."""
        stop, left = threading.Event(), self.dice.randrange(1, 12)
        dice = Random(self.dice.random())  # its number of uses depends on threads, which must not affect later draws

        def watch(event: Event) -> None:
            nonlocal left
            left -= isinstance(event, Advanced)
            if left == 0 and how == "stopped":
                stop.set()
            if how == "changing" and left >= 0 and left % 3 == 0:
                self.pass_time(1)
                self.change(self.now, dice)

        return Watcher(watch, stop)

    @contextmanager
    def engine(self) -> Iterator[Engine]:
        engine = make_engine(self.url)
        try:
            yield engine
        finally:
            engine.dispose()

    def bury(self) -> None:
        """Let the time be over in which a dead run's lease holds."""
        with self.engine() as engine, engine.begin() as connection:
            connection.execute(
                text("UPDATE etl.leases SET expires_at = now() - interval '1 second' WHERE tenant = :tenant"),
                {"tenant": self.tenant},
            )

    def quiet(self) -> list[str]:
        """Run without faults, possibly only for changes first, then for everything; return the differences."""
        self.pass_time(self.dice.choice((5, 90_000)))
        if any("clock-skew" in event for event in self.events):
            self.pass_time(3_600)  # records dated by a clock ahead are outdated after that time
        with self.engine() as engine, engine.begin() as connection:  # rejected credentials are not retried for a while
            connection.execute(text("UPDATE etl.tokens SET refused_until = NULL"))
        differing = self.settled(full=False) if self.dice.random() < 0.5 else []
        with self.engine() as engine, engine.begin() as connection:
            connection.execute(text("UPDATE etl.child_queue SET due_at = now()"))
        self.pass_time(60)
        return differing + self.settled(full=True)

    def settled(self, *, full: bool) -> list[str]:
        with self.engine() as engine:
            try:
                done = self.sync(engine, full, {"etl_page_size": self.dice.randrange(2, 60)}, Watcher())
            except UsageError as error:
                return [str(error)]
            read = [part.resource for part in done.parts if part.status == "done"]
            return [
                *([f"the last run ended with {done.exit_status}: {done.batch.error}"] if done.exit_status else []),
                *(f"after {'a full read' if full else 'a sync'}: {difference}"
                  for difference in compare(engine, self.tenant, self.simulator.world, read, swept=full)),
                *self.unbalanced(engine),
            ]  # fmt: skip

    def unbalanced(self, engine: Engine) -> list[str]:
        """Return the resources of this tenant that were closed although they do not balance."""
        query = """
            SELECT part.resource FROM etl.batch_resources AS part JOIN etl.batches AS batch ON batch.id = part.batch_id
            WHERE batch.tenant = :tenant AND part.status = 'done' AND part.fetched <> part.inserted + part.updated
                + part.unchanged + part.outside_window + part.older + part.stepped_back + part.refused + part.duplicate
                + part.no_row
        """
        with engine.connect() as connection:
            names = connection.execute(text(query), {"tenant": self.tenant}).scalars()
            return [f"{name} does not balance" for name in names]
