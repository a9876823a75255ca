"""What the tasks of the DAGs do: thin calls of the pipeline, with imports when they run, for parsing has to be quick.

What travels between tasks is ids alone: of the batch, and of slices.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from etl.dags.agencies import folder

if TYPE_CHECKING:
    from etl.config.settings import Settings
    from etl.errors import TaskDied
    from etl.events import Event
    from etl.pipeline import Summary
    from etl.pipeline.tasks import RunTask
    from etl.window import Window

log = logging.getLogger(__name__)

#: Seconds for which the weekly reading waits for an hourly run to end.
PATIENCE_OF_FULL = 3600.0


def settings_for(agency: str | None) -> Settings:
    """Return the settings of an agency, or of the environment; raise SettingsError when they do not do."""
    from etl.config.agency import load_agency_settings
    from etl.config.settings import Settings

    home = folder()
    return Settings.load() if agency is None or home is None else load_agency_settings(home / agency)


@contextmanager
def at_work(agency: str | None, run: str) -> Iterator[RunTask]:
    """Give where a task works; what it fails at is told as the settings say, and raised."""
    from etl.database.connect import make_engine
    from etl.database.resolve import resolve_database
    from etl.ledger.transaction import Ledger
    from etl.notifications import after_run
    from etl.pipeline import Watcher
    from etl.pipeline.tasks import RunTask

    settings = settings_for(agency)
    with resolve_database(settings) as url:
        engine = make_engine(url, application_name="qqetl task")
        try:
            yield RunTask(engine, settings, run, Watcher(tell))
        except Exception as error:
            after_run(Ledger(engine, settings.etl_tenant), settings, error)
            raise
        finally:
            engine.dispose()


def tell(event: Event) -> None:
    """Write into the task's log what happens."""
    from etl.events import Advanced, Finished, Message

    match event:
        case Message(text):
            log.info(text)
        case Advanced():
            log.info("%s: %d records in %d answers", event.resource, event.records, event.pages)
        case Finished():
            log.info("%s: %s%s", event.resource, event.state, f" ({event.error})" if event.error else "")


def begin(agency: str | None, run: str, asked: Mapping[str, Any], *, full: bool) -> str | None:
    """Give a run its batch and return the batch's id; None while another run is at work, which is no fault.

    A full reading waits for the other run's end, up to an hour. `asked` holds from, to and resources.
    """
    from etl.errors import LeaseHeld
    from etl.pipeline.tasks import begin_run

    window, options = window_of(asked), options_for(asked, full=full)
    with at_work(agency, run) as task:
        try:
            return str(begin_run(task, window, options, patience=PATIENCE_OF_FULL if full else 0.0))
        except LeaseHeld as held:
            log.warning("%s", held)
            return None


def window_of(asked: Mapping[str, Any]) -> Window | None:
    """Return the window that a person asked for, None to go on from where each resource is complete."""
    from etl.errors import UsageError
    from etl.window import Window

    start, end = asked.get("from"), asked.get("to")
    if end and not start:
        raise UsageError("`to` needs `from`; without both, a run goes on from where each resource is complete.")
    return Window.of({"start_date": start, "end_date": end or datetime.now(UTC)}) if start else None


def options_for(asked: Mapping[str, Any], *, full: bool) -> Any:
    """Return what a run is to do; a full reading is over what is read as one list, for nothing else needs it."""
    from etl.pipeline import Options
    from etl.pipeline.reconcile import select_reconcilable

    names = tuple(asked.get("resources") or ())
    if not full:
        return Options(names)
    return Options(tuple(one.name for one in select_reconcilable(names)), full=True, command="reconcile")


def plan(agency: str | None, run: str, batch: str, wave: int) -> list[Any]:
    """Return the ids of the pieces of a wave."""
    from etl.pipeline.tasks import plan_level

    with at_work(agency, run) as task:
        return [piece.to_json() for piece in plan_level(task, UUID(batch), wave)]


def read(agency: str | None, run: str, batch: str, piece: Sequence[Any]) -> None:
    """Read, clean and load what is left of a piece."""
    from etl.pipeline.task_chunks import Chunk
    from etl.pipeline.tasks import read_chunk

    with at_work(agency, run) as task:
        read_chunk(task, UUID(batch), Chunk.from_json(piece))


def name_of(piece: Sequence[Any]) -> str:
    """Return how people see a piece."""
    from etl.pipeline.task_chunks import Chunk

    return str(Chunk.from_json(piece))


def close(agency: str | None, run: str, batch: str) -> tuple[str, Summary]:
    """Close the books of a run, let what is the matter be told, and return the tenant and how the run went."""
    from etl.notifications import after_run
    from etl.pipeline.tasks import close_run

    with at_work(agency, run) as task:
        summary = close_run(task, UUID(batch))
        after_run(task.ledger_without_lease, task.settings, unread(summary), whole=summary.exit_status == 0)
        return task.tenant, summary


def unread(summary: Summary) -> TaskDied | None:
    """Return what the end of a run means that has left resources unread: tasks of it died, and had no word for it."""
    from etl.errors import TaskDied
    from etl.status.format import join_words

    names = [part.resource for part in summary.parts if part.is_unread]
    return TaskDied(f"Not all was read of {join_words(names)}. The next run goes on there.") if names else None


def tell_of_death(agency: str | None, run: str, task_id: str) -> None:
    """Free the lease of a run that failed because a task of it died on every try, and let that be told.

    Where the reason of a failed run is known already, nothing is told besides.
    """
    from etl.errors import TaskDied
    from etl.notifications import after_run

    with at_work(agency, run) as task:
        task.release_lease()
        own = task.find_batch()
        kept = f" What was read is kept with batch {str(own.id)[:8]}." if own else ""
        died = TaskDied(f"Task `{task_id}` of {run} died on every try.{kept} The next run goes on there.")
        after_run(task.ledger_without_lease, task.settings, died)


def what_is_wrong(agency: str | None, run: str, batch: str) -> str | None:
    """Return why a run whose books are closed did not end well, None when it did."""
    from etl.models.states import BatchState

    with at_work(agency, run) as task:
        found = task.load_batch(UUID(batch))
    return None if found.status is BatchState.COMPLETED else found.error or "a resource failed"


def written(summary: Summary) -> dict[str, int]:
    """Return the tables of which a run has written rows, with their number."""
    sums = {table: sum(counts.values()) - counts.get("unchanged", 0) for table, counts in summary.tables.items()}
    return {table: rows for table, rows in sums.items() if rows}
