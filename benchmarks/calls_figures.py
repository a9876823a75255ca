"""The figures of the benchmark of calls: what was counted and forecast in each of its parts."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from benchmarks.calls_book import SET, BookSize
from etl.call_estimate import Estimate


@dataclass
class Period:
    """What the simulator counted in a part of the benchmark."""

    label: str
    calls: Counter[str] = field(default_factory=Counter)  #: accepted, by kind
    refused: int = 0
    minutes: float = 0.0  #: in windows of the limit; 0: not measured
    useful_calls: int | None = None  #: calls that had been made when the database was useful
    useful_minutes: float | None = None
    current_calls: int = 0  #: calls that had been made when all details of what is current were read
    changed: int = 0  #: customers and policies that changed

    @property
    def accepted(self) -> int:
        """The number of accepted calls."""
        return self.calls.total()

    @property
    def used(self) -> float:
        """The share of the setting that was used."""
        return self.accepted / (SET * self.minutes) if self.minutes else 0.0


@dataclass(frozen=True)
class Life:
    """What the first sync of a book and the days afterwards took, and the forecasts of the first sync."""

    book: BookSize
    description: str
    first: Period
    days: Sequence[Period]
    idle: Period  #: a run without changes
    before: Mapping[str, Estimate]  #: the forecast before the first sync, by resource
    due: Mapping[str, int]  #: the calls for details that are due as soon as the lists are read, by resource


@dataclass(frozen=True)
class Useful:
    """How long a useful database took, in minutes of the limit."""

    page_size: int
    calls: int
    minutes: float  #: until offices, contacts, policies and billing were read
    minutes_without_billing: float
