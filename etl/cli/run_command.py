"""Run a pipeline from the command line: progress, stop request, summary, exit status."""

from collections.abc import Callable

from etl.cli.run_notifier import RunNotifier
from etl.cli.ui.progress import show_progress
from etl.cli.ui.signals import StopRequest
from etl.cli.ui.terminal import print_json
from etl.cli.views.deletion_preview import show_deletion_preview
from etl.cli.views.summary import show_summary, summary_to_json
from etl.errors import Interrupted
from etl.models.states import DRY_RECONCILE
from etl.pipeline import Summary, Watcher
from etl.status.format import format_number

#: Runs the pipeline and reports to a watcher.
RunPipeline = Callable[[Watcher], Summary]
#: Prints the summary of a run.
WriteSummary = Callable[[Summary], None]


def run_with_progress(
    run_pipeline: RunPipeline,
    stop_request: StopRequest,
    total: int,
    write_summary: WriteSummary = show_summary,
    *,
    max_minutes: float | None = None,
    notifier: RunNotifier | None = None,
) -> Summary:
    """Run the pipeline over `total` resources, print the summary, notify, and return the summary.

    Raises Interrupted with the reason, after a stop request or at the time limit.
    """
    try:
        with stop_request.limit_time(max_minutes) as stop, show_progress(total) as watch:
            summary = run_pipeline(Watcher(watch, stop))
    except Exception as error:
        if notifier is not None and not stop_request.by_signal:
            notifier.notify_end(error)
        if isinstance(error, Interrupted):
            raise Interrupted(describe_interruption(stop_request, max_minutes)) from None
        raise
    write_summary(summary)
    is_dry = summary.batch.command == DRY_RECONCILE  # it says nothing about how the syncs are
    if notifier is not None and not stop_request.by_signal and not is_dry:
        notifier.notify_end(succeeded=summary.exit_status == 0)
    return summary


def choose_summary_writer(*, as_json: bool) -> WriteSummary:
    """Return the function that prints the summary, as text or as JSON."""
    return print_json_summary if as_json else show_summary_of_kind


def show_summary_of_kind(summary: Summary) -> None:
    """Print the summary of a run that wrote records, or of a dry run that compared them."""
    show = show_deletion_preview if summary.batch.command == DRY_RECONCILE else show_summary
    show(summary)


def print_json_summary(summary: Summary) -> None:
    """Print the summary of a run as JSON."""
    print_json(summary_to_json(summary))


def describe_interruption(stop_request: StopRequest, minutes: float | None) -> str:
    """Return why a run was stopped, and how to resume it."""
    if stop_request.timed_out and minutes is not None and not stop_request.by_signal:
        limit = format_number(round(minutes)) if minutes >= 1 else f"{minutes:g}"
        return f"Stopped after the {limit}-minute limit. Progress is saved; the next `qqetl sync` resumes from here."
    return f"Stopped on request. Progress is saved; {stop_request.resumed_by} resumes from here."
