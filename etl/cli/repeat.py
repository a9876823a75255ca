"""Runs at regular times, until somebody asks for an end; only what a person has to see to ends the series."""

import time
from collections.abc import Callable
from datetime import timedelta

from etl.cli.ui.errors import failed
from etl.cli.ui.format import length
from etl.cli.ui.signals import Stopping
from etl.cli.ui.terminal import say
from etl.errors import LeaseHeld, PersonNeeded


def repeat(run: Callable[[], int], pause: timedelta, stopping: Stopping) -> int:
    """Run every `pause`, measured from start to start by a monotonic clock, and return the exit status of the end.

    A start that the run before it missed is left out. Asked to stop between two runs it returns 0; raises what a
    person has to see to.
    """
    due = time.monotonic()
    while not stopping.asked:
        if status := attempt(run, stopping):
            return status
        now = time.monotonic()
        while due <= now:
            due += pause.total_seconds()
        say(f"The next run begins in {length(due - now)}.", style="dim")
        stopping.event.wait(due - now)
    return 0


def attempt(run: Callable[[], int], stopping: Stopping) -> int:
    """Carry out one run and return 0, or the exit status when a signal cut it off."""
    try:
        run()
    except Exception as error:
        if isinstance(error, PersonNeeded) and not isinstance(error, LeaseHeld):
            raise
        status = failed(error)
        return status if stopping.asked else 0
    finally:
        if not stopping.asked:
            stopping.event.clear()
    return 0
