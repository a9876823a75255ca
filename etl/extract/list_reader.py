"""Reads a feed or a list slice by slice until as many ids have arrived as the API reports."""

from collections.abc import Collection, Sequence
from functools import partial
from math import ceil
from typing import Any

from sqlalchemy import Connection

from etl.errors import ApiUnavailable
from etl.events import Message
from etl.extract.date_ranges import DateRange, date_range_of, has_unfinished_day, is_short, split_ended_days
from etl.extract.date_ranges import make_slices as numbered
from etl.extract.reader import ResourceReader
from etl.extract.run import ExtractRun
from etl.extract.source_tenant import read_source_tenant
from etl.ledger import slices
from etl.ledger.batches import BatchResource
from etl.ledger.slices import Slice, SliceReading
from etl.ledger.staging.step_back import find_slices_to_confirm
from etl.resources import resource as named

#: How often a slice is read before its total is considered wrong.
MAX_READINGS = 3
#: Pages written in one transaction, at most.
PAGES_PER_GROUP = 8


class TotalMismatch(ApiUnavailable):
    """The API reports another number of records than it returns, in every attempt."""


class ListReader:
    """Reads one resource that is not read per parent."""

    def __init__(self, run: ExtractRun, batch_resource: BatchResource) -> None:
        self.run = run
        self.part = batch_resource
        self.resource = named(batch_resource.resource)
        self.batch_key: dict[str, Any] = {"batch_id": run.batch.id, "resource": batch_resource.resource}
        settings = run.settings
        most_records = run.limit or settings.etl_page_size
        size = min(most_records, settings.etl_page_size)
        pages = ceil(most_records / size) if run.limit else None
        self.reader = ResourceReader(run.api, self.resource, size, run.prefetch, max_pages=pages)
        shows_dates = any(endpoint.dates and endpoint.dates.field for endpoint in self.resource.endpoints)
        self.confirms = False  #: whether slices are read once more to confirm older versions
        self.window = batch_resource.window.widened(settings.etl_overlap) if shows_dates else None

    def read(self, numbers: Collection[int] | None = None) -> bool:
        """Read every slice to its end, or only those in `numbers`; return whether nothing is left for another run.

        Raises EndpointRefused when the API refuses the resource, ApiUnavailable when answers are missing or totals
        never agree.
        """
        if self.reader.is_shared:
            self.reader.source_tenant = self.run.ledger.read(partial(read_source_tenant, tenant=self.run.ledger.tenant))
        unread = [date_slice for date_slice in self.slices_to_read() if numbers is None or date_slice.number in numbers]
        while unread:
            pages = self.run.ledger.read(partial(self.pages_read, unread=unread))
            fetch = partial(self.reader.read_slices, date_slices=unread, read=pages)
            for _ in self.run.write_pages(self.part.resource, self.window, fetch, PAGES_PER_GROUP):
                pass
            if self.run.limit is not None:
                return False
            unread = self.verify_totals(unread) or self.slices_to_confirm(numbers)
        return True

    def slices_to_confirm(self, among: Collection[int] | None) -> list[Slice]:
        """Return the slices of a full read to be read once more: those that returned older versions than ours, once."""
        if not self.run.batch.options.get("full") or self.confirms:
            return []
        self.confirms = True
        key = {"resource": self.resource, "tenant": self.run.ledger.tenant, "batch_id": self.run.batch.id}
        numbers = self.run.ledger.read(partial(find_slices_to_confirm, **key))  # type: ignore[arg-type]
        numbers = numbers if among is None else numbers.intersection(among)
        read_before = self.run.ledger.read(partial(slices.read_slices, numbers=numbers, **self.batch_key))
        return self.run.ledger.commit(partial(slices.start_new_readings, slices_to_read=read_before, **self.batch_key))

    def slices_to_read(self) -> list[Slice]:
        """Return the slices still to be read; plan them when the resource starts."""
        planned_before = self.run.ledger.read(partial(slices.read_open_slices, **self.batch_key))
        if planned_before is not None:
            return planned_before
        endpoints = enumerate(self.resource.endpoints)
        ranges = {index: self.date_ranges_of(index) for index, endpoint in endpoints if endpoint.dates}
        planned = list(numbered(self.resource, ranges))
        self.run.ledger.commit(partial(slices.write_slices, planned_slices=planned, **self.batch_key))
        return planned

    def date_ranges_of(self, endpoint_index: int) -> list[DateRange]:
        """Return the date ranges of the window for an endpoint, split where they may hold many pages."""
        date_range = date_range_of(self.part.window, self.run.settings.etl_overlap, self.run.settings.etl_api_timezone)
        if self.run.limit is not None or is_short(date_range):
            return [date_range]
        ended, *others = split_ended_days(date_range, self.part.window.end)
        return [*self.run.event_loop.run(self.reader.plan_date_ranges(endpoint_index, ended)), *others]

    def pages_read(self, connection: Connection, unread: Sequence[Slice]) -> dict[int, dict[int, int]]:
        """Return the pages that are already staged, by slice."""
        return {
            date_slice.number: slices.read_page_sizes(connection, current_slice=date_slice, **self.batch_key)
            for date_slice in unread
        }

    def verify_totals(self, read: Sequence[Slice]) -> list[Slice]:
        """Finish the slices whose totals agree and return the others, to be read again.

        Raises TotalMismatch when a slice still disagrees after MAX_READINGS readings.
        """
        readings = self.run.ledger.read(partial(slices.summarize_readings, open_slices=read, **self.batch_key))
        agreed = [reading for reading in readings if self.is_complete(reading)]
        self.run.ledger.commit(partial(slices.finish_slices, consistent_readings=agreed, **self.batch_key))
        disagreeing = [reading for reading in readings if reading not in agreed]
        for reading in disagreeing:
            mismatch = f"API reported {reading.total} records but returned {reading.distinct}"
            if reading.slice.reading % MAX_READINGS == 0:
                consequence = "They were loaded; the watermark was not advanced."
                raise TotalMismatch(f"The {mismatch}, in {MAX_READINGS} attempts. {consequence}")
            self.run.watch(Message(f"{self.resource.name}: the {mismatch}; reading these days again"))
        repeated = [reading.slice for reading in disagreeing]
        return self.run.ledger.commit(partial(slices.start_new_readings, slices_to_read=repeated, **self.batch_key))

    def is_complete(self, reading: SliceReading) -> bool:
        """Return whether a slice is complete.

        The total of a day that has not ended may change during the reading; records that arrived after the reading
        began belong to the next window. A total that never changes and never agrees is wrong.
        """
        if reading.is_consistent:
            return True
        tried_enough = reading.slice.reading % MAX_READINGS == 0
        may_change = reading.has_changed_total and has_unfinished_day(reading.slice, self.part.window.end)
        return tried_enough and may_change and reading.union >= (reading.min_total or 0)
