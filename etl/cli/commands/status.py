"""`qqetl status`: show how fresh and how complete each resource is."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Annotated, Any

import typer
from rich.text import Text
from sqlalchemy import Connection

from etl.cli.session import open_session
from etl.cli.ui.options import AsJson, Embedded, create_app, format_examples, parse_duration_option
from etl.cli.ui.terminal import build_table, check_mark, print_json, print_line, print_notice, stdout
from etl.cli.views.backfill import backfill_to_json, describe_no_answer, show_backfill
from etl.cli.views.verdict import StatusAnswer, answer_questions, show_answers
from etl.config.redaction import escape_control_characters
from etl.config.settings import Settings
from etl.errors import ExitStatus
from etl.ledger.notifications import incidents, outbox
from etl.local_time import format_moment, format_time, zone_label
from etl.status.format import format_count, format_duration, format_number, join_words
from etl.status.status import Freshness, PlaceholderCount, Status, load_status

app = create_app()

MaxLag = Annotated[
    str | None,
    typer.Option("--max-lag", metavar="TIME", help="Exit with status 1 if a resource lags by more, such as 2h."),
]
NUMERIC = ("Lag", "Rows", "Findings", "Backlog")


@app.command(
    epilog=format_examples(
        "qqetl status",
        "qqetl status --max-lag 2h  exit status 1 if a resource is late",
    )
)
def command(*, max_lag: MaxLag = None, embedded: Embedded = False, as_json: AsJson = False) -> None:
    """Show how fresh and how complete each resource is: lag, gaps, rows, findings, calls due, last error."""
    allowed_lag = parse_duration_option("--max-lag", max_lag)
    with open_session(embedded=embedded) as session:
        limit, choices = session.settings.rate_limit, session.settings.etl_resources
        current = session.read(partial(load_status, tenant=session.tenant, choices=choices))
        answers = session.read(
            partial(answer_status, current=current, settings=session.settings, allowed_lag=allowed_lag)
        )
    late = current.late_resources(allowed_lag) if allowed_lag is not None else []
    if as_json:
        print_json(
            status_to_json(current, late, session.tenant, answers) | {"backfill": backfill_to_json(current, limit)}
        )
    else:
        show_status(current, session.tenant, allowed_lag, answers)
        show_backfill(current, limit)
    if late and allowed_lag is not None:
        names = join_words([freshness.resource for freshness in late])
        print_notice(f"More than {format_duration(allowed_lag)} behind: {names}", style="red")
        raise typer.Exit(ExitStatus.FAILED)


def answer_status(
    connection: Connection, current: Status, settings: Settings, allowed_lag: timedelta | None
) -> Sequence[StatusAnswer]:
    """Return the status at a glance; without `--max-lag` the limit is `ETL_STALE_AFTER`."""
    limit = allowed_lag or settings.etl_stale_after or timedelta.max
    tenant = settings.etl_tenant
    unsent = len(outbox.read_unsent(connection, tenant))
    return answer_questions(current, limit, incidents.read_open_incidents(connection, tenant), unsent)


def show_status(current: Status, tenant: str, allowed_lag: timedelta | None, answers: Sequence[StatusAnswer]) -> None:
    """Print the status."""
    print_line(f"Account {tenant} at {format_moment(current.now)}. Latest batch: {describe_newest_batch(current)}")
    show_answers(answers)
    print_line()
    headers = ("Resource", f"Complete to ({zone_label(current.now)})", *NUMERIC, "")
    rows = (resource_to_row(freshness, current.now, allowed_lag) for freshness in current.resources)
    stdout().print(build_table(headers, rows, numeric=NUMERIC))
    for freshness in current.resources:
        for remark in list_remarks(freshness, current.now):
            print_line(remark)
    for orphans in current.orphans:
        print_line(describe_placeholders(orphans, current.now))


def describe_newest_batch(current: Status) -> str:
    """Return the id and the state of the newest batch."""
    batch = current.newest
    return "none" if batch is None else f"{str(batch.id)[:8]}, {batch.shown_status}"


def resource_to_row(freshness: Freshness, now: datetime, allowed_lag: timedelta | None) -> tuple[object, ...]:
    """Return the table row of one resource."""
    complete_to: Text | str = format_time(freshness.complete_to, now)
    mark: Text | str = ""
    if freshness.offered is False:
        complete_to = Text("not offered", style="dim")
    elif freshness.complete_to is None and freshness.error is None:
        complete_to = Text("not synced" if freshness.lag is None else "partial", style="dim")
    else:
        mark = check_mark(freshness.error is None and not (allowed_lag is not None and freshness.is_late(allowed_lag)))
    return (
        freshness.resource,
        complete_to,
        "-" if freshness.lag is None else format_duration(freshness.lag),
        "-" if freshness.rows is None else format_number(freshness.rows),
        format_number(freshness.open_findings) if freshness.open_findings else "",
        format_number(freshness.details.calls) if freshness.details and freshness.details.calls else "",
        mark,
    )


def list_remarks(freshness: Freshness, now: datetime) -> list[str]:
    """Return the gaps and the last error of a resource, as texts."""
    texts = []
    if freshness.gaps:
        gaps = join_words([str(gap) for gap in freshness.gaps[:3]])
        texts.append(f"{freshness.resource}: {format_count(len(freshness.gaps), 'gap')}: {gaps}")
    if freshness.details and freshness.details.coverage.no_answer:
        texts.append(f"{freshness.resource}: {describe_no_answer(freshness.details.coverage)}")
    if freshness.error:
        error = escape_control_characters(freshness.error)
        texts.append(f"{freshness.resource}: failed at {format_moment(freshness.error_at, now)}: {error}")
    return texts


def describe_placeholders(orphans: PlaceholderCount, now: datetime) -> str:
    """Return the number of placeholders of a table, as text."""
    rows = format_count(orphans.number, "placeholder")
    return f"{orphans.table}: {rows} without a record since {format_moment(orphans.since, now)}; see etl.orphans"


def status_to_json(
    current: Status, late: list[Freshness], tenant: str, answers: Sequence[StatusAnswer]
) -> dict[str, Any]:
    """Return the status as JSON."""
    batch = current.newest
    return {
        "tenant": tenant,
        "at": current.now,
        "newest_batch": None if batch is None else {"id": batch.id, "status": batch.status},
        "at_a_glance": {answer.key: {"good": answer.is_good, "words": answer.text} for answer in answers},
        "late": [freshness.resource for freshness in late],
        "resources": [freshness_to_json(freshness) for freshness in current.resources],
        "orphans": current.orphans,
    }


def freshness_to_json(freshness: Freshness) -> dict[str, Any]:
    """Return the status of one resource as JSON."""
    details = freshness.details
    return {
        "resource": freshness.resource,
        "offered": freshness.offered,
        "complete_to": freshness.complete_to,
        "lag_seconds": round(freshness.lag.total_seconds()) if freshness.lag is not None else None,
        "gaps": freshness.gaps,
        "rows": freshness.rows,
        "placeholders": freshness.placeholders,
        "open_findings": freshness.open_findings,
        "parents": details.parents if details else None,
        "parents_covered": details.coverage.covered if details else None,
        "backlog": details.calls if details else 0,
        "no_answer": details.coverage.no_answer if details else 0,
        "last_error": freshness.error,
        "last_error_at": freshness.error_at,
    }
