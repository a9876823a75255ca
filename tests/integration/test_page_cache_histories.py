"""Random histories of a feed, read with and without the page cache, end in equal rows, staging, findings and counts."""

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
from etl.ledger import batches
from etl.ledger.account import tenants
from etl.ledger.staging import full_scan, retention
from etl.models.states import BatchState
from etl.pipeline.erase.forget import erase_person
from etl.pipeline.reconcile import mark_missing_deleted
from etl.window import Window

STEPS, PAGE = 10, 3
#: Variants of a contact; some of them cause a finding.
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
    # A record that arrives twice in one batch is a duplicate or unchanged, depending on the transactions.
    "books": """
        SELECT part.pages, part.fetched, part.inserted, part.updated, part.unchanged + part.duplicate, part.older,
               part.outside_window, part.refused, part.no_row
        FROM etl.batch_resources AS part JOIN etl.batches AS batch ON batch.id = part.batch_id
        WHERE batch.tenant = :tenant ORDER BY batch.started_at, batch.id
    """,
}


@dataclass
class Reader:
    """An account that reads a history, with or without the page cache."""

    engine: Engine
    tenant: str
    uses_cache: bool
    cached_answers: int = 0
    scanned: list[UUID] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.account = Account(self.engine, self.tenant)
        self.commit(tenants.register_tenant, settings=self.account.settings)

    def commit(self, work: Any, **arguments: Any) -> Any:
        return self.account.ledger.commit(partial(work, **arguments))

    def read(self, groups: Sequence[Sequence[FetchedPage]], window: Window | None) -> None:
        """Write page groups as one batch, and complete the batch."""
        taker = self.account.writer(*[window] if window else [])
        with pytest.MonkeyPatch.context() as patch:
            if not self.uses_cache:
                patch.setattr(page_writer, "is_cacheable", lambda _: False)
            for pages in groups:
                known, rest = taker.skip_unchanged(self.account.group(pages, window))
                self.cached_answers += known.answers
                if rest is not None:
                    taker.write(rest)
        self.commit(batches.advance_batch, batch_id=taker.batch_id, state=BatchState.COMPLETED)

    def scan_without_records(self) -> None:
        """Run a full scan that returns no record."""
        taker = self.account.writer()
        batch = self.account.ledger.read(partial(batches.read_batch, batch_id=taker.batch_id))
        self.commit(mark_missing_deleted, resource=self.account.resource, batch=batch, excluded=())
        self.scanned.append(batch.id)

    def restore(self, index: int) -> None:
        """Undo a full scan."""
        if self.scanned:
            batch_id = self.scanned[index % len(self.scanned)]
            self.commit(
                full_scan.restore_missing, resource=self.account.resource, tenant=self.tenant, batch_id=batch_id
            )

    def forget(self, number: int) -> None:
        with suppress(UsageError):  # this contact never arrived
            self.commit(erase_person, tenant=self.tenant, contact=str(number), actor="a test")

    def purge(self) -> None:
        """Purge all request facts and superseded versions."""
        retention.purge_resource(self.account.ledger, self.account.resource, timedelta(0))

    def change_rules(self, strict: bool) -> None:
        self.account.more["etl_validation"] = "strict" if strict else "lenient"
        self.account.__post_init__()

    def look(self) -> dict[str, list[tuple[Any, ...]]]:
        """Return everything that must not depend on the page cache."""
        with self.engine.connect() as connection:
            bound = {"tenant": self.tenant}
            return {
                name: [tuple(row) for row in connection.execute(text(query), bound)] for name, query in LOOKS.items()
            }


@dataclass
class History:
    """Random events at the source and in the database; both readers get the same events."""

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
        """Cause an event at the source, sometimes an event in the database, then a reading."""
        self.now += timedelta(hours=1)
        self.before.append(dict(self.source))
        self.tell(self.dice.choice((self.edit, self.edit, self.edit_silently, self.add, self.revert, *[self.rest] * 3)))
        if self.dice.random() < 0.3:
            self.tell(
                self.dice.choice((self.scan_without_records, self.restore, self.forget, self.purge, self.change_rules))
            )
        self.tell(self.read)

    def tell(self, event: Any) -> None:
        self.told.append(f"{self.now:%H:%M} {event.__name__} {event() or ''}")

    def edit(self) -> None:
        for number in self.some():
            self.source[number] = (self.now, self.dice.choice(TEXTS))

    def edit_silently(self) -> None:
        """Change texts without a new time of change."""
        for number in self.some():
            self.source[number] = (self.source[number][0], self.dice.choice(TEXTS))

    def add(self) -> None:
        for number in range(len(self.source) + 1, len(self.source) + self.dice.randrange(2, 4)):
            self.source[number] = (self.now - timedelta(minutes=self.dice.randrange(300)), {})

    def revert(self) -> None:
        """Return to an earlier state of the source, as after a restored backup."""
        self.source = dict(self.dice.choice(self.before))

    def rest(self) -> None:
        """Do nothing."""

    def some(self) -> list[int]:
        return self.dice.sample(sorted(self.source), min(len(self.source), self.dice.randrange(1, 3)))

    def scan_without_records(self) -> None:
        for reader in self.readers:
            reader.scan_without_records()

    def restore(self) -> None:
        index = self.dice.randrange(9)
        for reader in self.readers:
            reader.restore(index)

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
        """Let both readers read the same pages in the same transactions, some pages twice, some empty."""
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
def test_the_page_cache_does_not_change_the_result(engine: Engine, seeds: range) -> None:
    cached_answers = 0
    for seed in seeds:
        readers = [Reader(engine, f"{name}-{seed}", name == "passing") for name in ("passing", "thorough")]
        history = History(Random(seed), readers)
        for _ in range(STEPS):
            history.step()
            passing, thorough = (reader.look() for reader in readers)
            for name in LOOKS:
                assert passing[name] == thorough[name], f"{name}, history {seed}: {'; '.join(history.told)}"
        cached_answers += readers[0].cached_answers
        assert readers[1].cached_answers == 0
    assert cached_answers > 5 * len(seeds), "too few pages were cached for a comparison"
