"""`qqetl findings`: data quality findings by rule, resource, office or agent, or all as CSV."""

import csv
import sys
from collections.abc import Sequence
from functools import partial
from typing import Annotated

import typer
from sqlalchemy import Connection

from etl.cli.session import open_session
from etl.cli.ui.options import AsJson, Embedded, create_app, format_examples, reject_combination
from etl.cli.ui.spreadsheet import safe_row
from etl.cli.ui.terminal import build_table, print_json, print_line, stdout
from etl.resources import find_resource
from etl.status.findings import (
    EXPORT_COLUMNS,
    FindingCounts,
    GroupBy,
    RuleCounts,
    count_by_rule,
    count_findings_by,
    export_findings,
)
from etl.status.format import format_count, format_number

app = create_app()

Resource = Annotated[str | None, typer.Option("--resource", metavar="NAME", help="Only findings of this resource.")]
Open = Annotated[bool, typer.Option("--open", help="Only open findings: not yet fixed in QQCatalyst.")]
Grouping = Annotated[GroupBy, typer.Option("--by", help="Group by this.")]
AsCsv = Annotated[bool, typer.Option("--csv", help="Print each finding as a line of CSV; personal values are masked.")]


@app.command(
    epilog=format_examples(
        "qqetl findings --open",
        "qqetl findings --open --by agent",
        "qqetl findings --resource contacts --csv > findings.csv",
    )
)
def command(
    *,
    resource: Resource = None,
    by: Grouping = GroupBy.RULE,
    only_open: Open = False,
    as_csv: AsCsv = False,
    embedded: Embedded = False,
    as_json: AsJson = False,
) -> None:
    """Show the findings of rules and checks, with an example per rule, or grouped by resource, office or agent.

    refused: the record was not loaded. dropped: the value was not loaded. repaired: the value was corrected.
    noted: for information.
    """
    if as_csv:
        reject_combination("--csv", {"--json": as_json, "--by": by is not GroupBy.RULE})
    if resource is not None:
        find_resource(resource)
    with open_session(embedded=embedded) as session:
        if as_csv:
            session.read(partial(write_csv, tenant=session.tenant, resource=resource, only_open=only_open))
        elif by is GroupBy.RULE:
            finding_groups = session.read(
                partial(count_by_rule, tenant=session.tenant, resource=resource, only_open=only_open)
            )
            show_groups(finding_groups, as_json=as_json)
        else:
            query = partial(count_findings_by, tenant=session.tenant, by=by, resource=resource, only_open=only_open)
            show_shares(session.read(query), by, as_json=as_json)


def write_csv(connection: Connection, tenant: str, resource: str | None, *, only_open: bool) -> None:
    """Write all findings to standard output as CSV."""
    writer = csv.writer(sys.stdout, lineterminator="\r\n")
    writer.writerow(EXPORT_COLUMNS)
    writer.writerows(safe_row(row) for row in export_findings(connection, tenant, resource, only_open=only_open))


def show_groups(finding_groups: list[RuleCounts], *, as_json: bool) -> None:
    """Print the findings by resource and rule."""
    if as_json:
        print_json(finding_groups)
        return
    rows = [
        (group.resource, group.rule, group.severity, format_number(group.open), format_number(group.all), group.example)
        for group in finding_groups
    ]
    numeric = ("Open", "All")
    if rows:
        stdout().print(build_table(("Resource", "Rule", "Severity", *numeric, "Example"), rows, numeric=numeric))
    show_total(finding_groups)


def show_shares(finding_shares: list[FindingCounts], by: GroupBy, *, as_json: bool) -> None:
    """Print the findings by resource, office or agent."""
    if as_json:
        print_json(finding_shares)
        return
    numeric = ("Refused", "Dropped", "Repaired", "Noted", "Open", "All")
    rows = [
        (share.name or "(unknown)", *(format_number(getattr(share, name.lower())) for name in numeric))
        for share in finding_shares
    ]
    if rows:
        stdout().print(build_table((by.value.capitalize(), *numeric), rows, numeric=numeric))
    show_total(finding_shares)


def show_total(finding_groups: Sequence[RuleCounts | FindingCounts]) -> None:
    """Print the number of findings."""
    if not finding_groups:
        print_line("No findings.")
        return
    print_line()
    open_findings = format_count(sum(group.open for group in finding_groups), "open finding")
    print_line(f"{open_findings}, {format_number(sum(group.all for group in finding_groups))} in total.")
