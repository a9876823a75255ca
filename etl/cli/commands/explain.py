"""`qqetl explain`: show where a production row comes from, column by column."""

from datetime import UTC, datetime
from functools import partial
from typing import Annotated

import typer

from etl.cli.session import open_session
from etl.cli.ui.options import AsJson, Embedded, create_app, format_examples
from etl.cli.ui.terminal import build_table, print_json, print_line, stdout
from etl.config.redaction import escape_control_characters
from etl.local_time import format_bound, format_moment
from etl.status.column_trace import ColumnResult, ColumnTrace
from etl.status.explain import Explanation, SourceTrace, explain
from etl.status.explanation import explanation_to_json, format_value
from etl.status.format import format_count, join_words
from etl.status.lineage import Origin, StagingRequest

app = create_app()

TableName = Annotated[str, typer.Argument(metavar="TABLE", help="A production table, such as policies.")]
SourceId = Annotated[str, typer.Argument(metavar="SOURCE_ID", help="The record's id in QQCatalyst: column source_id.")]
Personal = Annotated[bool, typer.Option("--personal", help="Show personal values; they are masked by default.")]


@app.command(
    epilog=format_examples(
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
    """Show where a row comes from: batch, call and staged record, and how each column was cleaned."""
    with open_session(embedded=embedded) as session:
        explanation = session.read(
            partial(explain, options=session.settings.cleaning, table=table_name, source_id=source_id)
        )
    if as_json:
        print_json(explanation_to_json(explanation, personal=personal))
    else:
        show_explanation(explanation, personal=personal)


def show_explanation(explanation: Explanation, *, personal: bool) -> None:
    """Print an explanation."""
    print_line(f"{explanation.table} {explanation.source_id}: {describe_row(explanation)}", style="bold")
    for text in describe_referrers(explanation):
        print_line(text)
    for source in explanation.sources:
        print_line()
        show_source(source, personal=personal)
    if explanation.computed:
        print_line()
        print_line(
            "Computed after the load: "
            + join_words([f"{name} {value}" for name, value in explanation.computed.items()])
        )
    show_findings(explanation)


def describe_row(explanation: Explanation) -> str:
    """Return the state of a row as text."""
    if explanation.row is None:
        return "staged, but not in production"
    if explanation.is_placeholder:
        return "a placeholder: its own record has not arrived"
    deleted = explanation.row["deleted_at"]
    return f"deleted at {format_past(deleted)}" if deleted else "in production"


def describe_referrers(explanation: Explanation) -> list[str]:
    """Return the rows that refer to a placeholder, as texts."""
    return [
        f"Referenced by {format_count(referrer.number, 'row')} of {referrer.table} ({referrer.column}): "
        + ", ".join(referrer.source_ids)
        + (" ..." if referrer.number > len(referrer.source_ids) else "")
        for referrer in explanation.referrers
    ]


def show_source(source: SourceTrace, *, personal: bool) -> None:
    """Print one source of the row: its staged record, and its columns."""
    if source.origin is None:
        print_line(f"{source.resource}: no data received yet.", style="dim")
        return
    print_line(f"{source.resource}: {describe_record(source.origin)}")
    for line in describe_origin(source.origin):
        print_line(f"  {line}")
    rows = [column_to_row(trace, personal=personal) for trace in source.columns]
    stdout().print(build_table(("Column", "From", "Raw value", "Result"), rows))


def describe_record(origin: Origin) -> str:
    """Return the state of a staged record as text."""
    parts = [f"raw row {origin.raw_id}, {origin.status}"]
    parts += [f"version of {format_past(origin.version_at)}, {format_count(origin.versions, 'version')} staged"]
    parts += ["missing in QQCatalyst"] if origin.is_gone else []
    parts += [escape_control_characters(origin.error)] if origin.error else []
    return "; ".join(parts)


def describe_origin(origin: Origin) -> list[str]:
    """Return the batch, the call and the parent record that a record came from, as texts."""
    lines = []
    if origin.batch is not None:
        window = f"{format_bound(origin.batch.window_start)} to {format_bound(origin.batch.window_end)}"
        lines.append(f"batch {origin.batch.id} ({origin.batch.command}, {window})")
    if origin.request is not None:
        lines.append(describe_call(origin.request))
    if origin.parent is not None:
        parent_call = (
            f", {describe_call(origin.parent.request)}" if origin.parent.request and not origin.request else ""
        )
        lines.append(
            f"parent {origin.parent.resource} {origin.parent.source_id}, raw row {origin.parent.raw_id}{parent_call}"
        )
    return lines or ["batch and call are no longer stored"]


def format_past(when: datetime) -> str:
    """Return a past time, and how long ago it is."""
    return format_moment(when, datetime.now(UTC))


def describe_call(request: StagingRequest) -> str:
    """Return a call as text."""
    page = f", page {request.page}" if request.page is not None else ""
    return f"call {request.path}{page} at {format_past(request.requested_at)}"


def column_to_row(trace: ColumnTrace, *, personal: bool) -> tuple[object, ...]:
    """Return the table row of one column."""
    raw = "-" if trace.raw is None else format_value(trace, trace.raw, personal=personal)
    return trace.column, trace.source, raw, describe_cleaning(trace, personal=personal)


def describe_cleaning(trace: ColumnTrace, *, personal: bool) -> str:
    """Return what the rules did with a raw value, as text."""
    text = trace.result.value
    if trace.result in (ColumnResult.NORMALIZED, ColumnResult.REPAIRED):
        text += f" ({trace.kind}) -> {format_value(trace, trace.clean, personal=personal)}"
    if trace.result is ColumnResult.POINTS:
        text += f" {trace.table} {trace.clean}"
    if trace.rule:
        text += f": {trace.rule}, {trace.message}"
    if trace.differs:
        text += (
            f"; the row has {'NULL' if trace.stored is None else format_value(trace, trace.stored, personal=personal)}"
        )
    return text


def show_findings(explanation: Explanation) -> None:
    """Print the findings of the row."""
    if explanation.findings:
        print_line()
        rows = [
            (finding.field, finding.rule, finding.severity, finding.state, finding.message)
            for finding in explanation.findings
        ]
        stdout().print(build_table(("Field", "Rule", "Severity", "State", "Finding"), rows))
