"""`qqetl status`: at a glance, and of each resource how far it is complete, what is open, what waits, what failed."""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Annotated, Any

import typer
from rich.text import Text
from sqlalchemy import Connection

from etl.cli.session import working
from etl.cli.ui.format import counted, length, listed, moment, number
from etl.cli.ui.options import AsJson, Embedded, command_app, examples, length_of
from etl.cli.ui.terminal import good, out, say, show, show_json, table
from etl.cli.views.backfill import backfill_for_programs, show_backfill
from etl.cli.views.verdict import Verdict, show_verdicts, verdicts
from etl.config.redaction import on_one_line
from etl.config.settings import Settings
from etl.ledger.notifications import incidents, outbox
from etl.status.status import Freshness, Orphans, Status, status

app = command_app()

MaxLag = Annotated[
    str | None,
    typer.Option("--max-lag", metavar="TIME", help="Exit with 1 when a resource lags behind by more, such as 2h."),
]
RIGHT = ("Lag", "Rows", "Findings", "Backlog")


@app.command(
    epilog=examples(
        "qqetl status",
        "qqetl status --max-lag 2h  for a probe: exit status 1 when something is late",
    )
)
def command(*, max_lag: MaxLag = None, embedded: Embedded = False, as_json: AsJson = False) -> None:
    """Show how fresh and how complete each resource is: last whole window, lag, gaps, rows, findings, last error."""
    most = length_of("--max-lag", max_lag)
    with working(embedded=embedded) as work:
        found, rate = work.read(partial(status, tenant=work.tenant)), work.settings.rate_limit.per_second
        answers = work.read(partial(at_a_glance, found=found, settings=work.settings, most=most))
    late = found.late(most) if most is not None else []
    if as_json:
        show_json(for_programs(found, late, work.tenant, answers) | {"backfill": backfill_for_programs(found, rate)})
    else:
        show_status(found, work.tenant, most, answers)
        show_backfill(found, rate)
    if late and most is not None:
        say(f"Behind by more than {length(most)}: {listed([one.resource for one in late])}.", style="red")
        raise typer.Exit(1)


def at_a_glance(connection: Connection, found: Status, settings: Settings, most: timedelta | None) -> Sequence[Verdict]:
    """Return the answers to what a person asks first; without a limit, data are current as notices see it."""
    limit = most or settings.etl_stale_after or timedelta.max
    tenant = settings.etl_tenant
    unsent = len(outbox.waiting(connection, tenant))
    return verdicts(found, limit, incidents.still_open(connection, tenant), unsent)


def show_status(found: Status, tenant: str, most: timedelta | None, answers: Sequence[Verdict]) -> None:
    """Write the status for a person."""
    show(f"Account {tenant} at {moment(found.now)} UTC; newest batch: {newest(found)}")
    show_verdicts(answers)
    show()
    heads = ("Resource", "Complete to", *RIGHT, "")
    out().print(table(heads, (line(one, most) for one in found.resources), right=RIGHT))
    for one in found.resources:
        for words in remarks(one):
            show(words)
    for orphans in found.orphans:
        show(waiting(orphans))


def newest(found: Status) -> str:
    """Return how the newest batch stands."""
    batch = found.newest
    return "none yet" if batch is None else f"{str(batch.id)[:8]}, {batch.status}"


def line(one: Freshness, most: timedelta | None) -> tuple[object, ...]:
    """Return the row of one resource."""
    if one.offered is False:
        verdict = Text("not offered", style="dim")
    elif one.complete_to is None and one.error is None:
        verdict = Text("not read yet" if one.lag is None else "in part", style="dim")
    else:
        verdict = good(one.error is None and not (most is not None and one.is_late(most)))
    return (
        one.resource,
        moment(one.complete_to),
        "-" if one.lag is None else length(one.lag),
        "-" if one.rows is None else number(one.rows),
        number(one.open_findings) if one.open_findings else "",
        number(one.coverage.outstanding) if one.coverage and one.coverage.outstanding else "",
        verdict,
    )


def remarks(one: Freshness) -> list[str]:
    """Return what a resource needs more words for: gaps, an error."""
    said = []
    if one.gaps:
        said.append(f"{one.resource}: {counted(len(one.gaps), 'gap')}: {listed([str(gap) for gap in one.gaps[:3]])}")
    if one.error:
        said.append(f"{one.resource}: failed at {moment(one.error_at)}: {on_one_line(one.error)}")
    return said


def waiting(orphans: Orphans) -> str:
    """Return how many rows of a table others refer to whose record has not arrived."""
    rows = counted(orphans.number, "placeholder")
    return f"{orphans.table}: {rows} without a record, since {moment(orphans.since)}; see etl.orphans"


def for_programs(found: Status, late: list[Freshness], tenant: str, answers: Sequence[Verdict]) -> dict[str, Any]:
    """Return the status for JSON."""
    batch = found.newest
    return {
        "tenant": tenant,
        "at": found.now.isoformat(),
        "newest_batch": None if batch is None else {"id": str(batch.id), "status": batch.status.value},
        "at_a_glance": {
            one.question.lower().replace(" ", "_"): {"good": one.is_good, "words": one.words} for one in answers
        },
        "late": [one.resource for one in late],
        "resources": [as_object(one) for one in found.resources],
        "orphans": [
            {"table": one.table, "number": one.number, "since": one.since.isoformat()} for one in found.orphans
        ],
    }


def as_object(one: Freshness) -> dict[str, Any]:
    """Return one resource's status for JSON."""
    coverage = one.coverage
    return {
        "resource": one.resource,
        "offered": one.offered,
        "complete_to": one.complete_to.isoformat() if one.complete_to else None,
        "lag_seconds": round(one.lag.total_seconds()) if one.lag is not None else None,
        "gaps": [{"start": gap.start.isoformat(), "end": gap.end.isoformat()} for gap in one.gaps],
        "rows": one.rows,
        "placeholders": one.placeholders,
        "open_findings": one.open_findings,
        "parents": coverage.parents if coverage else None,
        "parents_covered": coverage.covered if coverage else None,
        "backlog": coverage.outstanding if coverage else 0,
        "last_error": one.error,
        "last_error_at": one.error_at.isoformat() if one.error_at else None,
    }
