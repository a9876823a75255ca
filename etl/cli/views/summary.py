"""Summary of a run: result, changed rows, balance, failures and what to do next."""

from collections.abc import Iterator
from typing import Any

from rich.table import Table

from etl.cli.ui.terminal import build_table, check_mark, print_line, print_wrapped, stdout
from etl.cli.views.balance import batch_resource_to_json, find_failures, format_balance, sum_counts
from etl.config.redaction import escape_control_characters
from etl.extract.selection import NEEDS_ENTERPRISE_ACCESS
from etl.ledger.children.child_samples import ChildSample
from etl.ledger.quality.empty_columns import describe_empty_columns, is_empty_column
from etl.ledger.sync_history import COUNT_COLUMNS
from etl.local_time import format_bound
from etl.models.states import IncidentKind, Outcome, ResourceState
from etl.pipeline import Summary
from etl.status.format import format_count, format_duration, format_number, format_rate, join_words

#: Characters of a batch id that are shown.
ID_LENGTH = 8
#: Format changes that the summary lists.
MAX_CHANGES = 5


def show_summary(summary: Summary) -> None:
    """Print the summary to standard output."""
    print_line()
    show_headline(summary)
    print_line(format_traffic(summary))
    print_line()
    if has_changes(summary):
        stdout().print(build_changes_table(summary))
    else:
        print_line(describe_nothing_written(summary))
    print_line()
    show_balance(summary)
    show_samples(summary)
    show_drift(summary)
    show_failures(summary)


def show_headline(summary: Summary) -> None:
    """Print the result of the run, wrapped at the width of the terminal."""
    for line in format_headline(summary).splitlines():
        print_wrapped(line, style="bold green" if summary.exit_status == 0 else "bold yellow")


def format_headline(summary: Summary) -> str:
    """Return the result of the run."""
    elapsed = format_duration(summary.seconds)
    if failed_resources := find_failures(summary.parts):
        return f"Finished in {elapsed}, but {format_count(len(failed_resources), 'resource')} failed"
    if limit := summary.batch.options.get("limit"):
        return f"Read a sample of about {format_number(limit)} records of each resource (took {elapsed})."
    start, end = format_bound(summary.batch.window.start), format_bound(summary.batch.window.end)
    covered = f"Covered {start} to {end}."
    if summary.incomplete:
        left = f"Still to be read: {join_words(list(summary.incomplete))}; see `qqetl status`."
        return f"Finished the calls that were due (took {elapsed}).\n{covered}\n{left}"
    return f"Up to date with QQCatalyst (took {elapsed}).\n{covered}"


def format_traffic(summary: Summary) -> str:
    """Return the records fetched, the API calls and the time spent waiting."""
    fetched = sum_counts(summary.parts)["fetched"]
    text = f"Fetched {format_count(fetched, 'record')} in {format_count(summary.calls, 'API call')}"
    if summary.seconds:
        text += f" ({format_rate(summary.calls / summary.seconds, 'calls')})"
    return text + (
        f"\nCalls waited {format_duration(summary.waited)} in all for the call limit" if summary.waited >= 1 else ""
    )


def describe_nothing_written(summary: Summary) -> str:
    """Return why nothing was written, if nothing is missing."""
    if refused := sum_counts(summary.parts)[Outcome.REFUSED]:
        return f"Nothing was written: {format_count(refused, 'record')} refused."
    is_whole = summary.exit_status == 0 and not summary.incomplete
    return "Nothing was written: production is already up to date." if is_whole else "Nothing was written."


def has_changes(summary: Summary) -> bool:
    """Return whether the run changed a production row."""
    return any(
        count for counts in summary.tables.values() for name, count in counts.items() if name != Outcome.UNCHANGED
    )


def build_changes_table(summary: Summary) -> Table:
    """Return the table of changed rows."""
    columns = [name for name in COUNT_COLUMNS if any(counts[name] for counts in summary.tables.values())]
    rows = [(name, *(format_number(counts[column]) for column in columns)) for name, counts in summary.tables.items()]
    total = ("all", *(format_number(sum(counts[column] for counts in summary.tables.values())) for column in columns))
    headers = [name.capitalize() for name in columns]
    result = build_table(["Table", *headers], rows, numeric=headers)
    result.add_section()
    result.add_row(*total, style="bold")
    return result


