"""One run under the eyes of a person: progress, an end on request, the summary, the exit status."""

from collections.abc import Callable

from etl.cli.run_notifier import Attendant
from etl.cli.ui.format import counted
from etl.cli.ui.progress import watching
from etl.cli.ui.signals import Stopping
from etl.cli.ui.terminal import show_json
from etl.cli.views.summary import show_summary, summary_for_programs
from etl.errors import Interrupted
from etl.pipeline import Summary, Watcher

#: Carries a run out for whoever watches.
Carry = Callable[[Watcher], Summary]
#: Writes the summary of a run.
Tell = Callable[[Summary], None]


def run(
    carry: Carry,
    stopping: Stopping,
    total: int,
    tell: Tell = show_summary,
    *,
    minutes: float | None = None,
    attendant: Attendant | None = None,
) -> int:
    """Carry out a run over `total` resources, have its summary told and its end looked after; return its exit status.

    Raises Interrupted, with words that fit, when it was asked to stop or its minutes were over.
    """
    try:
        with stopping.within(minutes) as stop, watching(total) as watch:
            summary = carry(Watcher(watch, stop))
    except Exception as error:
        if attendant is not None and not stopping.asked:
            attendant.ended(error)
        if isinstance(error, Interrupted):
            raise Interrupted(why_ended(stopping, minutes)) from None
        raise
    tell(summary)
    if attendant is not None and not stopping.asked:
        attendant.ended(whole=summary.exit_status == 0)
    return summary.exit_status


def teller(*, as_json: bool) -> Tell:
    """Return what writes the summary of a run: for a person, or for a program."""
    return show_json_summary if as_json else show_summary


def show_json_summary(summary: Summary) -> None:
    """Write the summary of a run as JSON."""
    show_json(summary_for_programs(summary))


def why_ended(stopping: Stopping, minutes: float | None) -> str:
    """Return why a run ended before its time, and how it goes on."""
    if stopping.time_is_up and minutes is not None and not stopping.asked:
        took = counted(round(minutes), "minute") if minutes >= 1 else f"{minutes:g} minutes"
        return f"The {took} of this run are over. What came is kept; the next `qqetl sync` goes on from there."
    return "The run was asked to stop. What came is kept: `qqetl retry`, or the next `qqetl sync`, goes on from there."
