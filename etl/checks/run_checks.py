"""Runs the checks: after each load on the rows affected, and once a day on all rows, because policies expire."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from uuid import UUID

from sqlalchemy import Connection, TextClause, text

from etl.checks.declarations import CHECKS, Check
from etl.checks.scope import READS, scope_of
from etl.ledger import sync_history
from etl.ledger.quality import finding_lifecycle
from etl.ledger.quality.findings import CAP, write_finding_counts
from etl.queries import Queries

SQL = Queries(__file__)

SCOPE = text("CREATE TEMP TABLE check_scope (id uuid PRIMARY KEY, source_id text) ON COMMIT DROP")

#: Statistics target before the checks: 300 sampled rows for each of these (PostgreSQL's default is 100).
STATISTICS_TARGET = 10


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The result of one run of a check."""

    check: str
    everything: bool  #: it ran on all rows, not only on those that a batch affects
    hits: int
    new: int  #: findings opened, or with a changed message
    fixed: int
    left_out: int = 0  #: findings not stored because of the cap


def run_due_checks(connection: Connection, tenant: str, batch_id: UUID) -> list[CheckResult]:
    """Run every check that is due today or affected by this batch, store the hits as findings, return the results.

    First closes findings whose record is gone. A second call on the same day writes nothing.
    """
    written_tables = {
        table
        for table, counts in sync_history.read_history(connection, batch_id).items()
        if any(number for name, number in counts.items() if name != "unchanged")
    }
    done_today = set(connection.execute(SQL["checks_done_today"], {"tenant": tenant}).scalars())
    due = [check for check in CHECKS if check.name not in done_today]
    affected = sorted(
        (check for check in CHECKS if check.name in done_today and READS[check.resource] & written_tables),
        key=checked_resource,
    )
    finding_lifecycle.close_unusable(connection, tenant, batch_id)
    if written_tables or due:
        finding_lifecycle.update_findings(connection, tenant, batch_id, everything=bool(due))
    if due:
        analyze_tables(connection, due)
    bound = {"tenant": tenant, "batch_id": batch_id}
    results = [run_check(connection, check, bound, everything=True) for check in due]
    for name, group in groupby(affected, key=checked_resource):
        checks = list(group)
        if fill_scope(connection, checks, name, bound):
            results += [run_check(connection, check, bound, everything=False) for check in checks]
    return results


def checked_resource(check: Check) -> str:
    """Return the resource of a check."""
    return check.resource


def analyze_tables(connection: Connection, checks: Iterable[Check]) -> None:
    """Analyze the tables that checks read, because PostgreSQL has no statistics right after a first load.

    A small sample is enough to choose a plan; autovacuum takes a larger one later.
    """
    connection.execute(text(f"SET LOCAL default_statistics_target = {STATISTICS_TARGET}"))
    for table in sorted({table for check in checks for table in READS[check.resource]}):
        connection.execute(text(f"ANALYZE public.{table}"))


def fill_scope(connection: Connection, checks: Sequence[Check], name: str, bound: dict[str, object]) -> bool:
    """Collect the rows of one resource to check again; return whether there are any."""
    connection.execute(text("DROP TABLE IF EXISTS pg_temp.check_scope"))
    connection.execute(SCOPE)
    rules = [check.name for check in checks]
    scope = {**bound, "resource": name, "rules": rules}
    number = connection.execute(scope_sql(name, checks[0].table), scope).rowcount
    connection.execute(text("ANALYZE pg_temp.check_scope"))
    return number > 0


@cache
def scope_sql(name: str, table: str) -> TextClause:
    """Return the statement that collects the rows affected by a batch, and those with open findings."""
    return text(f"""
        INSERT INTO check_scope (id, source_id)
        SELECT stored.id, stored.source_id FROM public.{table} AS stored
        JOIN ({scope_of(name)}) AS called ON called.id = stored.id
        WHERE stored.tenant = :tenant
        UNION
        SELECT stored.id, stored.source_id FROM etl.findings AS known
        JOIN public.{table} AS stored ON stored.tenant = known.tenant AND stored.source_id = known.source_id
        WHERE known.tenant = :tenant AND known.resource = :resource AND known.rule = ANY(:rules)
          AND known.state = 'open'
    """)


def run_check(connection: Connection, check: Check, bound: dict[str, object], *, everything: bool) -> CheckResult:
    """Run one check and store its hits as findings: opens new ones, and marks those that no longer hit as fixed."""
    began = time.monotonic()
    scope = {**bound, "resource": check.resource}
    about = {"table": check.table, "field": check.field, "rule": check.name, "severity": check.severity}
    line = connection.execute(comparison_sql(check.view, everything=everything), {**scope, **about, "cap": CAP}).one()
    if line.news:
        write_finding_counts(connection, scope, {check.name: (line.news, line.news - line.kept)})
    if everything:
        milliseconds = (time.monotonic() - began) * 1000
        ran = {"tenant": bound["tenant"], "check": check.name, "hits": line.hits, "milliseconds": milliseconds}
        connection.execute(SQL["note_run"], ran)
    return CheckResult(check.name, everything, line.hits, line.kept, line.fixed, line.news - line.kept)


@cache
def comparison_sql(view: str, *, everything: bool) -> TextClause:
    """Return the statement that compares the hits of a check with its findings and writes the differences."""
    of_hits = "" if everything else "AND id IN (SELECT id FROM check_scope)"
    of_findings = "" if everything else "AND known.source_id IN (SELECT source_id FROM check_scope)"
    return text(f"""
        WITH hit AS MATERIALIZED (
            SELECT source_id, min(found) AS found FROM {view} WHERE tenant = :tenant {of_hits} GROUP BY source_id
        ), news AS MATERIALIZED (
            SELECT hit.*, row_number() OVER (ORDER BY hit.source_id) AS place FROM hit
            WHERE NOT EXISTS (
                SELECT FROM etl.findings AS known
                WHERE known.tenant = :tenant AND known.resource = :resource AND known.source_id = hit.source_id
                  AND known.rule = :rule AND known.state = 'open' AND known.message = hit.found
            )
        ), fixed AS (
            UPDATE etl.findings AS known SET state = 'fixed', last_seen = now(), batch_id = :batch_id
            WHERE known.tenant = :tenant AND known.resource = :resource AND known.rule = :rule
              AND known.state = 'open' {of_findings}
              AND NOT EXISTS (SELECT FROM hit WHERE hit.source_id = known.source_id)
            RETURNING 1
        ), kept AS (
            INSERT INTO etl.findings AS known
                (tenant, resource, table_name, source_id, field, rule, severity, message, batch_id)
            SELECT :tenant, :resource, :table, source_id, :field, :rule, :severity, found, :batch_id
            FROM news WHERE place <= :cap ORDER BY source_id
            ON CONFLICT (tenant, resource, source_id, table_name, field, rule) DO UPDATE
            SET severity = excluded.severity, message = excluded.message, state = 'open', last_seen = now(),
                times_seen = known.times_seen + 1, batch_id = excluded.batch_id
            RETURNING 1
        )
        SELECT (SELECT count(*) FROM hit) AS hits, (SELECT count(*) FROM news) AS news,
               (SELECT count(*) FROM fixed) AS fixed, (SELECT count(*) FROM kept) AS kept
    """)
