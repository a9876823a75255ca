"""Window of a command, from its options and the watermarks."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import partial

from etl.errors import WindowError
from etl.ledger import watermarks
from etl.ledger.transaction import Ledger
from etl.window import Window, parse_instant

#: The times of `--from` and `--to`; None: not given.
Bounds = tuple[datetime | None, datetime | None]


def parse_bounds(start: str | None, end: str | None) -> Bounds:
    """Return the times of `--from` and `--to`, before a database is opened.

    Raises WindowError for an invalid time, and for an empty or reversed window.
    """
    first = None if start is None else parse_instant(start, "--from")
    last = None if end is None else parse_instant(end, "--to")
    if first is not None and last is not None:
        Window(first, last)
    return first, last


def find_window(ledger: Ledger, bounds: Bounds, resources: Sequence[str]) -> Window | None:
    """Return the window of `--from` and `--to`; None without both.

    Without `--from` it begins where the selected resources are complete; without `--to` it ends now, by the API's
    clock. Raises WindowError if nothing is left to read.
    """
    first, last = bounds
    if first is not None:
        return Window(first, last or future_end(first))
    return None if last is None else window_until(ledger, last, resources)


def find_window_or_default(ledger: Ledger, bounds: Bounds, resources: Sequence[str]) -> Window:
    """Return the window of `--from` and `--to`; by default from where the resources are complete until now."""
    window = find_window(ledger, bounds, resources)
    if window is not None:
        return window
    first = find_complete_until(ledger, resources)
    return Window(first, future_end(first))


def window_until(ledger: Ledger, end: datetime, resources: Sequence[str]) -> Window:
    """Return the window from where the resources are complete until an end."""
    first = find_complete_until(ledger, resources)
    if first >= end:
        raise WindowError(
            f"Nothing to read before --to: data is complete until {first:%Y-%m-%dT%H:%M:%SZ}. "
            "To read older data again, add --from."
        )
    return Window(first, end)


def find_complete_until(ledger: Ledger, resources: Sequence[str]) -> datetime:
    """Return the time until which all these resources are complete."""
    return min(
        watermarks.find_next_start(
            ledger.read(partial(watermarks.read_complete_windows, tenant=ledger.tenant, resource=resource))
        )
        for resource in resources
    )


def future_end(first: datetime) -> datetime:
    """Return an end in the future; the run limits it to the API's current time."""
    return max(first, datetime.now(UTC)) + timedelta(days=1)
