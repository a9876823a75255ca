"""What a run reports to, and what stops it."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from etl.events import Watch, ignore_event


@dataclass(frozen=True)
class Watcher:
    """A callback for progress, an event that requests a stop, and the clock that limits the time for details."""

    watch: Watch = ignore_event
    stop: threading.Event = field(default_factory=threading.Event)
    clock: Callable[[], float] = time.monotonic
