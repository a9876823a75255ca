"""Repeat runs at regular times until a stop request or an error that needs action."""

import time
from collections.abc import Callable
from datetime import timedelta

from etl.cli.ui.errors import report_error
from etl.cli.ui.signals import StopRequest
from etl.cli.ui.terminal import print_notice
from etl.errors import ActionRequired, LeaseHeld
from etl.status.format import format_duration


def repeat_run(run: Callable[[], object], pause: timedelta, stop_request: StopRequest) -> int:
    """Run every `pause`, measured from start to start by a monotonic clock, and return the exit status.

    A start that falls into a running run is skipped. Returns 0 if a stop request comes between two runs. Raises
    errors that need action.
    """
    next_start = time.monotonic()
    while not stop_request.by_signal:
        if status := try_once(run, stop_request):
            return status
        now = time.monotonic()
        while next_start <= now:
            next_start += pause.total_seconds()
        print_notice(f"Next run in {format_duration(next_start - now)}.", style="dim")
        stop_request.event.wait(next_start - now)
    return 0


def try_once(run: Callable[[], object], stop_request: StopRequest) -> int:
    """Run once and return 0, or the exit status if a signal interrupted the run."""
    try:
        run()
    except Exception as error:
        if isinstance(error, ActionRequired) and not isinstance(error, LeaseHeld):
            raise
        status = report_error(error)
        return status if stop_request.by_signal else 0
    finally:
        if not stop_request.by_signal:
            stop_request.event.clear()
    return 0
