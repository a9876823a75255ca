"""`qqetl explain`: where a row of production comes from, column by column."""

from functools import partial
from typing import Annotated

import typer

from etl.cli.session import working
from etl.cli.ui.format import counted, listed, moment
from etl.cli.ui.options import AsJson, Embedded, command_app, examples
from etl.cli.ui.terminal import out, show, show_json, table
from etl.config.redaction import on_one_line
from etl.status.column_trace import Did, Story
from etl.status.explain import Explanation, Road, explain
from etl.status.explanation import for_programs, shown
from etl.status.lineage import Origin, Request

app = command_app()

TableName = Annotated[str, typer.Argument(metavar="TABLE", help="A production table, such as policies.")]
SourceId = Annotated[str, typer.Argument(metavar="SOURCE_ID", help="The vendor's own id: the row's source_id.")]
Personal = Annotated[bool, typer.Option("--personal", help="Show personal values; otherwise their shape alone.")]


@app.command(
    epilog=examples(
        "qqetl explain contacts 1001",
        "qqetl explain contacts 1001 --personal",
    )
)
def command(
    table_name: TableName,
    source_id: SourceId,
    *,
    personal: Personal = False,
    embedded: Embedded = False,
    as_json: AsJson = False,
) -> None:
    """Show where a row comes from: batch, call and staged record, and of each column the raw value and its fate."""
    with working(embedded=embedded) as work:
        told = work.read(partial(explain, settings=work.settings, table=table_name, source_id=source_id))
    if as_json:
        show_json(for_programs(told, personal=personal))
    else:
        show_explanation(told, personal=personal)


def show_explanation(told: Explanation, *, personal: bool) -> None:
    """Write an explanation for a person."""
    show(f"{told.table} {told.source_id}: {standing(told)}", style="bold")
    for words in spoken_of(told):
        show(words)
    for road in told.roads:
        show()
        show_road(road, personal=personal)
    if told.computed:
        show()
        show("Computed after the load: " + listed([f"{name} {value}" for name, value in told.computed.items()]))
    show_findings(told)


def standing(told: Explanation) -> str:
    """Return how a row stands."""
    if told.row is None:
        return "staged, and no row of production"
    if told.is_placeholder:
        return "a placeholder: its own record has not arrived"
    deleted = told.row["deleted_at"]
    return f"deleted, as of {moment(deleted)} UTC" if deleted else "in production"


def spoken_of(told: Explanation) -> list[str]:
    """Return in words who speaks of a placeholder."""
    return [
        f"Known from {counted(one.number, 'row')} of {one.table} ({one.column}): {', '.join(one.source_ids)}"
        + (" ..." if one.number > len(one.source_ids) else "")
        for one in told.referrers
    ]


def show_road(road: Road, *, personal: bool) -> None:
    """Write one road: the record behind it, and its columns."""
    if road.origin is None:
        show(f"By {road.resource}: nothing has come.", style="dim")
        return
    show(f"By {road.resource}: {state_of(road.origin)}")
    for words in way_of(road.origin):
        show(f"  {words}")
    rows = [line(one, personal=personal) for one in road.columns]
    out().print(table(("Column", "From", "Raw", "What the rules did"), rows))


def state_of(origin: Origin) -> str:
    """Return what became of a staged record."""
    words = [f"raw {origin.raw_id}, {origin.status}"]
    words += [f"version of {moment(origin.version_at)} UTC, {counted(origin.versions, 'version')} staged"]
    words += ["gone at the source"] if origin.is_gone else []
    words += [on_one_line(origin.error)] if origin.error else []
    return "; ".join(words)


def way_of(origin: Origin) -> list[str]:
    """Return how a record came: its batch, its call, the record that it was made from or asked for by."""
    words = []
    if origin.batch is not None:
        window = f"{moment(origin.batch.window_start)} to {moment(origin.batch.window_end)} UTC"
        words.append(f"batch {origin.batch.id} ({origin.batch.command}, {window})")
    if origin.request is not None:
        words.append(call(origin.request))
    if origin.parent is not None:
        of_parent = f", {call(origin.parent.request)}" if origin.parent.request and not origin.request else ""
        words.append(f"with {origin.parent.resource} {origin.parent.source_id}, raw {origin.parent.raw_id}{of_parent}")
    return words or ["batch and call are no longer kept"]


def call(request: Request) -> str:
    """Return a call in words."""
    page = f", page {request.page}" if request.page is not None else ""
    return f"call {request.path}{page} at {moment(request.requested_at)} UTC"


def line(one: Story, *, personal: bool) -> tuple[object, ...]:
    """Return the row of one column."""
    raw = "-" if one.raw is None else shown(one, one.raw, personal=personal)
    return one.column, one.source, raw, fate(one, personal=personal)


def fate(one: Story, *, personal: bool) -> str:
    """Return what became of a raw value, in words."""
    words = one.did.value
    if one.did in (Did.NORMALIZED, Did.REPAIRED):
        words += f" ({one.kind}) -> {shown(one, one.clean, personal=personal)}"
    if one.did is Did.POINTS:
        words += f" {one.table} {one.clean}"
    if one.rule:
        words += f": {one.rule}, {one.words}"
    if one.differs:
        words += f"; the row has {'nothing' if one.stored is None else shown(one, one.stored, personal=personal)}"
    return words


def show_findings(told: Explanation) -> None:
    """Write the findings about the row."""
    if told.findings:
        show()
        rows = [(one.field, one.rule, one.severity, one.state, one.message) for one in told.findings]
        out().print(table(("Field", "Rule", "Severity", "State", "Finding"), rows))
