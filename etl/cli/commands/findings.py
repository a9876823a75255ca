"""`qqetl findings`: what rules and checks found, by rule, resource, office or agent, or one by one."""

import csv
import sys
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from typing import Annotated, Any

import typer
from sqlalchemy import Connection

from etl.cli.session import working
from etl.cli.ui.format import counted, number
from etl.cli.ui.options import AsJson, Embedded, command_app, examples, only_with
from etl.cli.ui.spreadsheet import safe_row
from etl.cli.ui.terminal import out, show, show_json, table
from etl.resources import resource as named
from etl.status.findings import EXPORTED, By, Group, Share, exported, groups, shares

app = command_app()

Resource = Annotated[str | None, typer.Option("--resource", metavar="NAME", help="Only the findings of this resource.")]
Open = Annotated[bool, typer.Option("--open", help="Only those that are still so at the source.")]
Grouping = Annotated[By, typer.Option("--by", help="What to group by.")]
AsCsv = Annotated[
    bool, typer.Option("--csv", help="Every finding as a line of CSV; personal values as their shape alone.")
]


@app.command(
    epilog=examples(
        "qqetl findings --open",
        "qqetl findings --open --by agent",
        "qqetl findings --resource contacts --csv > findings.csv",
    )
)
def command(
    *,
    resource: Resource = None,
    by: Grouping = By.RULE,
    only_open: Open = False,
    as_csv: AsCsv = False,
    embedded: Embedded = False,
    as_json: AsJson = False,
) -> None:
    """Show what the rules found, by resource and rule with an example of each, or by resource, office or agent.

    refused: the record did not load. dropped: a value did not. repaired: a value was mended. noted: worth knowing.
    """
    if as_csv:
        only_with("--csv", {"--json": as_json, "--by": by is not By.RULE})
    if resource is not None:
        named(resource)
    with working(embedded=embedded) as work:
        if as_csv:
            work.read(partial(export, tenant=work.tenant, resource=resource, only_open=only_open))
        elif by is By.RULE:
            found = work.read(partial(groups, tenant=work.tenant, resource=resource, only_open=only_open))
            show_groups(found, as_json=as_json)
        else:
            ask = partial(shares, tenant=work.tenant, by=by, resource=resource, only_open=only_open)
            show_shares(work.read(ask), by, as_json=as_json)


def export(connection: Connection, **scope: Any) -> None:
    """Write every finding to standard output as CSV."""
    writer = csv.writer(sys.stdout, lineterminator="\r\n")
    writer.writerow(EXPORTED)
    writer.writerows(safe_row(row) for row in exported(connection, **scope))


def show_groups(found: list[Group], *, as_json: bool) -> None:
    """Write the findings by resource and rule."""
    if as_json:
        show_json([asdict(one) for one in found])
        return
    rows = [(one.resource, one.rule, one.severity, number(one.open), number(one.all), one.example) for one in found]
    right = ("Open", "All")
    if rows:
        out().print(table(("Resource", "Rule", "Severity", *right, "For example"), rows, right=right))
    show_sum(found)


def show_shares(found: list[Share], by: By, *, as_json: bool) -> None:
    """Write the findings by resource, office or agent."""
    if as_json:
        show_json([asdict(one) for one in found])
        return
    right = ("Refused", "Dropped", "Repaired", "Noted", "Open", "All")
    rows = [(one.name or "(not known)", *(number(getattr(one, name.lower())) for name in right)) for one in found]
    if rows:
        out().print(table((by.value.capitalize(), *right), rows, right=right))
    show_sum(found)


def show_sum(found: Sequence[Group | Share]) -> None:
    """Write how many findings there are in all."""
    if not found:
        show("There are no findings.")
        return
    show()
    show(
        f"{counted(sum(one.open for one in found), 'open finding')} of {number(sum(one.all for one in found))} in all."
    )
