"""`qqetl replay`: the newest raw versions through today's rules; what changes, and with `--apply` written."""

from collections import Counter
from typing import Annotated, Any

import typer

from etl.cli.session import working
from etl.cli.ui.format import counted, number
from etl.cli.ui.options import AsJson, Embedded, command_app, examples
from etl.cli.ui.progress import watching
from etl.cli.ui.terminal import out, show, show_json, table
from etl.models.states import Outcome
from etl.pipeline import Replayed, replay
from etl.resources import selected

app = command_app()

Resource = Annotated[
    str | None, typer.Option("--resource", metavar="NAME", help="Only this resource, and those made from it.")
]
Apply = Annotated[bool, typer.Option("--apply", help="Write what changes. Without it nothing is written.")]

#: Outcomes of records whose row is new or differs.
WRITTEN = (Outcome.INSERTED, Outcome.UPDATED)


@app.command(
    epilog=examples(
        "qqetl replay                        what today's rules would change",
        "qqetl replay --resource contacts    in one resource",
        "qqetl replay --apply                write it",
    )
)
def command(
    *, resource: Resource = None, apply: Apply = False, embedded: Embedded = False, as_json: AsJson = False
) -> None:
    """Take the newest version of every staged record through today's rules, without one call of the API.

    Dry unless told otherwise: it does the work in transactions that are rolled back, and says what would change.
    """
    resources = selected([resource] if resource else [])
    with working(embedded=embedded) as work, watching(len(resources)) as watch:
        done = replay(work.engine, work.settings, resource, apply=apply, watch=watch)
    if as_json:
        show_json(for_programs(done))
    else:
        show_replayed(done)


def show_replayed(done: Replayed) -> None:
    """Write which columns changed, or would change, and what became of the records."""
    if done.changes:
        rows = [
            (name, column, number(rows), ", ".join(some))
            for (name, column), (rows, some) in sorted(done.changes.items())
        ]
        out().print(table(("Table", "Column", "Rows", "Such as"), rows, right=("Rows",)))
        show()
    sums = totals(done)
    went = counted(sum(one["fetched"] for one in done.counts.values()), "record")
    new, changed = number(sums[Outcome.INSERTED]), number(sums[Outcome.UPDATED])
    verb = "were" if done.applied else "would be"
    show(f"{went} went through today's rules: {new} rows {verb} new, {changed} {verb} changed.")
    if done.applied:
        show(f"Written by batch {done.batch_id}.")
    elif any(sums[outcome] for outcome in WRITTEN):
        show("Nothing was written. `qqetl replay --apply` writes it.")


def totals(done: Replayed) -> Counter[str]:
    """Return the outcomes of all resources together."""
    sums: Counter[str] = Counter()
    for counts in done.counts.values():
        sums.update(counts)
    return sums


def for_programs(done: Replayed) -> dict[str, Any]:
    """Return a replay for JSON."""
    return {
        "applied": done.applied,
        "batch": str(done.batch_id) if done.batch_id else None,
        "changes": [
            {"table": name, "column": column, "rows": rows, "source_ids": some}
            for (name, column), (rows, some) in sorted(done.changes.items())
        ],
        "resources": {name: dict(counts) for name, counts in done.counts.items()},
    }
