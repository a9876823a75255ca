"""What a run has come to while it goes on, resource by resource: counted from events, without a screen."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from etl.cli.ui.format import counted, length, number, pace
from etl.events import Advanced, Began, Ended
from etl.models.states import ResourceState

#: What a resource's end is called where it is not `done`.
ENDS = {ResourceState.NOT_OFFERED.value: "not offered by this account", ResourceState.FAILED.value: "failed"}


@dataclass
class Tally:
    """How far one resource is; times are of a monotonic clock, in seconds."""

    resource: str
    began_at: float
    records: int = 0
    pages: int = 0
    announced: int = 0  #: records, as the API says
    calls: int | None = None  #: foreseen; None where records are the better measure

    def take(self, event: Began | Advanced) -> None:
        """Add what an event tells."""
        if isinstance(event, Began):
            self.calls = event.calls if event.calls is not None else self.calls
            self.announced = max(self.announced, event.records or 0)
            return
        self.records += event.records
        self.pages += event.pages
        self.announced = max(self.announced, event.announced or 0)

    @property
    def done(self) -> int:
        """How much is done, in calls where they were foreseen, in records otherwise."""
        return self.records if self.calls is None else self.pages

    @property
    def total(self) -> int | None:
        """How much there is to do, in the same measure; None while nobody knows."""
        whole = self.announced if self.calls is None else self.calls
        return max(whole, self.done) or None

    def rate(self, now: float) -> float:
        """Return what is done in a second."""
        return self.done / max(now - self.began_at, 0.001)

    def left(self, now: float) -> float | None:
        """Return the seconds that the rest will take at this rate; None while there is nothing to go by."""
        if self.total is None or not self.done:
            return None
        return (self.total - self.done) / self.rate(now)

    def progress(self, now: float) -> str:
        """Return how far it is, in words."""
        what = "records" if self.calls is None else "calls"
        of = f" of {number(self.total)}" if self.total else ""
        words = [f"{number(self.done)}{of} {what}"]
        if self.done:
            words.append(pace(self.rate(now)))
        if left := self.left(now):
            words.append(f"{length(left)} left")
        return ", ".join(words)


@dataclass
class Tallies:
    """The tallies of a run: of the resources at work, and of those that have ended."""

    now: float
    at_work: dict[str, Tally] = field(default_factory=dict)
    ended: int = 0
    records: int = 0
    began_at: float = field(init=False)

    def __post_init__(self) -> None:
        self.began_at = self.now

    def take(self, event: Began | Advanced, now: float) -> Tally:
        """Add what an event tells, and return the tally of its resource."""
        tally = self.at_work.setdefault(event.resource, Tally(event.resource, now))
        tally.take(event)
        self.records += event.records if isinstance(event, Advanced) else 0
        return tally

    def end(self, event: Ended, now: float) -> Tally:
        """Close the tally of a resource and return it."""
        self.ended += 1
        return self.at_work.pop(event.resource, Tally(event.resource, now))


def ending(event: Ended, tally: Tally, now: float) -> str:
    """Return how a resource ended, in words."""
    if event.state in ENDS:
        return ENDS[event.state] + (f": {event.error}" if event.error and event.state == ResourceState.FAILED else "")
    words = [counted(fetched(event.counts, tally), "record")]
    if tally.pages:
        words.append(counted(tally.pages, "call"))
    if findings := event.counts.get("findings"):
        words.append(counted(findings, "finding"))
    return ", ".join([*words, length(now - tally.began_at)])


def fetched(counts: Mapping[str, int], tally: Tally) -> int:
    """Return the records that a resource brought or that a step went over."""
    return counts.get("fetched", counts.get("cleaned", tally.records))
