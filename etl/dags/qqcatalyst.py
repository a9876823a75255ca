"""The DAGs: a sync every hour, a full reading every week; several agencies have one run each.

The work of a run is spread by Airflow's executor: each wave of resources is planned, and its pieces are read side by
side. Retries are for tasks that died: calls are tried again by the client, and what it could not mend fails at once.
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
from etl.dags.agencies import agencies
from etl.dags.names import RESOURCES, WAVES

AGENCIES = agencies()
#: Under this name the tables that have fresh rows are told, as assets `qqcatalyst://TENANT/TABLE`.
FRESH = AssetAlias("qqcatalyst")

#: A task that died is tried again after some seconds, and once more after about a minute.
DEFAULTS = {"retries": 2, "retry_delay": timedelta(seconds=5), "retry_exponential_backoff": 6}

FOR_A_RUN = {
    "from": Param(None, type=["null", "string"], description="Start of the window; empty: where each resource stands."),
    "to": Param(None, type=["null", "string"], description="End of the window, exclusive; empty: now."),
    "resources": Param([], type="array", items={"enum": list(RESOURCES)}, description="Only these; empty: all."),
}
FOR_AN_AGENCY = {"agency": Param(AGENCIES[0], type="string", enum=AGENCIES)} if AGENCIES else {}


def fails_for_good(work: Callable[..., Any]) -> Callable[..., Any]:
    """Return a task's function whose errors Airflow does not try again: whatever trying helps was tried."""

    @wraps(work)
    def once(*given: Any, **named: Any) -> Any:
        try:
            return work(*given, **named)
        except AirflowException:
            raise
        except Exception as error:
            raise AirflowFailException(f"{type(error).__name__}: {error}") from error

    return once


def place() -> tuple[str | None, str]:
    """Return the agency and the name of the run that this task is a part of."""
    return place_in(get_current_context())


def place_in(context: Context) -> tuple[str | None, str]:
    """Return the agency and the name of the run that a context tells of."""
    return context["params"].get("agency"), f"{context['dag'].dag_id}/{context['run_id']}"


@fails_for_good
def begin(*, full: bool) -> str:
    """Give the run its batch; while another run is at work there is nothing to do."""
    batch = steps.begin(*place(), get_current_context()["params"], full=full)
    if batch is None:
        raise AirflowSkipException("Another run is at work; its log line stands above.")
    return batch


@fails_for_good
def plan(batch: str | None, wave: int) -> list[Any]:
    """Return the pieces of a wave."""
    if batch is None:
        raise AirflowSkipException("The run did not begin.")
    return steps.plan(*place(), batch, wave)


@fails_for_good
def read(batch: str, piece: list[Any]) -> None:
    """Read, clean and load one piece."""
    context: dict[str, Any] = get_current_context()  # type: ignore[assignment]  # what labels may show is added to it
    context["piece"] = steps.name_of(piece)
    steps.read(*place(), batch, piece)


@fails_for_good
def close(batch: str | None, *, outlet_events: Any = None) -> None:
    """Close the books and tell which tables have fresh rows."""
    if batch is None:
        raise AirflowSkipException("The run did not begin.")
    tenant, summary = steps.close(*place(), batch)
    for table, rows in steps.written(summary).items():
        outlet_events[FRESH].add(Asset(f"qqcatalyst://{tenant}/{table}"), extra={"batch": batch, "rows": rows})


@fails_for_good
def verdict(batch: str) -> None:
    """Fail the run when a resource failed or does not balance; what is whole stays loaded."""
    if (wrong := steps.what_is_wrong(*place(), batch)) is not None:
        raise AirflowFailException(wrong)


def tell_of_death(context: Context) -> None:
    """Let it be told that a run failed because `begin` or `close` died on every try.

    Airflow's DAG processor calls this for every run that failed: nothing runs in a task whose process was killed.
    Where `verdict` failed, `close` has told what it saw; and a task that an error ended, which leaves tries, told that.
    """
    last = context.get("ti")
    if last is not None and last.task_id != verdict.__name__ and last.try_number > (last.task.retries or 0):
        steps.tell_of_death(*place_in(context), last.task_id)


def dag_of_runs(dag_id: str, schedule: str, description: str, *, full: bool) -> DAG:
    """Return a DAG whose every run is a sync over all resources, wave by wave."""
    with DAG(
        dag_id,
        description=description,
        schedule=None if AGENCIES else schedule,
        start_date=datetime(2026, 1, 1, tzinfo=UTC),
        catchup=False,
        max_active_runs=max(1, len(AGENCIES)),
        default_args=DEFAULTS,
        on_failure_callback=tell_of_death,
        params=FOR_A_RUN | FOR_AN_AGENCY,
        tags=["qqcatalyst"],
    ) as dag:
        batch: Any = task(begin)(full=full)
        before = batch
        for number, names in enumerate(WAVES):
            with TaskGroup(f"wave_{number + 1}", tooltip=", ".join(names)):
                pieces = task(trigger_rule=TriggerRule.NONE_FAILED)(plan)(batch, number)
                done = task(map_index_template="{{ piece }}")(read).partial(batch=batch).expand(piece=pieces)
            before >> pieces
            before = done
        closed: Any = task(trigger_rule=TriggerRule.ALL_DONE, outlets=[FRESH])(close)(batch)
        before >> closed >> task(verdict)(batch)
    return dag


def dag_of_agencies(dag_id: str, schedule: str, started: DAG) -> DAG:
    """Return a DAG that starts one run of another for each agency."""
    with DAG(
        dag_id,
        description=f"One run of {started.dag_id} for each agency.",
        schedule=schedule,
        start_date=datetime(2026, 1, 1, tzinfo=UTC),
        catchup=False,
        max_active_runs=1,
        default_args=DEFAULTS,
        tags=["qqcatalyst"],
    ) as dag:
        TriggerDagRunOperator.partial(
            task_id="start",
            trigger_dag_id=started.dag_id,
            skip_when_already_exists=True,
            map_index_template="{{ task.conf['agency'] }}",
        ).expand_kwargs([run_of(name) for name in AGENCIES])
    return dag


def run_of(agency: str) -> dict[str, Any]:
    """Return what starts the run of an agency, once for each run of those who start it."""
    return {"conf": {"agency": agency}, "trigger_run_id": f"{agency}__{{{{ run_id }}}}"}


HOURLY, WEEKLY = "0 * * * *", "30 3 * * 0"

sync = dag_of_runs("qqcatalyst_sync", HOURLY, "Brings the tables up to date.", full=False)
reconcile = dag_of_runs(
    "qqcatalyst_reconcile", WEEKLY, "Reads everything, and marks deleted what vanished at the source.", full=True
)
if AGENCIES:
    sync_all = dag_of_agencies("qqcatalyst_agencies_sync", HOURLY, sync)
    reconcile_all = dag_of_agencies("qqcatalyst_agencies_reconcile", WEEKLY, reconcile)