def show_balance(summary: Summary) -> None:
    """Print the balance of all resources, the number of findings, and the resources not offered."""
    totals = sum_counts(summary.parts)
    stdout().print(
        check_mark(not find_failures(summary.parts)),
        f"{format_number(totals['fetched'])} fetched = {format_balance(totals)}",
    )
    if totals["findings"] or summary.open_findings:
        of_run = format_count(totals["findings"], "finding")
        print_line(f"  {of_run} in this run, {format_number(summary.open_findings)} open: see `qqetl findings --open`")
    for sentence in describe_absent(summary):
        print_wrapped(sentence, indent=2)


def describe_absent(summary: Summary) -> Iterator[str]:
    """Yield which resources the account lacks, and that this is no error."""
    absent = {part.resource: part.error for part in summary.parts if part.status is ResourceState.NOT_OFFERED}
    enterprise = [name for name, reason in absent.items() if reason == NEEDS_ENTERPRISE_ACCESS]
    if others := [name for name in absent if name not in enterprise]:
        yield (
            f"Not offered by this account: {join_words(others)}. This is not an error: most accounts do not have them. "
            "`qqetl doctor` shows which of these tables are filled in another way."
        )
    if enterprise:
        yield f"Only with Enterprise API access: {join_words(enterprise)}. Their tables stay empty."


def show_samples(summary: Summary) -> None:
    """Print which calls are left out because a sample of parents had no records, and which are not, and why."""
    for sample in summary.samples:
        if sample.decided_at is not None:
            print_wrapped(describe_sample(sample), indent=2)


def describe_sample(sample: ChildSample) -> str:
    """Return the outcome of a sample as a sentence."""
    if sample.counter_example is not None:
        return (
            f"{sample.resource}: {sample.parent} {sample.counter_example} was never changed and has some, so they are "
            f"requested for all {sample.parent}"
        )
    return (
        f"{sample.resource}: requested only for {sample.parent} that were ever changed; a sample of "
        f"{len(sample.parent_ids)} others has none"
    )


def show_drift(summary: Summary) -> None:
    """Print the changes in the format of the responses, and columns without any value; each is reported once."""
    columns = list(describe_empty_columns(summary.drift))
    for description in columns:
        print_wrapped(f"Probably misread: {description}", indent=2)
    if columns:
        print_wrapped("QQCatalyst may have these values under another name: see `qqetl doctor`", indent=2)
    changes = [
        f"{change.resource}: {escape_control_characters(change.description)}"
        for change in summary.drift
        if not is_empty_column(change)
    ]
    if changes:
        hidden = len(changes) - MAX_CHANGES
        more = f"; and {format_number(hidden)} more" if hidden > 0 else ""
        print_wrapped(
            f"Response format changed (see `qqetl doctor`): {'; '.join(changes[:MAX_CHANGES])}{more}", indent=2
        )


def show_failures(summary: Summary) -> None:
    """Print the failed resources, the reasons, and the command to run next."""
    failed_resources = find_failures(summary.parts)
    for resource, reason in failed_resources:
        print_line(f"✗ {resource}: {escape_control_characters(reason)}", style="red")
    name = str(summary.batch.id)[:ID_LENGTH]
    if failed_resources and not is_only_over_limit(summary):
        print_line(f"Everything else was loaded. To retry: `qqetl retry {name}`, or wait for the next `qqetl sync`.")
    else:
        print_line(f"  Batch {name}: see `qqetl runs {name}`")
    if summary.resumed_batch is not None:
        name = str(summary.resumed_batch)[:ID_LENGTH]
        print_line(f"  Includes the interrupted batch {name}: see `qqetl runs {name}`")


def is_only_over_limit(summary: Summary) -> bool:
    """Return whether the deletion limit caused every failure: all data is loaded, and a retry changes nothing."""
    failed = [part for part in summary.parts if part.status is ResourceState.FAILED]
    return bool(failed) and all(part.trouble is IncidentKind.BRAKE_PULLED for part in failed)


def summary_to_json(summary: Summary) -> dict[str, Any]:
    """Return the summary as JSON."""
    batch = summary.batch
    return {
        "batch": batch.id,
        "resumed_batch": summary.resumed_batch,
        "status": batch.status,
        "exit_status": summary.exit_status,
        "window": batch.window,
        "seconds": round(summary.seconds, 3),
        "calls": summary.calls,
        "waited_seconds": round(summary.waited, 3),
        "open_findings": summary.open_findings,
        "error": batch.error,
        "drift": [
            {"resource": change.resource, "path": change.path, "change": change.description} for change in summary.drift
        ],
        "resources": [batch_resource_to_json(part) for part in summary.parts],
        "tables": summary.tables,
        "vanished": {scan.resource: scan.missing_count for scan in summary.swept if scan.missing_count},
    }
