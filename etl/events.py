"""Progress events of a run: a resource starts, a page group is committed, a resource finishes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Event as Flag

from etl.errors import Interrupted


@dataclass(frozen=True, slots=True)
class Planned:
    """A batch is run or resumed: the number of its resources, and of those that have ended already."""

    resources: int
    ended: int = 0


@dataclass(frozen=True, slots=True)
class Started:
    """A resource starts. `calls` is the expected number of calls, None if it is unknown."""

    step: str  #: extract, transform, load or sync
    resource: str
    records: int | None = None  #: total reported by the API
    calls: int | None = None


@dataclass(frozen=True, slots=True)
class Advanced:
    """Pages were committed. All numbers are increments."""

    step: str
    resource: str
    pages: int
    records: int
    announced: int | None = None  #: total reported by the API so far, if it reported one


@dataclass(frozen=True, slots=True)
class Finished:
    """A resource finished in a state, with its counts by outcome."""

    step: str
    resource: str
    state: str
    counts: Mapping[str, int] = field(default_factory=dict)
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """A message to show: a wait for the API, a slice that is read again, a backlog."""

    text: str


Event = Planned | Started | Advanced | Finished | Message
Watch = Callable[[Event], None]


def ignore_event(event: Event) -> None:
    """Ignore an event."""


def stop_when_set(stop: Flag | None, watch: Watch) -> Watch:
    """Return a watch that raises Interrupted at the first event after `stop` is set."""

    def watch_until_stopped(event: Event) -> None:
        watch(event)
        if stop is not None and stop.is_set():
            raise Interrupted

    return watch_until_stopped
