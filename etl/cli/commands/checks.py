"""`qqetl checks`: list the checks across records, or show the hits and the query of one."""

from datetime import UTC, datetime
from functools import partial
from textwrap import fill
from typing import Annotated, Any

import typer

from etl.checks import Check
from etl.checks import get_check as find_check
from etl.cli.session import CommandSession, open_session
from etl.cli.ui.options import AsJson, Embedded, create_app, format_examples, reject_combination
from etl.cli.ui.terminal import build_table, print_json, print_line, stdout
from etl.errors import UsageError
from etl.local_time import format_time, zone_label
from etl.status.checks import CheckHit, CheckStatus, check_statuses, list_hits
from etl.status.format import format_count, format_number

app = create_app()

Which = Annotated[str | None, typer.Argument(metavar="[NAME]", help="Show one check: why it matters, and its hits.")]
AsSql = Annotated[bool, typer.Option("--sql", help="Print the SQL of the check instead of its hits.")]
Limit = Annotated[int, typer.Option("--most", min=1, metavar="N", help="Maximum number of hits to list.")]

#: Columns of wrapped text.
WIDTH = 80


@app.command(
    epilog=format_examples(
        "qqetl checks                        all checks, with their open findings",
        "qqetl checks active-but-expired     one check: why it matters, and its hits",
        "qqetl checks term-gap --sql | psql  run its query",
    )
)
def command(
    *, name: Which = None, as_sql: AsSql = False, limit: Limit = 20, embedded: Embedded = False, as_json: AsJson = False
) -> None:
    """List the checks across records, or show one. Checks run after each load on changed rows, and daily on all rows.

    Each hit is a finding with the check's name as its rule. The finding is closed when the check no longer hits.
    """
    if as_sql:
        reject_combination("--sql", {"--json": as_json})
        print_line(get_query(name))
        return
    check = find_check(name) if name is not None else None
    with open_session(embedded=embedded) as session:
        if check is None:
            show_checks(session.read(partial(check_statuses, tenant=session.tenant)), as_json=as_json)
        else:
            show_check(session, check, limit, as_json=as_json)


def get_query(name: str | None) -> str:
    """Return the SQL of a check; raise UsageError without a name."""
    if name is None:
        raise UsageError("--sql prints the query of one check; name it, for example `qqetl checks term-gap --sql`.")
    return f"{find_check(name).sql};"


def show_checks(statuses: list[CheckStatus], *, as_json: bool) -> None:
    """Print the list of checks."""
    if as_json:
        print_json([check_status_to_json(status) for status in statuses])
        return
    now = datetime.now(UTC)
    rows = [
        (status.check.name, status.check.resource, format_number(status.open), format_time(status.ran_at, now))
        for status in statuses
    ]
    headers = ("Check", "Resource", "Open", f"Last full run ({zone_label(now)})")
    stdout().print(build_table(headers, rows, numeric=("Open",)))
    print_line()
    open_findings = format_count(sum(status.open for status in statuses), "open finding")
    print_line(f"{open_findings}. Details of one check: qqetl checks NAME")


def show_check(session: CommandSession, check: Check, limit: int, *, as_json: bool) -> None:
    """Print one check: why it matters, what to do, and the rows that it hits now."""
    check_hits = session.read(
        lambda connection: list(list_hits(connection, session.tenant, check, None if as_json else limit + 1))
    )
    if as_json:
        print_json(check_to_json(check) | {"hits": check_hits})
        return
    print_line(check.name, style="bold")
    print_line(fill(check.explanation, WIDTH))
    print_line(fill(f"To do: {check.fix}", WIDTH))
    print_line()
    if not check_hits:
        print_line("No matching rows.")
        return
    headers = ("Source id", "Policy", "Customer", "Found")
    stdout().print(build_table(headers, (hit_to_row(hit) for hit in check_hits[:limit])))
    if len(check_hits) > limit:
        print_line(f"There are more: use --most N, or query the view {check.view}.")


def hit_to_row(hit: CheckHit) -> tuple[object, ...]:
    """Return the table row of one hit."""
    return hit.source_id, hit.policy_number or "", hit.customer_number or "", hit.found


def check_to_json(check: Check) -> dict[str, Any]:
    """Return the definition of a check as JSON."""
    return {
        "check": check.name,
        "resource": check.resource,
        "field": check.field,
        "severity": check.severity,
        "explanation": check.explanation,
        "cure": check.fix,
        "view": check.view,
    }


def check_status_to_json(status: CheckStatus) -> dict[str, Any]:
    """Return a check with its open findings as JSON."""
    return {
        **check_to_json(status.check),
        "open_findings": status.open,
        "looked_at": status.ran_at,
        "milliseconds": status.milliseconds,
    }
