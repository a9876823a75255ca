"""The work of the DAGs' tasks: thin calls of the pipeline, imported at run time so that DAG parsing is fast.

Tasks pass only ids to each other: of the batch and of slices.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from etl.dags.agencies import agencies_folder

if TYPE_CHECKING:
    from etl.config.settings import Settings
    from etl.errors import TaskDied
    from etl.events import Event
    from etl.pipeline import Summary
    from etl.pipeline.tasks import RunTask
    from etl.window import Window

log = logging.getLogger(__name__)

#: Seconds that the weekly reconcile waits for an hourly run to end.
FULL_READ_WAIT_SECONDS = 3600.0


def load_settings(agency: str | None) -> Settings:
    """Return the settings of an agency, or of the environment; raise SettingsError when they are invalid."""
    from etl.config.agency import load_agency_settings
    from etl.config.settings import Settings

    folder = agencies_folder()
    return Settings.load() if agency is None or folder is None else load_agency_settings(folder / agency)


@contextmanager
def open_task(agency: str | None, run: str) -> Iterator[RunTask]:
    """Yield the context of a task; an error is reported as the settings say, and raised."""
    from etl.database.connect import make_engine
    from etl.database.resolve import resolve_database
    from etl.ledger.transaction import Ledger
    from etl.notifications import after_run
    from etl.pipeline import Watcher
    from etl.pipeline.tasks import RunTask

    settings = load_settings(agency)
    with resolve_database(settings) as url:
        engine = make_engine(url, application_name="qqetl task")
        try:
            yield RunTask(engine, settings, run, Watcher(log_event))
        except Exception as error:
            after_run(Ledger(engine, settings.etl_tenant), settings, error)
            raise
        finally:
            engine.dispose()


def log_event(event: Event) -> None:
    """Write an event to the task's log."""
    from etl.events import Advanced, Finished, Message

    match event:
        case Message(text):
            log.info(text)
        case Advanced():
            log.info("%s: %d records in %d pages", event.resource, event.records, event.pages)
        case Finished():
            log.info("%s: %s%s", event.resource, event.state, f" ({event.error})" if event.error else "")


def start_batch(agency: str | None, run: str, params: Mapping[str, Any], *, full: bool) -> str | None:
    """Create the batch of a run and return its id, None while another run is active, which is not an error.

    A full run waits up to an hour for the other run to end. `params` has the keys from, to and resources.
    """
    from etl.errors import LeaseHeld
    from etl.pipeline.tasks import begin_run

    window = requested_window(params)
    with open_task(agency, run) as task:
        options = run_options(params, task.settings, full=full)
        try:
            return str(begin_run(task, window, options, wait_seconds=FULL_READ_WAIT_SECONDS if full else 0.0))
        except LeaseHeld as error:
            log.warning("%s", error)
            return None


def requested_window(params: Mapping[str, Any]) -> Window | None:
    """Return the requested window, None to resume where each resource is complete."""
    from etl.errors import UsageError
    from etl.window import Window

    start, end = params.get("from"), params.get("to")
    if end and not start:
        raise UsageError("`to` requires `from`; without both, a run resumes where each resource is complete.")
    return Window.of({"start_date": start, "end_date": end or datetime.now(UTC)}) if start else None


def run_options(params: Mapping[str, Any], settings: Any, *, full: bool) -> Any:
    """Return the options of a run; a full run covers only resources that are read as one list."""
    from etl.pipeline import Options
    from etl.pipeline.reconcile import select_reconcilable

    names = tuple(params.get("resources") or ())
    if not full:
        return Options(names)
    return Options(select_reconcilable(names, settings), full=True, command="reconcile")


def plan_chunks(agency: str | None, run: str, batch: str, level: int) -> list[Any]:
    """Return the ids of the chunks of a dependency level."""
    from etl.pipeline.tasks import plan_level

    with open_task(agency, run) as task:
        return [chunk.to_json() for chunk in plan_level(task, UUID(batch), level)]


def process_chunk(agency: str | None, run: str, batch: str, chunk: Sequence[Any]) -> None:
    """Read, clean and load the unread part of a chunk."""
    from etl.pipeline.task_chunks import Chunk
    from etl.pipeline.tasks import read_chunk

    with open_task(agency, run) as task:
        read_chunk(task, UUID(batch), Chunk.from_json(chunk))


def chunk_label(chunk: Sequence[Any]) -> str:
    """Return the label of a chunk."""
    from etl.pipeline.task_chunks import Chunk

    return str(Chunk.from_json(chunk))


def close_batch(agency: str | None, run: str, batch: str) -> tuple[str, Summary]:
    """Close the batch of a run, send notifications, and return the tenant and the summary."""
    from etl.notifications import after_run
    from etl.pipeline.tasks import close_run

    with open_task(agency, run) as task:
        summary = close_run(task, UUID(batch))
        after_run(task.ledger_without_lease, task.settings, unread_error(summary), whole=summary.exit_status == 0)
        return task.tenant, summary


def unread_error(summary: Summary) -> TaskDied | None:
    """Return the error of a run that left resources unread because tasks died, None if everything was read."""
    from etl.errors import TaskDied
    from etl.status.format import join_words

    names = [part.resource for part in summary.parts if part.is_unread]
    return TaskDied(f"Not fully read: {join_words(names)}. The next run resumes there.") if names else None


def report_dead_run(agency: str | None, run: str, task_id: str) -> None:
    """Release the lease of a run that failed because a task died on every attempt, and send a notification.

    No notification is sent if the reason of the failed run is known already.
    """
    from etl.errors import TaskDied
    from etl.notifications import after_run

    with open_task(agency, run) as task:
        task.release_lease()
        batch = task.find_batch()
        saved = f" The data read so far is saved in batch {str(batch.id)[:8]}." if batch else ""
        error = TaskDied(
            f"Task `{task_id}` of {run} ended unexpectedly on every attempt.{saved} The next run resumes there."
        )
        after_run(task.ledger_without_lease, task.settings, error)


def failure_reason(agency: str | None, run: str, batch: str) -> str | None:
    """Return why a closed run failed, None when it succeeded."""
    from etl.models.states import BatchState

    with open_task(agency, run) as task:
        batch_record = task.load_batch(UUID(batch))
    return None if batch_record.status is BatchState.COMPLETED else batch_record.error or "a resource failed"


def count_written_rows(summary: Summary) -> dict[str, int]:
    """Return the tables that a run changed, with the number of rows written."""
    row_counts = {table: sum(counts.values()) - counts.get("unchanged", 0) for table, counts in summary.tables.items()}
    return {table: rows for table, rows in row_counts.items() if rows}
