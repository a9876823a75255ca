"""What a run reports to, and what stops it."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from etl.api.client import utc_now
from etl.events import Watch, ignore_event


@dataclass(frozen=True)
class Watcher:
    """A callback for progress, an event that requests a stop, and the clocks: of the time for details, and of days."""

    watch: Watch = ignore_event
    stop: threading.Event = field(default_factory=threading.Event)
    clock: Callable[[], float] = time.monotonic  #: limits the time for details
    now: Callable[[], datetime] = utc_now  #: the end of windows, as far as the API agrees
