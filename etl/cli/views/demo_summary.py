"""Summary of the demo: tables, findings, an example query, and next steps."""

from functools import partial
from importlib.resources import files
from pathlib import Path

from rich.table import Table
from sqlalchemy import Connection, text

from etl.cli.session import CommandSession
from etl.cli.ui.terminal import build_table, print_line, stdout
from etl.cli.views.summary import (
    describe_nothing_written,
    format_traffic,
    has_changes,
    show_balance,
    show_failures,
    show_headline,
)
from etl.pipeline import Summary
from etl.simulator import ASSUMED_CALLS, ASSUMED_FIELDS, ENTERPRISE_CALLS
from etl.status.findings import RuleCounts, count_by_rule
from etl.status.format import format_number
from etl.status.volumes import Volume, table_volumes

#: The report that the demo runs.
DEMO_QUERY = "expiring_policies"
#: Rules that the summary lists.
MAX_RULES = 8


def show_demo(session: CommandSession, summary: Summary) -> None:
    """Print the summary of the demo."""
    print_line()
    show_headline(summary)
    print_line(format_traffic(summary))
    print_line()
    stdout().print(build_contents_table(session.read(partial(table_volumes, tenant=session.tenant)), summary))
    if not has_changes(summary):
        print_line(describe_nothing_written(summary))
    print_line()
    show_balance(summary)
    show_failures(summary)
    show_frequent_findings(session.read(partial(count_by_rule, tenant=session.tenant, only_open=True)))
    show_answer(session)


def build_contents_table(table_volumes: list[Volume], summary: Summary) -> Table:
    """Return a table of the production tables: rows, rows written by this run, and staged records."""
    numeric = ("Rows", "New", "Changed", "Staged")
    rows = []
    for volume in table_volumes:
        counts = summary.tables.get(volume.table, {})
        row_counts = (volume.rows, counts.get("inserted", 0), counts.get("updated", 0), volume.staged)
        rows.append((volume.table, *(format_number(count) if count else "" for count in row_counts)))
    result = build_table(("Table", *numeric), rows, numeric=numeric)
    result.add_section()
    result.add_row(
        f"{len(table_volumes)} tables",
        format_number(sum(volume.rows for volume in table_volumes)),
        "",
        "",
        format_number(sum(volume.staged for volume in table_volumes)),
    )
    return result


def show_frequent_findings(finding_groups: list[RuleCounts]) -> None:
    """Print the findings by rule, most frequent first."""
    frequent = sorted(finding_groups, key=lambda group: -group.open)[:MAX_RULES]
    print_line()
    print_line("Data quality findings", style="bold")
    rows = [(group.rule, group.severity, group.resource, format_number(group.open)) for group in frequent]
    stdout().print(build_table(("Rule", "Severity", "Resource", "Open"), rows, numeric=("Open",)))
    if len(finding_groups) > len(frequent):
        print_line(f"{len(finding_groups) - len(frequent)} more: qqetl findings")


def show_answer(session: CommandSession) -> None:
    """Print a query and its result."""
    title, _, statement = read_demo_query().partition("\n")
    print_line()
    print_line(title.lstrip("- "), style="bold")
    print_line(statement, style="dim")
    print_line()
    stdout().print(session.read(partial(run_demo_query, statement=statement)))


def read_demo_query() -> str:
    """Return the SQL of the example query, with its title as a comment."""
    return (files("etl.reports") / f"{DEMO_QUERY}.sql").read_text(encoding="utf-8").strip()


def run_demo_query(connection: Connection, statement: str) -> Table:
    """Return the result of a query as a table."""
    result = connection.execute(text(statement))
    names = list(result.keys())
    rows = [tuple("" if value is None else format_value(value) for value in row) for row in result]
    return build_table(names, rows, numeric=names[1:])


def format_value(value: object) -> str:
    """Return a value of a query result as text."""
    return (
        format_number(value) if isinstance(value, int) else f"{value:,}" if hasattr(value, "as_tuple") else str(value)
    )


def show_assumed() -> None:
    """Print which parts of the demo an ordinary account does not have, or has with other fields."""
    print_line()
    print_line("What is assumed in this demo", style="bold")
    print_line(f"  No documented call returns: {format_calls(ASSUMED_CALLS)}")
    print_line(f"  Only with enterprise access: {format_calls(ENTERPRISE_CALLS)}")
    print_line(f"  Documented calls whose fields nobody has published: {format_calls(ASSUMED_FIELDS)}")
    print_line("  An ordinary account refuses the first two. A sync then reports them as not offered.")


def format_calls(calls: tuple[str, ...]) -> str:
    """Return the names of calls as text."""
    return ", ".join(name.replace("_", " ") for name in calls)


def show_next_steps(folder: Path, *, servers_running: bool) -> None:
    """Print commands to try next."""
    print_line()
    print_line("Next steps (in a checkout, use ./run instead of qqetl)", style="bold")
    print_line(f"  export ETL_DATA_DIR={folder}")
    for command in ("status", "runs", "findings --open", "db url"):
        print_line(f"  qqetl {command}{'' if command.startswith('db') else ' --embedded'}")
    if servers_running:
        print_line('  psql "$(qqetl db url --password)"')
    else:
        print_line("In a shell without that setting:")
        print_line("  qqetl demo            run it again; nothing changes")
        print_line("  qqetl demo --keep     keep the servers running, for psql and other programs")
        print_line("  qqetl demo --live     simulate ongoing changes and keep syncing")
        print_line("  qqetl demo --clear    remove the demo")
