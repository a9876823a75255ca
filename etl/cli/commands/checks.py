"""`qqetl checks`: the checks across records, or one of them with its hits and its query."""

from dataclasses import asdict
from functools import partial
from textwrap import fill
from typing import Annotated, Any

import typer

from etl.checks import Check
from etl.checks import check as named
from etl.cli.session import Work, working
from etl.cli.ui.format import counted, moment, number
from etl.cli.ui.options import AsJson, Embedded, command_app, examples, only_with
from etl.cli.ui.terminal import out, show, show_json, table
from etl.errors import UsageError
from etl.status.checks import Hit, Standing, hits, standings

app = command_app()

Which = Annotated[
    str | None, typer.Argument(metavar="[NAME]", help="One check: explained, with the rows that it hits.")
]
AsSql = Annotated[bool, typer.Option("--sql", help="Print the query of the check, to be run or changed, and no hits.")]
Most = Annotated[int, typer.Option("--most", min=1, metavar="N", help="How many hits to list.")]

WIDTH = 80


@app.command(
    epilog=examples(
        "qqetl checks                          all of them, with their open findings",
        "qqetl checks active-but-expired       one: why it matters, and its hits",
        "qqetl checks term-gap --sql | psql    its query",
    )
)
def command(
    *, name: Which = None, as_sql: AsSql = False, most: Most = 20, embedded: Embedded = False, as_json: AsJson = False
) -> None:
    """Show the checks across records. They run after each load on what changed, and once a day on everything.

    A hit is a finding whose rule is the name of the check; it is fixed by itself once the check no longer hits.
    """
    if as_sql:
        only_with("--sql", {"--json": as_json})
        show(query_of(name))
        return
    check = named(name) if name is not None else None
    with working(embedded=embedded) as work:
        if check is None:
            show_all(work.read(partial(standings, tenant=work.tenant)), as_json=as_json)
        else:
            show_one(work, check, most, as_json=as_json)


def query_of(name: str | None) -> str:
    """Return the query of a check; raise UsageError where none is named."""
    if name is None:
        raise UsageError("--sql prints the query of one check: name it, as in `qqetl checks term-gap --sql`.")
    return f"{named(name).sql};"


def show_all(found: list[Standing], *, as_json: bool) -> None:
    """Write the list of checks."""
    if as_json:
        show_json([standing_for_programs(one) for one in found])
        return
    rows = [(one.check.name, one.check.resource, number(one.open), moment(one.ran_at)) for one in found]
    out().print(table(("Check", "Resource", "Open", "All rows looked at (UTC)"), rows, right=("Open",)))
    show()
    still_open = counted(sum(one.open for one in found), "open finding")
    show(f"{still_open}. `qqetl checks NAME` explains one and lists its hits.")


def show_one(work: Work, check: Check, most: int, *, as_json: bool) -> None:
    """Write one check: why it matters, what to do, and the rows that it hits now."""
    found = work.read(lambda connection: list(hits(connection, work.tenant, check, None if as_json else most + 1)))
    if as_json:
        show_json(check_for_programs(check) | {"hits": [asdict(one) for one in found]})
        return
    show(check.name, style="bold")
    show(fill(check.explanation, WIDTH))
    show(fill(f"To do: {check.cure}", WIDTH))
    show()
    if not found:
        show("No row is hit.")
        return
    heads = ("Source id", "Policy", "Customer", "Found")
    out().print(table(heads, (hit_line(one) for one in found[:most])))
    if len(found) > most:
        show(f"and more: --most N lists them, and the view {check.view} has all.")


def hit_line(one: Hit) -> tuple[object, ...]:
    """Return the row of one hit."""
    return one.source_id, one.policy_number or "", one.customer_number or "", one.found


def check_for_programs(check: Check) -> dict[str, Any]:
    """Return what a check is for JSON."""
    return {
        "check": check.name,
        "resource": check.resource,
        "field": check.field,
        "severity": check.severity.value,
        "explanation": check.explanation,
        "cure": check.cure,
        "view": check.view,
    }


def standing_for_programs(one: Standing) -> dict[str, Any]:
    """Return how a check stands for JSON."""
    return {
        **check_for_programs(one.check),
        "open_findings": one.open,
        "looked_at": one.ran_at.isoformat() if one.ran_at else None,
        "milliseconds": one.milliseconds,
    }
