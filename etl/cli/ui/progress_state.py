"""Progress of a run per resource, counted from events."""

from dataclasses import dataclass, field

from etl.events import Advanced, Finished, Planned, Started
from etl.models.states import ResourceState
from etl.status.format import format_count, format_duration, format_number, format_rate

#: Texts of the states other than `done`.
STATE_TEXTS = {ResourceState.NOT_OFFERED.value: "not offered by this account", ResourceState.FAILED.value: "failed"}


@dataclass
class ResourceProgress:
    """Progress of one resource; times are seconds of a monotonic clock."""

    resource: str
    began_at: float
    records: int = 0
    pages: int = 0
    announced: int = 0  #: records that the API reported
    expected_calls: int | None = None  #: None if progress is measured in records

    def add(self, event: Started | Advanced) -> None:
        """Add the counts of an event."""
        if isinstance(event, Started):
            self.expected_calls = event.calls if event.calls is not None else self.expected_calls
            self.announced = max(self.announced, event.records or 0)
            return
        self.records += event.records
        self.pages += event.pages
        self.announced = max(self.announced, event.announced or 0)

    @property
    def done(self) -> int:
        """Calls or records done."""
        return self.records if self.expected_calls is None else self.pages

    @property
    def total(self) -> int | None:
        """Calls or records in total; None while unknown."""
        expected = self.announced if self.expected_calls is None else self.expected_calls
        return max(expected, self.done) or None

    def rate(self, now: float) -> float:
        """Return the calls or records per second."""
        return self.done / max(now - self.began_at, 0.001)

    def seconds_left(self, now: float) -> float | None:
        """Return the seconds left at the current rate; None while unknown."""
        if self.total is None or not self.done:
            return None
        return (self.total - self.done) / self.rate(now)

    def describe(self, now: float) -> str:
        """Return the progress as text."""
        unit = "records" if self.expected_calls is None else "calls"
        total = f" of {format_number(self.total)}" if self.total else ""
        parts = [f"{format_number(self.done)}{total} {unit}"]
        if self.done:
            parts.append(format_rate(self.rate(now)))
        if seconds := self.seconds_left(now):
            parts.append(f"{format_duration(seconds)} left")
        return ", ".join(parts)


@dataclass
class RunProgress:
    """Progress of a run: running resources, and totals."""

    now: float
    running: dict[str, ResourceProgress] = field(default_factory=dict)
    total: int = 0  #: resources of the batch
    finished: int = 0
    records: int = 0
    began_at: float = field(init=False)

    def __post_init__(self) -> None:
        self.began_at = self.now

    def plan(self, event: Planned) -> None:
        """Start a batch, or resume one of which some resources have ended already."""
        self.total, self.finished = event.resources, event.ended

    def describe(self, now: float) -> str:
        """Return the progress of all resources as text."""
        records, elapsed = format_count(self.records, "record"), format_duration(now - self.began_at)
        return f"{self.finished} of {self.total} done, {records}, {elapsed}"

    def add(self, event: Started | Advanced, now: float) -> ResourceProgress:
        """Add the counts of an event, and return the progress of its resource."""
        progress = self.running.setdefault(event.resource, ResourceProgress(event.resource, now))
        progress.add(event)
        self.records += event.records if isinstance(event, Advanced) else 0
        return progress

    def finish(self, event: Finished, now: float) -> ResourceProgress:
        """Remove a finished resource and return its progress."""
        self.finished += 1
        return self.running.pop(event.resource, ResourceProgress(event.resource, now))


def describe_end(event: Finished, progress: ResourceProgress, now: float) -> str:
    """Return the result of a resource as text."""
    if event.state in STATE_TEXTS:
        return STATE_TEXTS[event.state] + (
            f": {event.error}" if event.error and event.state == ResourceState.FAILED else ""
        )
    parts = [format_count(event.counts.get("fetched", event.counts.get("cleaned", progress.records)), "record")]
    if progress.pages:
        parts.append(format_count(progress.pages, "call"))
    if findings := event.counts.get("findings"):
        parts.append(format_count(findings, "finding"))
    return ", ".join([*parts, format_duration(now - progress.began_at)])
