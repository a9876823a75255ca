"""Summary of a reconcile's dry run: which records are missing in QQCatalyst."""

from etl.cli.ui.terminal import print_line
from etl.cli.views.balance import find_failures
from etl.cli.views.summary import ID_LENGTH
from etl.config.redaction import escape_control_characters
from etl.models.states import IncidentKind, ResourceState
from etl.pipeline import Summary
from etl.status.format import format_count, format_duration, format_number, join_words


def show_deletion_preview(summary: Summary) -> None:
    """Print the summary to standard output."""
    failures = find_failures(summary.parts)
    compared = format_count(sum(scan.known_count for scan in summary.swept), "record")
    calls, elapsed = format_count(summary.calls, "API call"), format_duration(summary.seconds)
    print_line()
    style = "bold yellow" if failures else "bold green"
    print_line(f"Compared {compared} with QQCatalyst in {calls} (took {elapsed}).", style=style)
    print_line("Nothing was loaded, changed or deleted.")
    print_line()
    over_limit = {part.resource for part in summary.parts if part.trouble is IncidentKind.BRAKE_PULLED}
    missing = [scan for scan in summary.swept if scan.missing_count]
    for scan in missing:
        counts = f"{format_number(scan.missing_count)} of {format_number(scan.known_count)} records"
        print_line(f"{scan.resource}: {counts} are missing in QQCatalyst")
    if any(scan.resource not in over_limit for scan in missing):
        print_line("To mark them deleted: `qqetl reconcile`.")
    unproven = [scan.resource for scan in summary.swept if not scan.is_proven]
    if unproven:
        print_line(f"Not known, since QQCatalyst answered without a list: {join_words(unproven)}")
    elif summary.swept and not missing:
        print_line("No record is missing in QQCatalyst.")
    if not_offered := [part.resource for part in summary.parts if part.status is ResourceState.NOT_OFFERED]:
        print_line(f"Not offered by this account: {join_words(not_offered)}")
    for resource, reason in failures:
        print_line(f"✗ {resource}: {escape_control_characters(reason)}", style="red")
    if any(resource not in over_limit for resource, _ in failures):
        print_line(f"To read what is left: `qqetl retry {str(summary.batch.id)[:ID_LENGTH]}`.")
