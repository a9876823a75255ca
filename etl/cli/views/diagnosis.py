"""Report of `qqetl doctor`: setup checks, API calls, drift and advice."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from rich.text import Text

from etl.cli.ui.errors import format_error
from etl.cli.ui.format import format_duration, format_number, format_time, join_words
from etl.cli.ui.terminal import build_table, check_mark, print_line, stdout
from etl.config.redaction import escape_control_characters
from etl.errors import EtlError
from etl.ledger.quality.drift import DriftChange
from etl.pipeline.doctor import FAILURES, CallReport, CallStatus

#: A larger difference of the clocks is reported; windows use the API's clock in any case.
MAX_CLOCK_SKEW = timedelta(minutes=5)
#: Exit status if a call failed, as after a run with failed resources.
SOME_FAILED = 6
#: Fields that a cell lists; `--json` lists all.
MAX_FIELDS = 6


@dataclass(frozen=True, slots=True)
class SetupCheck:
    """One thing that a run needs, and whether it is ready."""

    name: str
    is_good: bool
    message: str
    exit_status: int = 0


@dataclass
class Diagnosis:
    """Result of `qqetl doctor`."""

    checks: list[SetupCheck] = field(default_factory=list)
    calls: list[CallReport] = field(default_factory=list)
    drift: list[DriftChange] = field(default_factory=list)
    skew: timedelta = timedelta()

    def add_passed(self, name: str, message: str) -> None:
        """Add a check that passed."""
        self.checks.append(SetupCheck(name, is_good=True, message=message))

    def add_failed(self, name: str, error: EtlError) -> None:
        """Add a check that failed, with the message of the error."""
        self.checks.append(SetupCheck(name, is_good=False, message=format_error(error), exit_status=error.exit_status))

    @property
    def exit_status(self) -> int:
        """Exit status of the first failed check; 6 if only calls failed."""
        statuses = [check.exit_status for check in self.checks if not check.is_good]
        return statuses[0] if statuses else SOME_FAILED if any(call.status in FAILURES for call in self.calls) else 0


def show_diagnosis(diagnosis: Diagnosis) -> None:
    """Print the checks, one line per call, the drift and the advice."""
    for check in diagnosis.checks:
        stdout().print(
            check_mark(check.is_good), f"{check.name:<12} {escape_control_characters(check.message)}", soft_wrap=True
        )
    if diagnosis.calls:
        print_line()
        headers = ("Resource", "Call", "Result", "Records", "")
        stdout().print(build_table(headers, map(call_to_row, diagnosis.calls), numeric=("Records",)))
    if diagnosis.drift:
        print_line()
        print_line("Changes in the format of the responses:")
        for change in diagnosis.drift:
            description = escape_control_characters(change.description)
            print_line(f"  {format_time(change.changed_at)}  {change.resource}: {description}")
    print_line()
    for line in list_advice(diagnosis):
        print_line(line)


def call_to_row(call: CallReport) -> tuple[object, ...]:
    """Return the table row of one call."""
    style = "red" if call.status in FAILURES else "yellow" if call.status is CallStatus.FIELDS else ""
    style = "dim" if call.status in (CallStatus.NOT_OFFERED, CallStatus.UNDECIDED) else style
    total = call.records if call.total is None else call.total
    records = (
        format_number(total) if call.status not in (*FAILURES, CallStatus.NOT_OFFERED, CallStatus.UNDECIDED) else ""
    )
    return call.resource, call.call, Text(call.status.value, style=style), records, "\n".join(list_call_remarks(call))


def list_call_remarks(call: CallReport) -> Iterator[str]:
    """Yield the details of a call: fields that differ, and the reason."""
    for label, names in (("new", call.unknown), ("missing", call.missing), ("not sent", call.absent)):
        if names:
            hidden = len(names) - MAX_FIELDS
            yield f"{label}: {', '.join(names[:MAX_FIELDS])}" + (f" and {hidden} more" if hidden > 0 else "")
    if call.reason:
        yield escape_control_characters(call.reason)


def find_resources(diagnosis: Diagnosis, applies: Callable[[CallReport], object]) -> list[str]:
    """Return the resources of the calls that a condition applies to, each once."""
    return list(dict.fromkeys(call.resource for call in diagnosis.calls if applies(call)))


def list_advice(diagnosis: Diagnosis) -> Iterator[str]:
    """Yield what to do, most urgent first."""
    for check in diagnosis.checks:
        if not check.is_good:
            yield f"Fix this first: {check.name}. {escape_control_characters(check.message)}"
    if abs(diagnosis.skew) > MAX_CLOCK_SKEW:
        yield (
            f"The clock of this machine is off by {format_duration(abs(diagnosis.skew))}. Correct it; "
            "sync windows use the clock of QQCatalyst."
        )
    for applies, text in ADVICE:
        if names := find_resources(diagnosis, applies):
            yield text.format(join_words(names))
    if diagnosis.exit_status == 0:
        yield "Ready. `qqetl sync --limit 200` loads a first sample, `qqetl sync --dry-run` shows the full plan."


#: Advice, and the calls that it applies to.
ADVICE: Sequence[tuple[Callable[[CallReport], object], str]] = (
    (
        lambda call: call.status is CallStatus.REFUSED,
        "Refused, although every account should have it: {}. Ask Vertafore what this API user may read.",
    ),
    (
        lambda call: call.status is CallStatus.SHAPE,
        "Unexpected response format: {}. Check for a newer version of qqetl, or report it.",
    ),
    (
        lambda call: call.status is CallStatus.FAILED,
        "No usable response: {}. Try again later; a sync retries for longer.",
    ),
    (
        lambda call: call.missing,
        "Expected fields are missing: {}. Their columns stay empty; a sync reports them as findings.",
    ),
    (
        lambda call: call.unknown,
        "New fields: {}. Staging keeps them in raw_data; to add a column, see docs/how-to/add-a-field.md.",
    ),
    (
        lambda call: call.status is CallStatus.NOT_OFFERED,
        "Not offered by this account: {}. This is not an error; a sync asks again after a week.",
    ),
    (
        lambda call: call.status is CallStatus.UNDECIDED,
        "Not checked: {}. No sample record was available; the next sync will tell.",
    ),
)


def diagnosis_to_json(diagnosis: Diagnosis) -> dict[str, Any]:
    """Return the report as JSON."""
    return {
        "exit_status": diagnosis.exit_status,
        "checks": [{"name": check.name, "good": check.is_good, "words": check.message} for check in diagnosis.checks],
        "clock_skew_seconds": round(diagnosis.skew.total_seconds()),
        "calls": [
            {
                "resource": call.resource,
                "call": call.call,
                "proven": call.documented,
                "verdict": call.status.value,
                "records": call.records,
                "total": call.total,
                "milliseconds": call.milliseconds,
                "new_fields": list(call.unknown),
                "missing_fields": list(call.missing),
                "fields_not_sent": list(call.absent),
                "reason": call.reason,
            }
            for call in diagnosis.calls
        ],
        "drift": [
            {
                "resource": change.resource,
                "path": change.path,
                "state": change.state.value,
                "change": change.description,
                "changed_at": change.changed_at.isoformat(),
            }
            for change in diagnosis.drift
        ],
        "advice": list(list_advice(diagnosis)),
    }
