"""What a run tells whoever watches it: a resource begins, a group of pages is committed, a resource ends."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Event as Flag

from etl.errors import Interrupted


@dataclass(frozen=True, slots=True)
class Started:
    """A resource begins; `calls` is how many are foreseen, None while nobody knows."""

    step: str  #: extract, transform, load or sync
    resource: str
    records: int | None = None  #: as the API announced them
    calls: int | None = None


@dataclass(frozen=True, slots=True)
class Advanced:
    """Pages were committed; all numbers are what this step added."""

    step: str
    resource: str
    pages: int
    records: int
    announced: int | None = None  #: records that the API has announced so far, when it said so


@dataclass(frozen=True, slots=True)
class Finished:
    """A resource has ended in a state, with its counts by outcome."""

    step: str
    resource: str
    state: str
    counts: Mapping[str, int] = field(default_factory=dict)
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """Something worth a line: a wait that the API asked for, a slice read anew, a backlog."""

    text: str


Event = Started | Advanced | Finished | Message
Watch = Callable[[Event], None]


def ignore_event(event: Event) -> None:
    """Let an event pass: nobody watches."""


def stop_when_set(stop: Flag | None, watch: Watch) -> Watch:
    """Return a watch that ends a step, by Interrupted, at the first event after `stop` was set."""

    def told(event: Event) -> None:
        watch(event)
        if stop is not None and stop.is_set():
            raise Interrupted

    return told
