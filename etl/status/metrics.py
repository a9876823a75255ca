"""Metrics for Prometheus, each a query over the bookkeeping: any process that reaches the database can serve them."""

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
from etl.models.states import BatchState, FindingState, Outcome, ResourceState, TroubleKind

T = TypeVar("T")

#: Runs a query over a migrated database.
Read = Callable[[Callable[[Connection], T]], T]

UP = "qqetl_up"
OUTCOMES = ", ".join(f"('{one}', part.{one})" for one in Outcome)
ACCOUNTED = " + ".join(f"part.{one}" for one in Outcome)
KINDS = ", ".join(f"('{one}')" for one in TroubleKind)


@dataclass(frozen=True, slots=True)
class MetricQuery:
    """One metric: what it tells, and the query that brings its labels and, last, its value."""

    name: str
    help: str
    labels: tuple[str, ...]
    sql: str
    only_grows: bool = False

    def to_metric(self, rows: Any) -> Metric:
        """Return the metric with one sample a row."""
        kind = CounterMetricFamily if self.only_grows else GaugeMetricFamily
        made = kind(self.name, self.help, labels=self.labels)
        for *labels, value in rows:
            made.add_metric([str(one) for one in labels], float(value))
        return made


RESOURCE = ("tenant", "resource")

METRICS = (
    MetricQuery(
        "qqetl_lag_seconds", "How far a resource lags behind.", RESOURCE,
        "SELECT tenant, resource, extract(epoch FROM lag) FROM etl.freshness WHERE lag IS NOT NULL",
    ),
    MetricQuery(
        "qqetl_open_gaps", "Stretches between complete windows of a resource.", RESOURCE,
        "SELECT tenant, resource, open_gaps FROM etl.freshness",
    ),
    MetricQuery(
        "qqetl_backlog", "Calls for details of single records that are due.", RESOURCE,
        "SELECT tenant, resource, count(*) FILTER (WHERE due_at <= now() OR failures > 0) FROM etl.child_queue"
        " GROUP BY tenant, resource",
    ),
    MetricQuery(
        "qqetl_records_total", "Fetched records by what became of them.", (*RESOURCE, "outcome"),
        "SELECT batch.tenant, part.resource, counted.outcome, sum(counted.number) FROM etl.batch_resources AS part"
        " JOIN etl.batches AS batch ON batch.id = part.batch_id"
        f" CROSS JOIN LATERAL (VALUES {OUTCOMES}) AS counted (outcome, number)"
        " GROUP BY batch.tenant, part.resource, counted.outcome",
        only_grows=True,
    ),
    MetricQuery(
        "qqetl_books_difference", "Records of a resource's newest run that nobody can account for.", RESOURCE,
        f"SELECT DISTINCT ON (batch.tenant, part.resource) batch.tenant, part.resource, part.fetched - ({ACCOUNTED})"
        " FROM etl.batch_resources AS part JOIN etl.batches AS batch ON batch.id = part.batch_id"
        f" WHERE batch.command <> 'replay' AND part.status IN ('{ResourceState.DONE}', '{ResourceState.FAILED}')"
        " ORDER BY batch.tenant, part.resource, batch.started_at DESC",
    ),
    MetricQuery(
        "qqetl_calls_total", "Calls of the API, repeated ones included.", ("tenant",),
        "SELECT tenant, sum(calls) FROM etl.batches GROUP BY tenant",
        only_grows=True,
    ),
    MetricQuery(
        "qqetl_waited_seconds_total", "Seconds in which calls waited for their turn.", ("tenant",),
        "SELECT tenant, sum(waited_seconds) FROM etl.batches GROUP BY tenant",
        only_grows=True,
    ),
    MetricQuery(
        "qqetl_batches", "Batches by state.", ("tenant", "status"),
        "SELECT tenant, status, count(*) FROM etl.batches GROUP BY tenant, status",
    ),
    MetricQuery(
        "qqetl_last_run_timestamp_seconds", "When the newest batch began.", ("tenant",),
        "SELECT tenant, extract(epoch FROM max(started_at)) FROM etl.batches GROUP BY tenant",
    ),
    MetricQuery(
        "qqetl_last_success_timestamp_seconds", "When a batch was last completed.", ("tenant",),
        "SELECT tenant, extract(epoch FROM max(finished_at)) FROM etl.batches"
        f" WHERE status = '{BatchState.COMPLETED}' GROUP BY tenant",
    ),
    MetricQuery(
        "qqetl_open_findings", "Open findings.", (*RESOURCE, "severity"),
        "SELECT tenant, resource, severity, count(*) FROM etl.findings"
        f" WHERE state = '{FindingState.OPEN}' GROUP BY tenant, resource, severity",
    ),
    MetricQuery(
        "qqetl_open_troubles", "What needs a person, by kind.", ("tenant", "kind"),
        "SELECT account.tenant, known.kind, count(trouble.kind) FROM etl.tenants AS account"
        f" CROSS JOIN (VALUES {KINDS}) AS known (kind)"
        " LEFT JOIN etl.troubles AS trouble ON trouble.tenant = account.tenant AND trouble.kind = known.kind"
        " AND trouble.closed_at IS NULL GROUP BY account.tenant, known.kind",
    ),
    MetricQuery(
        "qqetl_mails_waiting", "Mails that their server has not taken.", ("tenant",),
        "SELECT account.tenant, count(mail.id) FROM etl.tenants AS account"
        " LEFT JOIN etl.outbox AS mail ON mail.tenant = account.tenant AND mail.sent_at IS NULL"
        " GROUP BY account.tenant",
    ),
)  # fmt: skip


class DatabaseCollector(Collector):
    """Reads every metric anew whenever somebody asks; where the database cannot be used, only that is told."""

    def __init__(self, read: Read[Any]) -> None:
        self._read = read

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics as they stand now."""
        try:
            found = self._read(query_metrics)
        except EtlError:
            found = []
        build = GaugeMetricFamily("qqetl_build_info", "The version of the product.", labels=["version"])
        build.add_metric([etl.__version__], 1)
        yield build
        yield GaugeMetricFamily(UP, "Whether the database can be used.", value=float(bool(found)))
        yield from found


def query_metrics(connection: Connection) -> list[Metric]:
    """Return all metrics of all accounts of a database."""
    return [one.to_metric(connection.execute(text(one.sql))) for one in METRICS]


def build_registry(read: Read[Any]) -> CollectorRegistry:
    """Return the registry whose metrics a query function brings."""
    made = CollectorRegistry()
    made.register(DatabaseCollector(read))
    return made


def render_metrics(read: Read[Any]) -> str:
    """Return all metrics as Prometheus reads them."""
    return generate_latest(build_registry(read)).decode()


def write_metrics_file(path: Path, read: Read[Any]) -> None:
    """Write all metrics into a file in one step, for the textfile collector; raises OSError."""
    write_to_textfile(str(path), build_registry(read))
