"""Plans the readings of a feed or a list, slice by slice, until as many ids have arrived as the API reports."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import partial
from math import ceil

from sqlalchemy import Connection

from etl.errors import PageSizeRefused, RangeTooLong, TotalMismatch
from etl.events import Message
from etl.extract.date_ranges import (
    DateRange,
    RangeLimits,
    date_range_of,
    days_of,
    has_unfinished_day,
    is_short,
    split_ended_days,
)
from etl.extract.date_ranges import make_slices as numbered
from etl.extract.page_size import next_smaller_size
from etl.extract.reader import ResourceReader
from etl.extract.run import ExtractRun, Fetch
from etl.extract.source_tenant import read_source_tenant
from etl.ledger import slices
from etl.ledger.account.list_limits import ListKey, read_list_limits, write_days, write_page_size
from etl.ledger.batches import BatchResource, BatchResourceKey
from etl.ledger.slice_changes import MAX_READINGS, continue_readings, split_slice
from etl.ledger.slices import Slice, SliceReading
from etl.ledger.staging.step_back import find_slices_to_confirm
from etl.resources import find_resource


@dataclass(frozen=True, slots=True)
class Reading:
    """Slices that are read together, and what fetches their pages."""

    slices: Sequence[Slice]
    fetch: Fetch


class ListReader:
    """The readings of one resource that is not read per parent: each is written before the next begins."""

    def __init__(self, run: ExtractRun, batch_resource: BatchResource) -> None:
        self.run = run
        self.batch_resource = batch_resource
        self.resource = find_resource(batch_resource.resource)
        self.batch_key = BatchResourceKey(batch_id=run.batch.id, resource=batch_resource.resource)
        options = run.options
        self.list_key = ListKey(tenant=run.ledger.tenant, resource=batch_resource.resource)
        limits = run.ledger.read(partial(read_list_limits, requested_size=options.page_size, **self.list_key))
        self.accepted_size: int | None = None  #: smaller than requested, and not stored yet
        self.numbers: Collection[int] | None = None  #: of the slices to read; None: all
        self.is_probing = False  #: whether the first slice shows which length of a date range is answered
        self.reader = ResourceReader(run.api, self.resource, options.page_size, run.prefetch)
        self.reader.limits = RangeLimits(limits.answered_days, limits.failed_days)
        self.set_page_size(limits.page_size or options.page_size)
        shows_dates = any(endpoint.dates and endpoint.dates.shown for endpoint in self.resource.endpoints)
        self.confirms = False  #: whether slices are read again to confirm older versions
        self.window = batch_resource.window.widened(options.overlap) if shows_dates else None

    def set_page_size(self, largest: int) -> None:
        """Read pages of this size, or of fewer records where a trial run is limited to fewer."""
        most_records = self.run.limit or largest
        self.reader.page_size = min(most_records, largest)
        self.reader.first_pages.clear()
        self.reader.max_pages = ceil(most_records / self.reader.page_size) if self.run.limit else None

    def start(self, numbers: Collection[int] | None) -> list[Slice]:
        """Return the slices to read: all that are left, or only those in `numbers`."""
        self.numbers = numbers
        if self.reader.is_shared:
            self.reader.source_tenant = self.run.ledger.read(partial(read_source_tenant, tenant=self.run.ledger.tenant))
        return [date_slice for date_slice in self.slices_to_read() if numbers is None or date_slice.is_in(numbers)]

    def begin_reading(self, unread: Sequence[Slice]) -> Reading:
        """Return the next reading of slices, without the pages that are already staged."""
        paged = [index for index, endpoint in enumerate(self.resource.endpoints) if endpoint.paging]
        continued = self.run.ledger.commit(
            partial(continue_readings, slices_to_read=unread, size=self.reader.page_size, paged=paged, **self.batch_key)
        )
        wanted = continued[:1] if self.is_probing else continued
        pages = {date_slice.number: staged for date_slice, staged in wanted}
        fetch = partial(self.reader.read_slices, date_slices=[date_slice for date_slice, _ in wanted], read=pages)
        return Reading([date_slice for date_slice, _ in continued], fetch)

    def adapt(self, reading: Reading, failure: PageSizeRefused | RangeTooLong) -> list[Slice]:
        """Ask for less at once after a failure, and return the slices that are left to read."""
        if isinstance(failure, RangeTooLong):
            return self.split_slices(reading.slices, failure)
        self.use_smaller_size(failure)
        return list(reading.slices)

    def end_reading(self, reading: Reading) -> list[Slice]:
        """Record a reading that reached its end, and return the slices that are to be read after it."""
        if self.is_probing:
            self.is_probing = False
            return self.split_too_long(reading.slices)
        self.save_limits()
        if self.run.limit is not None:
            return []
        return self.verify_totals(reading.slices) or self.slices_to_confirm()

    def use_smaller_size(self, refused: PageSizeRefused) -> None:
        """Read smaller pages from now on; raise the API's refusal if there is no smaller size."""
        self.accepted_size = next_smaller_size(min(refused.size, self.reader.page_size))
        if self.accepted_size is None:
            raise refused.refusal
        self.run.watch(Message(f"{self.resource.name}: {refused.refusal} Trying {self.accepted_size} records a page"))
        self.set_page_size(self.accepted_size)

    def split_slices(self, unread: Sequence[Slice], failure: RangeTooLong) -> list[Slice]:
        """Split the slices at whose length the server fails; return all slices that are left to read.

        Until a shorter range is answered, only one slice is split, and its first part is read by itself: if the server
        is down, it answers no range, and the other slices stay as they are.
        """
        limits = self.reader.limits
        limits.record_failure(failure.days)
        self.run.watch(Message(f"{self.resource.name}: no answer for {failure.days} days; reading fewer days at once"))
        self.is_probing = limits.answered is None
        if not self.is_probing:
            return self.split_too_long(unread)
        too_long = next(unread_slice for unread_slice in unread if unread_slice.days == failure.days)
        others = [unread_slice for unread_slice in unread if unread_slice != too_long]
        return [*self.split_too_long([too_long]), *others]

    def split_too_long(self, unread: Sequence[Slice]) -> list[Slice]:
        """Return slices with those split that are as long as a range at which the server failed."""
        remaining: list[Slice] = []
        for unread_slice in unread:
            ranges = self.reader.limits.split(days_of(unread_slice)) if unread_slice.days else []
            if len(ranges) <= 1:
                remaining.append(unread_slice)
                continue
            days = [(part.first, part.last) for part in ranges]
            split = partial(split_slice, date_slice=unread_slice, ranges=days, **self.batch_key)
            remaining += self.run.ledger.commit(split)
        return remaining

    def save_limits(self) -> None:
        """Store what this run learned of the page size and of the length of date ranges; a dry run stores nothing."""
        if self.run.is_dry:
            return
        if self.accepted_size is not None:
            requested, accepted = self.run.options.page_size, self.accepted_size
            self.run.ledger.commit(
                partial(write_page_size, requested_size=requested, page_size=accepted, **self.list_key)
            )
            self.accepted_size = None
        limits = self.reader.limits
        if limits.is_new and limits.answered is not None:
            self.run.ledger.commit(partial(write_days, answered=limits.answered, failed=limits.failed, **self.list_key))
            limits.is_new = False

    def slices_to_confirm(self) -> list[Slice]:
        """Return the slices of a full read to be read again: those that returned older versions than ours, once."""
        if not self.run.batch.options.get("full") or self.confirms:
            return []
        self.confirms = True
        tenant, batch_id = self.run.ledger.tenant, self.run.batch.id
        disputed = partial(find_slices_to_confirm, resource=self.resource, tenant=tenant, batch_id=batch_id)
        numbers = self.run.ledger.read(disputed)
        numbers = numbers if self.numbers is None else numbers.intersection(self.numbers)
        read_before = self.run.ledger.read(partial(slices.read_slices, numbers=numbers, **self.batch_key))
        return self.run.ledger.commit(partial(slices.start_new_readings, slices_to_read=read_before, **self.batch_key))

    def slices_to_read(self) -> list[Slice]:
        """Return the slices still to be read; plan them when the resource starts."""
        planned_before = self.run.ledger.read(partial(slices.read_open_slices, **self.batch_key))
        if planned_before is not None:
            return planned_before
        endpoints = enumerate(self.resource.endpoints)
        ranges = {index: self.date_ranges_of(index) for index, endpoint in endpoints if endpoint.dates}
        self.save_limits()
        planned = list(numbered(self.resource, ranges))
        self.run.ledger.commit(partial(slices.write_slices, planned_slices=planned, **self.batch_key))
        return planned

    def date_ranges_of(self, endpoint_index: int) -> list[DateRange]:
        """Return the date ranges of the window for an endpoint, split where they may hold many pages."""
        date_range = date_range_of(self.batch_resource.window, self.run.options.overlap, self.run.options.zone)
        if self.run.limit is not None or is_short(date_range):
            return self.reader.limits.split(date_range)
        ended, *others = split_ended_days(date_range, self.batch_resource.window.end)
        while True:
            try:
                return [*self.run.event_loop.run(self.reader.plan_date_ranges(endpoint_index, ended)), *others]
            except PageSizeRefused as refused:
                self.use_smaller_size(refused)

    def verify_totals(self, read: Sequence[Slice]) -> list[Slice]:
        """Finish the slices whose totals agree and return the others, to be read again.

        Raises TotalMismatch when a slice still disagrees after MAX_READINGS readings.
        """
        disagreeing, repeated = self.run.ledger.commit(partial(self.end_readings, read=read))
        for reading in disagreeing:
            if is_last_attempt(reading.slice):
                consequence = "They were loaded; the watermark was not advanced."
                raise TotalMismatch(f"The {reading.mismatch}, in {MAX_READINGS} attempts. {consequence}")
            self.run.watch(Message(f"{self.resource.name}: the {reading.mismatch}; reading these days again"))
        return repeated

    def end_readings(self, connection: Connection, read: Sequence[Slice]) -> tuple[list[SliceReading], list[Slice]]:
        """Finish the slices whose totals agree; return the readings that disagree, and the slices to be read again.

        After the last attempt of one of them, none is read again.
        """
        readings = slices.summarize_readings(connection, open_slices=read, **self.batch_key)
        agreed = [reading for reading in readings if self.is_complete(reading)]
        slices.finish_slices(connection, consistent_readings=agreed, **self.batch_key)
        disagreeing = [reading for reading in readings if reading not in agreed]
        repeated = [reading.slice for reading in disagreeing]
        if any(map(is_last_attempt, repeated)):
            return disagreeing, []
        return disagreeing, slices.start_new_readings(connection, slices_to_read=repeated, **self.batch_key)

    def is_complete(self, reading: SliceReading) -> bool:
        """Return whether a slice is complete.

        The total of a day that has not ended may change during the reading; records that arrived after the reading
        began belong to the next window. A total that never changes and never agrees is wrong.
        """
        if reading.is_consistent:
            return True
        tried_enough = is_last_attempt(reading.slice)
        may_change = reading.has_changed_total and has_unfinished_day(reading.slice, self.batch_resource.window.end)
        return tried_enough and may_change and reading.union >= (reading.min_total or 0)


def is_last_attempt(date_slice: Slice) -> bool:
    """Return whether a slice was read as often as a run reads it."""
    return date_slice.reading % MAX_READINGS == 0
