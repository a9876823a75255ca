"""The DAGs: a sync every hour and a full reconcile every week, with one run per agency.

Airflow's executor distributes the work of a run: each dependency level of resources is planned, and its chunks are
read in parallel. Airflow retries only tasks that died: the client retries API calls, and other errors fail at once.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import wraps
from typing import Any

from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import DAG, Asset, AssetAlias, Context, Param, TaskGroup, TriggerRule, get_current_context, task
from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowSkipException

from etl.dags import steps
from etl.dags.agencies import list_agencies
from etl.dags.names import LEVELS, RESOURCES

AGENCIES = list_agencies()
#: The alias of the assets `qqcatalyst://TENANT/TABLE`, which are updated for tables with new rows.
UPDATED_TABLES = AssetAlias("qqcatalyst")

#: A task that died is retried after a few seconds, and again after about a minute.
DEFAULT_ARGS = {"retries": 2, "retry_delay": timedelta(seconds=5), "retry_exponential_backoff": 6}

RUN_PARAMS = {
    "from": Param(
        None, type=["null", "string"], description="Start of the window; empty: resume where each resource left off."
    ),
    "to": Param(None, type=["null", "string"], description="End of the window (exclusive); empty: now."),
    "resources": Param(
        [], type="array", items={"enum": list(RESOURCES)}, description="Only these resources; empty: all."
    ),
}
AGENCY_PARAMS = {"agency": Param(AGENCIES[0], type="string", enum=AGENCIES)} if AGENCIES else {}


def fail_without_retry(work: Callable[..., Any]) -> Callable[..., Any]:
    """Return a task function whose errors Airflow does not retry: retryable errors were retried already."""

    @wraps(work)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        try:
            return work(*args, **kwargs)
        except AirflowException:
            raise
        except Exception as error:
            raise AirflowFailException(f"{type(error).__name__}: {error}") from error

    return wrapper


def current_run() -> tuple[str | None, str]:
    """Return the agency and the name of this task's run."""
    return run_of_context(get_current_context())


def run_of_context(context: Context) -> tuple[str | None, str]:
    """Return the agency and the name of the run of a context."""
    return context["params"].get("agency"), f"{context['dag'].dag_id}/{context['run_id']}"


@fail_without_retry
def begin(*, full: bool) -> str:
    """Create the batch of the run; skip the run while another one is active."""
    batch = steps.start_batch(*current_run(), get_current_context()["params"], full=full)
    if batch is None:
        raise AirflowSkipException("Another run is active; see the log line above.")
    return batch


@fail_without_retry
def plan(batch: str | None, wave: int) -> list[Any]:
    """Return the chunks of a dependency level."""
    if batch is None:
        raise AirflowSkipException("The run did not start.")
    return steps.plan_chunks(*current_run(), batch, wave)


@fail_without_retry
def read(batch: str, chunk: list[Any]) -> None:
    """Read, clean and load one chunk."""
    context: dict[str, Any] = get_current_context()  # type: ignore[assignment]  # the label is added to it
    context["chunk"] = steps.chunk_label(chunk)
    steps.process_chunk(*current_run(), batch, chunk)


@fail_without_retry
def close(batch: str | None, *, outlet_events: Any = None) -> None:
    """Close the batch and report the tables with new rows."""
    if batch is None:
        raise AirflowSkipException("The run did not start.")
    tenant, summary = steps.close_batch(*current_run(), batch)
    for table, rows in steps.count_written_rows(summary).items():
        outlet_events[UPDATED_TABLES].add(Asset(f"qqcatalyst://{tenant}/{table}"), extra={"batch": batch, "rows": rows})


@fail_without_retry
def verdict(batch: str) -> None:
    """Fail the run when a resource failed or its counts do not balance; complete data stays loaded."""
    if (reason := steps.failure_reason(*current_run(), batch)) is not None:
        raise AirflowFailException(reason)


def report_dead_run(context: Context) -> None:
    """Report that a run failed because `begin` or `close` died on every try.

    Airflow's DAG processor calls this for every failed run, because a killed task cannot report anything itself.
    If `verdict` failed, `close` has reported the reason; a task that raised an error reported it and has tries left.
    """
    task_instance = context.get("ti")
    if (
        task_instance is not None
        and task_instance.task_id != verdict.__name__
        and task_instance.try_number > (task_instance.task.retries or 0)
    ):
        steps.report_dead_run(*run_of_context(context), task_instance.task_id)


def build_sync_dag(dag_id: str, schedule: str, description: str, *, full: bool) -> DAG:
    """Return a DAG whose runs sync all resources, one dependency level after another."""
    with DAG(
        dag_id,
        description=description,
        schedule=None if AGENCIES else schedule,
        start_date=datetime(2026, 1, 1, tzinfo=UTC),
        catchup=False,
        max_active_runs=max(1, len(AGENCIES)),
        default_args=DEFAULT_ARGS,
        on_failure_callback=report_dead_run,
        params=RUN_PARAMS | AGENCY_PARAMS,
        tags=["qqcatalyst"],
    ) as dag:
        batch: Any = task(begin)(full=full)
        upstream = batch
        for number, resources in enumerate(LEVELS):
            with TaskGroup(f"wave_{number + 1}", tooltip=", ".join(resources)):
                chunks = task(trigger_rule=TriggerRule.NONE_FAILED)(plan)(batch, number)
                chunks_read = task(map_index_template="{{ chunk }}")(read).partial(batch=batch).expand(chunk=chunks)
            upstream >> chunks
            upstream = chunks_read
        closed: Any = task(trigger_rule=TriggerRule.ALL_DONE, outlets=[UPDATED_TABLES])(close)(batch)
        upstream >> closed >> task(verdict)(batch)
    return dag


def build_agencies_dag(dag_id: str, schedule: str, sync_dag: DAG) -> DAG:
    """Return a DAG that starts one run of `sync_dag` for each agency."""
    with DAG(
        dag_id,
        description=f"One run of {sync_dag.dag_id} for each agency.",
        schedule=schedule,
        start_date=datetime(2026, 1, 1, tzinfo=UTC),
        catchup=False,
        max_active_runs=1,
        default_args=DEFAULT_ARGS,
        tags=["qqcatalyst"],
    ) as dag:
        TriggerDagRunOperator.partial(
            task_id="start",
            trigger_dag_id=sync_dag.dag_id,
            skip_when_already_exists=True,
            map_index_template="{{ task.conf['agency'] }}",
        ).expand_kwargs([trigger_arguments(name) for name in AGENCIES])
    return dag


def trigger_arguments(agency: str) -> dict[str, Any]:
    """Return the arguments that trigger the run of an agency, once per run of the triggering DAG."""
    return {"conf": {"agency": agency}, "trigger_run_id": f"{agency}__{{{{ run_id }}}}"}


HOURLY, WEEKLY = "0 * * * *", "30 3 * * 0"

sync = build_sync_dag("qqcatalyst_sync", HOURLY, "Bring the tables up to date.", full=False)
reconcile = build_sync_dag(
    "qqcatalyst_reconcile", WEEKLY, "Read everything, and mark records deleted that are gone in QQCatalyst.", full=True
)
if AGENCIES:
    sync_all = build_agencies_dag("qqcatalyst_agencies_sync", HOURLY, sync)
    reconcile_all = build_agencies_dag("qqcatalyst_agencies_reconcile", WEEKLY, reconcile)
