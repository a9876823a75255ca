"""Metrics for Prometheus, each from a query, so any process that reaches the database can serve them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from prometheus_client import CollectorRegistry, generate_latest, write_to_textfile
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from sqlalchemy import Connection, text

import etl
from etl.errors import EtlError
from etl.models.states import DRY_RECONCILE, NOT_READING, BatchState, FindingState, IncidentKind, Outcome, ResourceState
from etl.queries import Queries

SQL = Queries(__file__)
T = TypeVar("T")

#: Runs a query over a migrated database.
Read = Callable[[Callable[[Connection], T]], T]

UP = "qqetl_up"
OUTCOMES = ", ".join(f"('{outcome}', part.{outcome})" for outcome in Outcome)
ACCOUNTED = " + ".join(f"part.{outcome}" for outcome in Outcome)
KINDS = ", ".join(f"('{kind}')" for kind in IncidentKind)


@dataclass(frozen=True, slots=True)
class MetricQuery:
    """One metric: its help text, and a query that returns its labels and, last, its value."""

    name: str
    help: str
    labels: tuple[str, ...]
    built: str = ""  #: the query, if it names states that are defined elsewhere; the others are in the `.sql` file
    only_grows: bool = False

    @property
    def sql(self) -> str:
        """The query."""
        return self.built or SQL[self.name].text

    def to_metric(self, rows: Any) -> Metric:
        """Return the metric with one sample per row."""
        kind = CounterMetricFamily if self.only_grows else GaugeMetricFamily
        metric = kind(self.name, self.help, labels=self.labels)
        for *labels, value in rows:
            metric.add_metric([str(label) for label in labels], float(value))
        return metric


RESOURCE = ("tenant", "resource")

METRICS = (
    MetricQuery("qqetl_lag_seconds", "Lag of a resource.", RESOURCE),
    MetricQuery("qqetl_open_gaps", "Gaps between the complete windows of a resource.", RESOURCE),
    MetricQuery("qqetl_backlog", "Calls per parent record that are due.", RESOURCE),
    MetricQuery(
        "qqetl_records_total", "Fetched records by outcome.", (*RESOURCE, "outcome"),
        "SELECT batch.tenant, part.resource, counted.outcome, sum(counted.number) FROM etl.batch_resources AS part"
        " JOIN etl.batches AS batch ON batch.id = part.batch_id"
        f" CROSS JOIN LATERAL (VALUES {OUTCOMES}) AS counted (outcome, number)"
        " GROUP BY batch.tenant, part.resource, counted.outcome",
        only_grows=True,
    ),
    MetricQuery(
        "qqetl_books_difference", "Unaccounted records in a resource's newest run.", RESOURCE,
        f"SELECT DISTINCT ON (batch.tenant, part.resource) batch.tenant, part.resource, part.fetched - ({ACCOUNTED})"
        " FROM etl.batch_resources AS part JOIN etl.batches AS batch ON batch.id = part.batch_id"
        f" WHERE batch.command NOT IN {NOT_READING}"
        f" AND part.status IN ('{ResourceState.DONE}', '{ResourceState.FAILED}')"
        " ORDER BY batch.tenant, part.resource, batch.started_at DESC",
    ),
    MetricQuery("qqetl_calls_total", "API calls, including repeated ones.", ("tenant",), only_grows=True),
    MetricQuery(
        "qqetl_waited_seconds_total", "Seconds in which calls waited for the call limit.", ("tenant",), only_grows=True
    ),
    MetricQuery("qqetl_batches", "Batches by state.", ("tenant", "status")),
    MetricQuery(
        "qqetl_last_run_timestamp_seconds", "Start time of the newest batch.", ("tenant",),
        "SELECT tenant, extract(epoch FROM max(started_at)) FROM etl.batches"
        f" WHERE command <> '{DRY_RECONCILE}' GROUP BY tenant",
    ),
    MetricQuery(
        "qqetl_last_success_timestamp_seconds", "Time when a batch was last completed.", ("tenant",),
        "SELECT tenant, extract(epoch FROM max(finished_at)) FROM etl.batches"
        f" WHERE status = '{BatchState.COMPLETED}' AND command <> '{DRY_RECONCILE}' GROUP BY tenant",
    ),
    MetricQuery(
        "qqetl_open_findings", "Open findings.", (*RESOURCE, "severity"),
        "SELECT tenant, resource, severity, count(*) FROM etl.findings"
        f" WHERE state = '{FindingState.OPEN}' GROUP BY tenant, resource, severity",
    ),
    MetricQuery(
        "qqetl_open_troubles", "Open incidents by kind.", ("tenant", "kind"),
        "SELECT account.tenant, known.kind, count(trouble.kind) FROM etl.tenants AS account"
        f" CROSS JOIN (VALUES {KINDS}) AS known (kind)"
        " LEFT JOIN etl.troubles AS trouble ON trouble.tenant = account.tenant AND trouble.kind = known.kind"
        " AND trouble.closed_at IS NULL GROUP BY account.tenant, known.kind",
    ),
    MetricQuery("qqetl_mails_waiting", "Emails that the mail server has not accepted.", ("tenant",)),
)  # fmt: skip


class DatabaseCollector(Collector):
    """Queries every metric at each scrape; if the database is unavailable, reports only that."""

    def __init__(self, read: Read[Any]) -> None:
        self._read = read

    def collect(self) -> Iterator[Metric]:
        """Yield the current metrics."""
        try:
            metrics = self._read(query_metrics)
        except EtlError:
            metrics = []
        build = GaugeMetricFamily("qqetl_build_info", "The version of qqetl.", labels=["version"])
        build.add_metric([etl.__version__], 1)
        yield build
        yield GaugeMetricFamily(UP, "Whether the database is available.", value=float(bool(metrics)))
        yield from metrics


def query_metrics(connection: Connection) -> list[Metric]:
    """Return all metrics of all tenants of a database."""
    return [metric_query.to_metric(connection.execute(text(metric_query.sql))) for metric_query in METRICS]


def build_registry(read: Read[Any]) -> CollectorRegistry:
    """Return a registry whose metrics come from a query function."""
    registry = CollectorRegistry()
    registry.register(DatabaseCollector(read))
    return registry


def render_metrics(read: Read[Any]) -> str:
    """Return all metrics in the Prometheus text format."""
    return generate_latest(build_registry(read)).decode()


def write_metrics_file(path: Path, read: Read[Any]) -> None:
    """Write all metrics to a file atomically, for the textfile collector; raises OSError."""
    write_to_textfile(str(path), build_registry(read))
