"""A feed or a list, read slice by slice until as many ids have arrived as the API says there are."""

from collections.abc import Collection, Sequence
from functools import partial
from math import ceil
from typing import Any

from sqlalchemy import Connection

from etl.errors import ApiUnavailable
from etl.events import Note
from etl.extract.date_ranges import Days, days_of, is_open, is_short, parted
from etl.extract.date_ranges import slices as numbered
from etl.extract.reader import Reader
from etl.extract.run import Run
from etl.ledger import slices
from etl.ledger.batches import Part
from etl.ledger.slices import Reading, Slice
from etl.resources import resource as named

#: How often a slice is read before its total is taken to be wrong.
READINGS = 3
#: Pages that one transaction takes at most.
PAGES = 8


class TotalsDisagree(ApiUnavailable):
    """The API announces another number of records than it gives, however often it is asked."""


class BySlices:
    """The reading of one resource that is not asked for per parent."""

    def __init__(self, run: Run, part: Part) -> None:
        self.run = run
        self.part = part
        self.resource = named(part.resource)
        self.place: dict[str, Any] = {"batch_id": run.batch.id, "resource": part.resource}
        settings = run.settings
        most = run.limit or settings.etl_page_size
        size = min(most, settings.etl_page_size)
        pages = ceil(most / size) if run.limit else None
        self.reader = Reader(run.api, self.resource, size, run.ahead, most_pages=pages)
        shown = any(endpoint.dates and endpoint.dates.field for endpoint in self.resource.endpoints)
        self.window = part.window.widened(settings.etl_overlap) if shown else None

    def read(self, some: Collection[int] | None = None) -> bool:
        """Read every slice to its end, or those of some numbers; tell whether nothing is left for another run.

        Raises Refused where the API does not give the resource out, ApiUnavailable where answers stay away or totals
        never agree.
        """
        left = [one for one in self.planned() if some is None or one.number in some]
        while left:
            pages = self.run.ledger.read(partial(self.pages_read, some=left))
            produce = partial(self.reader.slices, some=left, read=pages)
            for _ in self.run.consume(self.part.resource, self.window, produce, PAGES):
                pass
            if self.run.limit is not None:
                return False
            left = self.verified(left)
        return True

    def planned(self) -> list[Slice]:
        """Return the slices still to be read, planning them when the resource is begun."""
        known = self.run.ledger.read(partial(slices.planned, **self.place))
        if known is not None:
            return known
        endpoints = enumerate(self.resource.endpoints)
        stretches = {place: self.stretches(place) for place, endpoint in endpoints if endpoint.dates}
        planned = list(numbered(self.resource, stretches))
        self.run.ledger.commit(partial(slices.plan, planned=planned, **self.place))
        return planned

    def stretches(self, place: int) -> list[Days]:
        """Return the days of the window, in pieces when they may hold many pages; a first look asks for one piece."""
        days = days_of(self.part.window, self.run.settings.etl_overlap, self.run.settings.etl_api_timezone)
        if self.run.limit is not None or is_short(days):
            return [days]
        ended, *others = parted(days, self.part.window.end)
        return [*self.run.wire.run(self.reader.stretches(place, ended)), *others]

    def pages_read(self, connection: Connection, some: Sequence[Slice]) -> dict[int, dict[int, int]]:
        """Return the pages that are already staged, by slice."""
        return {one.number: slices.pages_read(connection, one=one, **self.place) for one in some}

    def verified(self, read: Sequence[Slice]) -> list[Slice]:
        """Finish the slices whose totals agree and return the others, to be read anew.

        Raises ApiUnavailable when one still disagrees after READINGS readings.
        """
        found = self.run.ledger.read(partial(slices.readings, some=read, **self.place))
        agreed = [one for one in found if self.agrees(one)]
        self.run.ledger.commit(partial(slices.finish, agreed=agreed, **self.place))
        rest = [one for one in found if one not in agreed]
        for one in rest:
            said = f"the API announced {one.total} records and gave {one.distinct}"
            if one.slice.reading % READINGS == 0:
                raise TotalsDisagree(f"{said}, {READINGS} times over. What came is loaded; the mark stays.")
            self.run.watch(Note(f"{self.resource.name}: {said}; reading those days anew"))
        return self.run.ledger.commit(partial(slices.read_anew, some=[one.slice for one in rest], **self.place))

    def agrees(self, reading: Reading) -> bool:
        """Tell whether a slice is whole.

        The total of a day that has not ended may move on while it is read; what came since the reading began belongs
        to the next window. One that never moves and never agrees is wrong.
        """
        if reading.agrees:
            return True
        tried_enough = reading.slice.reading % READINGS == 0
        moves = reading.moved and is_open(reading.slice, self.part.window.end)
        return tried_enough and moves and reading.union >= (reading.least or 0)
