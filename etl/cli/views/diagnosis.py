"""Report of `qqetl doctor`: setup checks, API calls, what they mean, drift, and the plan of the next sync."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import timedelta
from typing import Any

from rich.text import Text

from etl.api.traffic import Traffic
from etl.cli.ui.errors import format_error
from etl.cli.ui.terminal import build_table, check_mark, print_line, print_wrapped, stdout
from etl.cli.views.advice import Advice, list_advice
from etl.cli.views.call_time import format_rate
from etl.cli.views.forecast import forecast_to_json, list_plan
from etl.config.rate_limit import RateLimit
from etl.config.redaction import escape_control_characters
from etl.errors import EtlError, ExitStatus
from etl.ledger.quality.drift import DriftChange
from etl.ledger.quality.empty_columns import describe_empty_columns, is_empty_column
from etl.local_time import format_moment
from etl.pipeline.doctor.call_report import FAILURES, WITHOUT_RECORDS, CallReport, CallStatus
from etl.pipeline.forecast.forecast import SyncForecast
from etl.status.format import format_count, format_duration, format_number

#: A larger difference of the clocks is reported; windows use the API's clock in any case.
MAX_CLOCK_SKEW = timedelta(minutes=5)
#: Fields that a cell lists; `--json` lists all.
MAX_FIELDS = 6


@dataclass(frozen=True, slots=True)
class SetupCheck:
    """One thing that a run needs, and whether it is ready."""

    name: str
    is_good: bool
    message: str
    exit_status: int = ExitStatus.DONE
    is_warning: bool = False  #: ready, but worth knowing; explained below the table

    @property
    def mark(self) -> Text:
        """A tick, an exclamation mark or a cross."""
        return Text("!", style="bold yellow") if self.is_warning else check_mark(self.is_good)


@dataclass
class Diagnosis:
    """Result of `qqetl doctor`."""

    checks: list[SetupCheck] = field(default_factory=list)
    calls: list[CallReport] = field(default_factory=list)
    drift: list[DriftChange] = field(default_factory=list)
    skew: timedelta = timedelta()
    traffic: Traffic = field(default_factory=Traffic)
    page_size: int = 0  #: that the API accepted; 0: no page was read
    configured_page_size: int = 0
    limit: RateLimit = field(default_factory=lambda: RateLimit(None, 1.0))
    plan: SyncForecast | None = None
    is_first_sync: bool = True

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
        if statuses:
            return statuses[0]
        is_incomplete = any(call.status in FAILURES for call in self.calls)
        return ExitStatus.INCOMPLETE if is_incomplete else ExitStatus.DONE


def show_diagnosis(diagnosis: Diagnosis) -> None:
    """Print the checks, one line per resource, what the results mean, the drift and the plan."""
    for check in list_checks(diagnosis):
        message = escape_control_characters(check.message) if check.is_good else "failed, see below"
        stdout().print(check.mark, f"{check.name:<12} {message}", soft_wrap=True)
    if diagnosis.calls:
        print_line()
        headers = ("Resource", "Records", "Result", "")
        stdout().print(build_table(headers, map(call_to_row, merge_calls(diagnosis.calls)), numeric=("Records",)))
    for advice in list_all_advice(diagnosis):
        print_line()
        print_wrapped(escape_control_characters(advice.finding), style="bold")
        for text in advice.explanation:
            print_wrapped(escape_control_characters(text), indent=2)
    show_drift(diagnosis)
    if diagnosis.plan is not None:
        print_line()
        print_line(f"The {'first' if diagnosis.is_first_sync else 'next'} sync", style="bold")
        for line in list_plan(diagnosis.plan, diagnosis.limit):
            print_wrapped(line, indent=2)
    if diagnosis.exit_status == 0:
        print_line()
        print_wrapped("Ready. `qqetl sync` starts it, `qqetl sync --limit 200` loads a first sample.")


def list_checks(diagnosis: Diagnosis) -> Iterator[SetupCheck]:
    """Yield the setup checks, then the checks that follow from the calls made."""
    yield from diagnosis.checks
    traffic = diagnosis.traffic
    if traffic.calls:
        refused = f", {format_number(traffic.refused)} refused" if traffic.refused else ", none refused"
        made = f"{format_count(traffic.calls - traffic.refused, 'call')} made{refused}"
        message = f"{format_rate(diagnosis.limit)}; {made}"
        yield SetupCheck("call limit", is_good=True, message=message, is_warning=traffic.refused > 0)
    if diagnosis.page_size:
        is_smaller = diagnosis.page_size != diagnosis.configured_page_size
        refused = f"; {diagnosis.configured_page_size} refused" if is_smaller else ""
        message = f"{format_count(diagnosis.page_size, 'record')} a page{refused}"
        yield SetupCheck("page size", is_good=True, message=message, is_warning=is_smaller)


def show_drift(diagnosis: Diagnosis) -> None:
    """Print the columns without any value, and the changes in the format of the responses."""
    if columns := list(describe_empty_columns(diagnosis.drift)):
        print_line()
        print_line("Probably misread", style="bold")
        for description in columns:
            print_wrapped(description, indent=2)
        print_wrapped("QQCatalyst may have the values under another name, or your agency has none.", indent=2)
        print_wrapped("To do: compare one record with QQCatalyst. `qqetl explain` shows the raw values.", indent=2)
    changes = [change for change in diagnosis.drift if not is_empty_column(change)]
    if changes:
        print_line()
        print_line("Changes in the format of the responses", style="bold")
        for change in changes:
            description = escape_control_characters(change.description)
            print_wrapped(f"{format_moment(change.changed_at)}  {change.resource}: {description}", indent=2)


def merge_calls(calls: Sequence[CallReport]) -> list[CallReport]:
    """Return one report for the calls made of a resource with the same result, with the sum of their records.

    A call without records has the result of another call of its resource that returned some.
    """
    bringing = {call.resource: call for call in calls if call.records}
    merged: dict[tuple[str, CallStatus], CallReport] = {}
    for call in calls:
        if call.status is not CallStatus.OFF:
            shown = bringing.get(call.resource, call) if call.status is CallStatus.EMPTY else call
            key = (call.resource, shown.status)
            total = call.records if call.total is None else call.total
            earlier = merged[key].total or 0 if key in merged else 0
            merged[key] = replace(shown, total=total + earlier)
    return list(merged.values())


def call_to_row(call: CallReport) -> tuple[object, ...]:
    """Return the table row of one call."""
    style = "red" if call.status in FAILURES else "yellow" if call.status is CallStatus.FIELDS else ""
    style = "dim" if call.status in WITHOUT_RECORDS - FAILURES else style
    records = "" if call.status in WITHOUT_RECORDS else format_number(call.total or 0)
    return call.resource, records, Text(call.status.value, style=style), "\n".join(list_call_remarks(call))


def list_call_remarks(call: CallReport) -> Iterator[str]:
    """Yield the details of a call: fields that differ, and the reason."""
    for label, names in (("new", call.unknown), ("missing", call.missing)):
        if names:
            hidden = len(names) - MAX_FIELDS
            yield f"{label}: {', '.join(names[:MAX_FIELDS])}" + (f" and {hidden} more" if hidden > 0 else "")
    if call.reason and call.status in FAILURES:
        yield escape_control_characters(call.reason)


def list_all_advice(diagnosis: Diagnosis) -> Iterator[Advice]:
    """Yield what the results mean and what to do, most urgent first."""
    for check in diagnosis.checks:
        if not check.is_good:
            yield Advice(f"Fix this first: {check.name}", (check.message,))
    if abs(diagnosis.skew) > MAX_CLOCK_SKEW:
        yield Advice(
            f"The clock of this machine is off by {format_duration(abs(diagnosis.skew))}",
            ("Correct the clock. Sync windows use the clock of QQCatalyst and are not affected.",),
        )
    yield from list_advice(diagnosis.calls, diagnosis.traffic, diagnosis.page_size, diagnosis.configured_page_size)


def diagnosis_to_json(diagnosis: Diagnosis) -> dict[str, Any]:
    """Return the report as JSON."""
    return {
        "exit_status": diagnosis.exit_status,
        "checks": [{"name": check.name, "good": check.is_good, "words": check.message} for check in diagnosis.checks],
        "clock_skew_seconds": round(diagnosis.skew.total_seconds()),
        "calls_made": diagnosis.traffic.calls - diagnosis.traffic.refused,
        "calls_refused": diagnosis.traffic.refused,
        "page_size": diagnosis.page_size or None,
        "calls": [
            {
                "resource": call.resource,
                "call": call.call,
                "proven": call.facts.is_documented,
                "documented": asdict(call.facts),
                "verdict": call.status,
                "records": call.records,
                "total": call.total,
                "milliseconds": call.milliseconds,
                "new_fields": call.unknown,
                "missing_fields": call.missing,
                "fields_not_sent": call.absent,
                "reason": call.reason,
            }
            for call in diagnosis.calls
        ],
        "drift": [
            {
                "resource": change.resource,
                "path": change.path,
                "state": change.state,
                "change": change.description,
                "changed_at": change.changed_at,
            }
            for change in diagnosis.drift
        ],
        "advice": [" ".join((f"{advice.finding}.", *advice.explanation)) for advice in list_all_advice(diagnosis)],
        "plan": None if diagnosis.plan is None else forecast_to_json(diagnosis.plan, diagnosis.limit),
    }
