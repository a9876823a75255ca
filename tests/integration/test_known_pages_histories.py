"""Random histories of a feed, read with known pages passed by and without: rows, staging, findings, books are alike."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from random import Random
from typing import Any
from uuid import UUID

import pytest
from feed_pages import NOON, Account, contact
from sqlalchemy import Engine, text

from etl.engine import page_writer
from etl.engine.answers import FetchedPage
from etl.errors import UsageError
from etl.ledger import batches, tenants
from etl.ledger.staging import full_scan, retention
from etl.models.states import BatchState
from etl.pipeline.forget import erase_person
from etl.pipeline.reconcile import mark_missing_deleted
from etl.window import Window

STEPS, PAGE = 10, 3
#: How a contact may read; some leave a finding.
TEXTS: tuple[dict[str, Any], ...] = (
    {}, {"DisplayName": "Other"}, {"City": "Macon"}, {"Status": "D"}, {"Email": "no address"}, {"Status": "Q"},
)  # fmt: skip
LOOKS = {
    "rows": """
        SELECT source_id, display_name, city, email, status, deleted_at IS NULL, is_placeholder, source_modified_at
        FROM contacts WHERE tenant = :tenant ORDER BY 1
    """,
    "newest versions": """
        SELECT source_id, content_hash, version_at, status, finding_count, loaded_at IS NULL, rules
        FROM raw.raw_contacts WHERE tenant = :tenant AND superseded_at IS NULL ORDER BY 1
    """,
    "findings": """
        SELECT source_id, field, rule, severity, state, times_seen
        FROM etl.findings WHERE tenant = :tenant ORDER BY 1, 2, 3
    """,
    # A record that comes twice in one batch is a duplicate or unchanged, by the transactions in which it comes.
    "books": """
        SELECT part.pages, part.fetched, part.inserted, part.updated, part.unchanged + part.duplicate, part.older,
               part.outside_window, part.refused, part.no_row
        FROM etl.batch_resources AS part JOIN etl.batches AS batch ON batch.id = part.batch_id
        WHERE batch.tenant = :tenant ORDER BY batch.started_at, batch.id
    """,
}


@dataclass
class Reader:
    """An account that lives through a history, and passes by what is known or takes everything apart."""

    engine: Engine
    tenant: str
    passes_by: bool
    passed_by: int = 0
    swept: list[UUID] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.account = Account(self.engine, self.tenant)
        self.commit(tenants.register_tenant, settings=self.account.settings)

    def commit(self, work: Any, **given: Any) -> Any:
        return self.account.ledger.commit(partial(work, **given))

    def read(self, groups: Sequence[Sequence[FetchedPage]], window: Window | None) -> None:
        """Take groups of pages as one batch, and end it."""
        taker = self.account.writer(*[window] if window else [])
        with pytest.MonkeyPatch.context() as patch:
            if not self.passes_by:
                patch.setattr(page_writer, "is_cacheable", lambda _: False)
            for pages in groups:
                known, rest = taker.skip_unchanged(self.account.group(pages, window))
                self.passed_by += known.answers
                if rest is not None:
                    taker.write(rest)
        self.commit(batches.advance_batch, batch_id=taker.batch_id, to=BatchState.COMPLETED)

    def sweep(self) -> None:
        """Take every record to have vanished."""
        taker = self.account.writer()
        batch = self.account.ledger.read(partial(batches.read_batch, batch_id=taker.batch_id))
        self.commit(mark_missing_deleted, resource=self.account.resource, batch=batch, spared=())
        self.swept.append(batch.id)

    def bring_back(self, place: int) -> None:
        """Take a sweep back."""
        if self.swept:
            batch_id = self.swept[place % len(self.swept)]
            self.commit(full_scan.restore_missing, resource=self.account.resource, tenant=self.tenant, batch_id=batch_id)

    def forget(self, number: int) -> None:
        with suppress(UsageError):  # nobody has met that one
            self.commit(erase_person, tenant=self.tenant, contact=str(number), actor="a test")

    def purge(self) -> None:
        """Let the request facts and earlier versions be too old to be kept."""
        retention.purge_resource(self.account.ledger, self.account.resource, timedelta(0))

    def change_rules(self, strict: bool) -> None:
        self.account.more["etl_validation"] = "strict" if strict else "lenient"
        self.account.__post_init__()

    def look(self) -> dict[str, list[tuple[Any, ...]]]:
        """Return everything that must not depend on how pages are read."""
        with self.engine.connect() as connection:
            bound = {"tenant": self.tenant}
            return {
                name: [tuple(row) for row in connection.execute(text(query), bound)] for name, query in LOOKS.items()
            }


@dataclass
class History:
    """What happens at the source and here, drawn from a seed; both readers live through the same."""

    dice: Random
    readers: Sequence[Reader]
    told: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.now = NOON
        self.source: dict[int, tuple[datetime, dict[str, Any]]] = {
            number: (NOON - timedelta(minutes=number), {}) for number in range(1, 13)
        }
        self.before: list[dict[int, tuple[datetime, dict[str, Any]]]] = []

    def step(self) -> None:
        """Let something happen at the source, then here, then a reading."""
        self.now += timedelta(hours=1)
        self.before.append(dict(self.source))
        self.tell(self.dice.choice((self.edit, self.edit, self.silently, self.add, self.revert, *[self.rest] * 3)))
        if self.dice.random() < 0.3:
            self.tell(self.dice.choice((self.sweep, self.bring_back, self.forget, self.purge, self.change_rules)))
        self.tell(self.read)

    def tell(self, event: Any) -> None:
        self.told.append(f"{self.now:%H:%M} {event.__name__} {event() or ''}")

    def edit(self) -> None:
        for number in self.some():
            self.source[number] = (self.now, self.dice.choice(TEXTS))

    def silently(self) -> None:
        """Change texts without a word of it in their times."""
        for number in self.some():
            self.source[number] = (self.source[number][0], self.dice.choice(TEXTS))

    def add(self) -> None:
        for number in range(len(self.source) + 1, len(self.source) + self.dice.randrange(2, 4)):
            self.source[number] = (self.now - timedelta(minutes=self.dice.randrange(300)), {})

    def revert(self) -> None:
        """Show what was there before, as a restored backup does."""
        self.source = dict(self.dice.choice(self.before))

    def rest(self) -> None:
        """Let nothing happen."""

    def some(self) -> list[int]:
        return self.dice.sample(sorted(self.source), min(len(self.source), self.dice.randrange(1, 3)))

    def sweep(self) -> None:
        for reader in self.readers:
            reader.sweep()

    def bring_back(self) -> None:
        place = self.dice.randrange(9)
        for reader in self.readers:
            reader.bring_back(place)

    def forget(self) -> None:
        number = self.dice.randrange(1, 9)
        for reader in self.readers:
            reader.forget(number)

    def purge(self) -> None:
        for reader in self.readers:
            reader.purge()

    def change_rules(self) -> None:
        strict = self.dice.random() < 0.5
        for reader in self.readers:
            reader.change_rules(strict)

    def read(self) -> str:
        """Let both read the same pages in the same transactions, some of them twice, some empty."""
        items = [contact(number, *self.source[number][:1], **self.source[number][1]) for number in sorted(self.source)]
        account = self.readers[0].account
        pages = [account.page(items[at : at + PAGE], self.now) for at in range(0, len(items), PAGE)]
        pages += [account.page([], self.now)] if self.dice.random() < 0.2 else []
        pages += self.dice.sample(pages, 1) if pages and self.dice.random() < 0.3 else []
        size = self.dice.randrange(1, 4)
        groups = [pages[at : at + size] for at in range(0, len(pages), size)]
        hours = self.dice.choice((None, None, 4, 48))
        window = Window(self.now - timedelta(hours=hours), self.now + timedelta(seconds=1)) if hours else None
        for reader in self.readers:
            reader.read(groups, window)
        return f"{len(pages)} pages by {size}, the last {hours} hours"


@pytest.mark.parametrize("seeds", [range(begin, begin + 6) for begin in range(0, 18, 6)], ids=str)
def test_whether_known_pages_are_passed_by_changes_nothing(engine: Engine, seeds: range) -> None:
    passed_by = 0
    for seed in seeds:
        readers = [Reader(engine, f"{name}-{seed}", name == "passing") for name in ("passing", "thorough")]
        history = History(Random(seed), readers)
        for _ in range(STEPS):
            history.step()
            passing, thorough = (reader.look() for reader in readers)
            for name in LOOKS:
                assert passing[name] == thorough[name], f"{name}, history {seed}: {'; '.join(history.told)}"
        passed_by += readers[0].passed_by
        assert readers[1].passed_by == 0
    assert passed_by > 5 * len(seeds), "hardly a page was known, so that nothing was compared"
