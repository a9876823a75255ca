"""`qqetl replay`: run stored records through the current rules; show or apply the changes."""

from collections import Counter
from typing import Annotated, Any

import typer

from etl.cli.session import open_session
from etl.cli.ui.options import AsJson, Embedded, create_app, format_examples
from etl.cli.ui.progress import show_progress
from etl.cli.ui.terminal import build_table, print_json, print_line, stdout
from etl.models.states import Outcome
from etl.pipeline import Replayed, replay
from etl.resources import selected
from etl.status.format import format_count, format_number

app = create_app()

Resource = Annotated[
    str | None, typer.Option("--resource", metavar="NAME", help="Only this resource, and resources made from it.")
]
Apply = Annotated[bool, typer.Option("--apply", help="Write the changes. Without this option nothing is written.")]

#: Outcomes of records whose row is new or changed.
CHANGED = (Outcome.INSERTED, Outcome.UPDATED)


@app.command(
    epilog=format_examples(
        "qqetl replay                        show what the current rules would change",
        "qqetl replay --resource contacts    for one resource",
        "qqetl replay --apply                write the changes",
    )
)
def command(
    *, resource: Resource = None, apply: Apply = False, embedded: Embedded = False, as_json: AsJson = False
) -> None:
    """Run the newest version of each staged record through the current rules, without API calls.

    By default this is a dry run: all changes are rolled back and reported.
    """
    resources = selected([resource] if resource else [])
    with open_session(embedded=embedded) as session, show_progress(len(resources)) as watch:
        result = replay(session.engine, session.settings, resource, apply=apply, watch=watch)
    if as_json:
        print_json(replay_to_json(result))
    else:
        show_changes(result)


def show_changes(result: Replayed) -> None:
    """Print the columns that changed or would change, and the outcomes of the records."""
    if result.changes:
        rows = [
            (name, column, format_number(rows), ", ".join(examples))
            for (name, column), (rows, examples) in sorted(result.changes.items())
        ]
        stdout().print(build_table(("Table", "Column", "Rows", "Examples"), rows, numeric=("Rows",)))
        print_line()
    outcomes = sum_outcomes(result)
    records = format_count(sum(counts["fetched"] for counts in result.counts.values()), "record")
    new, changed = format_number(outcomes[Outcome.INSERTED]), format_number(outcomes[Outcome.UPDATED])
    verb = "were" if result.applied else "would be"
    print_line(f"Replayed {records} with the current rules: {new} rows {verb} inserted, {changed} updated.")
    if result.applied:
        print_line(f"Written by batch {result.batch_id}.")
    elif any(outcomes[outcome] for outcome in CHANGED):
        print_line("Nothing was written. To write the changes: qqetl replay --apply")


def sum_outcomes(result: Replayed) -> Counter[str]:
    """Return the outcomes of all resources together."""
    totals: Counter[str] = Counter()
    for counts in result.counts.values():
        totals.update(counts)
    return totals


def replay_to_json(result: Replayed) -> dict[str, Any]:
    """Return the result as JSON."""
    return {
        "applied": result.applied,
        "batch": result.batch_id,
        "changes": [
            {"table": name, "column": column, "rows": rows, "source_ids": source_ids}
            for (name, column), (rows, source_ids) in sorted(result.changes.items())
        ],
        "resources": result.counts,
    }
