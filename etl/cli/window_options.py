"""The window that a person asks for, from the moments given and those where earlier runs ended."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import partial

from etl.errors import WindowError
from etl.ledger import watermarks
from etl.ledger.transaction import Ledger
from etl.resources import selected
from etl.window import Window, instant


def window_asked(ledger: Ledger, start: str | None, end: str | None, resources: Sequence[str]) -> Window | None:
    """Return the window between two moments, of which either may be missing; None when both are.

    Without a start it begins where the selected resources are complete; without an end it reaches to now, which the
    API's clock decides. Raises WindowError for text that is no time, or a window that is empty or reversed.
    """
    if start is None and end is None:
        return None
    if start is None:
        return until(ledger, instant(end, "--to"), resources)
    first = instant(start, "--from")
    return Window(first, beyond(first) if end is None else instant(end, "--to"))


def window_or_all(ledger: Ledger, start: str | None, end: str | None, resources: Sequence[str]) -> Window:
    """Return the window asked for; when neither moment is given, from where the resources are complete to now."""
    asked = window_asked(ledger, start, end, resources)
    if asked is not None:
        return asked
    first = complete_until(ledger, resources)
    return Window(first, beyond(first))


def until(ledger: Ledger, end: datetime, resources: Sequence[str]) -> Window:
    """Return the window from where the resources are complete to an end."""
    first = complete_until(ledger, resources)
    if first >= end:
        raise WindowError(
            f"Everything before --to is complete already: the last run reached {first:%Y-%m-%dT%H:%M:%SZ}. "
            "Give --from to read an older stretch once more."
        )
    return Window(first, end)


def complete_until(ledger: Ledger, resources: Sequence[str]) -> datetime:
    """Return the moment up to which all the selected resources are complete."""
    return min(
        watermarks.next_start(ledger.read(partial(watermarks.complete, tenant=ledger.tenant, resource=one.name)))
        for one in selected(resources)
    )


def beyond(first: datetime) -> datetime:
    """Return an end that lies in the future of every clock, for the run to clip."""
    return max(first, datetime.now(UTC)) + timedelta(days=1)
