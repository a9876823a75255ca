"""The end of the demo: what is in the tables, what the rules found, a question answered, where to look next."""

from functools import partial
from importlib.resources import files
from pathlib import Path

from rich.table import Table
from sqlalchemy import Connection, text

from etl.cli.session import Work
from etl.cli.ui.format import number
from etl.cli.ui.terminal import out, show, table
from etl.cli.views.summary import headline, show_books, show_trouble, traffic, wrote
from etl.pipeline import Summary
from etl.simulator import ASSUMED_CALLS, ASSUMED_FIELDS, ENTERPRISE_CALLS
from etl.status.findings import Group, groups
from etl.status.volumes import Volume, volumes

#: The question that the demo answers.
QUESTION = "expiring_policies"
#: Rules that the summary names.
MOST_RULES = 8


def show_demo(work: Work, summary: Summary) -> None:
    """Write the summary of the demo."""
    show()
    show(headline(summary), style="bold green" if summary.exit_status == 0 else "bold yellow")
    show(traffic(summary))
    show()
    out().print(contents(work.read(partial(volumes, tenant=work.tenant)), summary))
    if not wrote(summary):
        show("Nothing was written: the tables already hold what the API has.")
    show()
    show_books(summary)
    show_trouble(summary)
    show_findings(work.read(partial(groups, tenant=work.tenant, only_open=True)))
    show_answer(work)


def contents(found: list[Volume], summary: Summary) -> Table:
    """Return the production tables with their rows, what this run wrote, and the records staged for them."""
    right = ("Rows", "New", "Changed", "Staged")
    rows = []
    for one in found:
        written = summary.tables.get(one.table, {})
        numbers = (one.rows, written.get("inserted", 0), written.get("updated", 0), one.staged)
        rows.append((one.table, *(number(many) if many else "" for many in numbers)))
    made = table(("Table", *right), rows, right=right)
    made.add_section()
    made.add_row(
        f"{len(found)} tables", number(sum(one.rows for one in found)), "", "", number(sum(one.staged for one in found))
    )
    return made


def show_findings(found: list[Group]) -> None:
    """Write what the rules found, the most frequent first."""
    often = sorted(found, key=lambda one: -one.open)[:MOST_RULES]
    show()
    show("What the rules found", style="bold")
    rows = [(one.rule, one.severity, one.resource, number(one.open)) for one in often]
    out().print(table(("Rule", "Severity", "Resource", "Open"), rows, right=("Open",)))
    if len(found) > len(often):
        show(f"and {len(found) - len(often)} more: qqetl findings")


def show_answer(work: Work) -> None:
    """Write a query and its result."""
    question, _, statement = query().partition("\n")
    show()
    show(question.lstrip("- "), style="bold")
    show(statement, style="dim")
    show()
    out().print(work.read(partial(answer, statement=statement)))


def query() -> str:
    """Return the text of the query that answers the demo's question."""
    return (files("etl.reports") / f"{QUESTION}.sql").read_text(encoding="utf-8").strip()


def answer(connection: Connection, statement: str) -> Table:
    """Return the result of a query as a table."""
    result = connection.execute(text(statement))
    names = list(result.keys())
    rows = [tuple("" if value is None else shown(value) for value in row) for row in result]
    return table(names, rows, right=names[1:])


def shown(value: object) -> str:
    """Return a value of a result as a person reads it."""
    return number(value) if isinstance(value, int) else f"{value:,}" if hasattr(value, "as_tuple") else str(value)


def show_assumed() -> None:
    """Write which part of the demo an ordinary account does not have, or has with other fields."""
    show()
    show("What is assumed in this demo", style="bold")
    show(f"  No documented call returns: {spelled(ASSUMED_CALLS)}")
    show(f"  Only with enterprise access: {spelled(ENTERPRISE_CALLS)}")
    show(f"  Documented calls whose fields nobody published: {spelled(ASSUMED_FIELDS)}")
    show("  An ordinary account refuses the first two. A sync then reports them as not offered.")


def spelled(calls: tuple[str, ...]) -> str:
    """Return the names of calls as words."""
    return ", ".join(name.replace("_", " ") for name in calls)


def show_next(folder: Path, *, runs_on: bool) -> None:
    """Write where to look next."""
    show()
    show("Where to look next (in a checkout, ./run stands for qqetl)", style="bold")
    show(f"  export ETL_DATA_DIR={folder}")
    for words in ("status", "runs", "findings --open", "db url"):
        show(f"  qqetl {words}{'' if words.startswith('db') else ' --embedded'}")
    if runs_on:
        show('  psql "$(qqetl db url --password)"')
    else:
        show("and from a shell without that setting:")
        show("  qqetl demo            once more: nothing is written")
        show("  qqetl demo --keep     the servers go on, for psql and other programs")
        show("  qqetl demo --live     the agency lives, and changes come in as they happen")
        show("  qqetl demo --clear    remove it")
