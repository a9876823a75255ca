"""Pages of made-up feeds, passed to the page writers of a sync as if fetched: whole histories without HTTP."""

from collections.abc import Iterable, Sequence
from copy import copy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Engine

import etl
from etl.api.protocol import Answer, Call, Page, page_call
from etl.catalogue.resource import Resource
from etl.config.settings import Settings
from etl.engine.answers import FetchedPage, to_fetched_page
from etl.engine.page_writer import PageGroup, PageWriter, WriteResult
from etl.ledger import batches
from etl.ledger.children.queue import RefreshAge
from etl.ledger.slices import Slice
from etl.ledger.transaction import Ledger
from etl.models.states import Outcome
from etl.pipeline.stream import Stream
from etl.reshape.rules import rules_version
from etl.resources import find_resource
from etl.window import Window

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
FOREVER = Window(datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))
#: The outcomes; each record has exactly one.
OUTCOMES = tuple(str(item) for item in Outcome)


def make_settings(tenant: str, **more: Any) -> Settings:
    """Return settings that access only a database."""
    return Settings(
        _env_file=None,
        database_url="postgresql://nowhere/none",
        qqcatalyst_client_id="demo",
        qqcatalyst_client_secret="demo-secret",
        qqcatalyst_username="demo",
        qqcatalyst_password="demo-password",
        etl_tenant=tenant,
        **more,
    )


def contact(number: int, at: datetime, **more: Any) -> bytes:
    """Return the JSON text of a contact as modified at a time."""
    when = at.replace(tzinfo=None).isoformat()
    facts = {"EntityID": number, "Status": "A", "DisplayName": f"No. {number}", "CreatedOn": "2020-01-01T00:00:00"}
    return msgspec.json.encode(facts | {"DateLastModified": when} | more)


def write_group(taker: PageWriter, group: PageGroup) -> WriteResult:
    """Write a page group as a worker thread does, and return the result."""
    unchanged, others = taker.skip_unchanged(group)
    return unchanged if others is None else taker.write(others).combine(unchanged)


@dataclass
class Account:
    """One tenant of a database, and the batches in which pages of its feeds are written."""

    engine: Engine
    tenant: str = "t"
    resource: Resource = field(default_factory=lambda: find_resource("contacts"))
    more: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.settings = make_settings(self.tenant, **self.more)
        self.ledger = Ledger(self.engine, self.tenant)
        self.stream: Stream | None = None  # compiled for the first batch

    def writer(self, window: Window = FOREVER) -> PageWriter:
        """Begin a batch and return its page writer."""
        batch = batches.build_batch(self.tenant, window, rules_version(self.settings.cleaning), "sync", {})
        parts = {self.resource.name: window}
        self.ledger.commit(lambda connection: batches.create_batch(connection, batch, parts, etl.__version__))
        stream = (
            copy(self.stream) if self.stream else Stream(self.settings.cleaning, self.settings.etl_overlap, batch, {})
        )
        self.stream = stream
        stream.batch, stream.windows = batch, {self.resource.name: window}
        zone, age = self.settings.etl_api_timezone, RefreshAge(*self.settings.refresh_ages)
        return PageWriter(self.ledger, batch.id, zone, stream.rules, stream.process_records, age)

    def page(self, items: Iterable[bytes], at: datetime = NOON, number: int = 1) -> FetchedPage:
        """Return a page of these items, requested at a time."""
        item = Slice(0, 0, at.date() - timedelta(days=1), at.date())
        call: Call = page_call(self.resource, self.resource.endpoints[0], item.first_day, item.last_day, number, 500)
        records = list(items)
        body = b'{"Data":[' + b",".join(records) + b"]}"
        answer = Answer(200, {}, body, Page(records, len(records)), 1.0, 1, at, at)
        return to_fetched_page(call, answer, item, None)

    def group(self, pages: Sequence[FetchedPage], window: Window | None = None) -> PageGroup:
        """Return pages as the page group of one transaction."""
        return PageGroup(self.resource.name, pages, window)

    def write(self, *pages: FetchedPage, window: Window | None = None) -> tuple[UUID, WriteResult]:
        """Write pages as a batch of their own; return the batch and the result."""
        taker = self.writer(window or FOREVER)
        return taker.batch_id, write_group(taker, self.group(pages, window))
