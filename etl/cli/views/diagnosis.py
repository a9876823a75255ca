"""What the doctor found, as a person and as a program read it, and what to do about it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from rich.text import Text

from etl.cli.ui.errors import told
from etl.cli.ui.format import length, listed, moment, number
from etl.cli.ui.terminal import good, out, show, table
from etl.config.redaction import on_one_line
from etl.errors import EtlError
from etl.ledger.quality.drift import Change
from etl.pipeline.doctor import TROUBLE, Found, Verdict

#: Clocks further apart are worth a word; windows go by the API's clock all the same.
SKEW = timedelta(minutes=5)
#: The exit status where some call is in trouble, as after a run with failed resources.
SOME_FAILED = 6
#: Fields that are named in a cell; `--json` names all.
NAMED = 6


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that a run needs, and how it stands."""

    name: str
    is_good: bool
    words: str
    exit_status: int = 0


@dataclass
class Diagnosis:
    """Everything that was found."""

    checks: list[Check] = field(default_factory=list)
    found: list[Found] = field(default_factory=list)
    drift: list[Change] = field(default_factory=list)
    skew: timedelta = timedelta()

    def passed(self, name: str, words: str) -> None:
        """Note a check that is good."""
        self.checks.append(Check(name, is_good=True, words=words))

    def failed(self, name: str, error: EtlError) -> None:
        """Note a check that failed, with what the error says."""
        self.checks.append(Check(name, is_good=False, words=told(error), exit_status=error.exit_status))

    @property
    def exit_status(self) -> int:
        """That of the first check that failed; 6 where all is well but for some call."""
        failed = [one.exit_status for one in self.checks if not one.is_good]
        return failed[0] if failed else SOME_FAILED if any(one.verdict in TROUBLE for one in self.found) else 0


def show_diagnosis(one: Diagnosis) -> None:
    """Write what was found: the checks, a line for each call, what drifted, and advice."""
    for check in one.checks:
        out().print(good(check.is_good), f"{check.name:<12} {on_one_line(check.words)}", soft_wrap=True)
    if one.found:
        show()
        heads = ("Resource", "Call", "Verdict", "Records", "")
        out().print(table(heads, map(line, one.found), right=("Records",)))
    if one.drift:
        show()
        show("What changed about the answers:")
        for change in one.drift:
            show(f"  {moment(change.changed_at)}  {change.resource}: {on_one_line(change.words)}")
    show()
    for words in advice(one):
        show(words)


def line(found: Found) -> tuple[object, ...]:
    """Return the row of one call."""
    style = "red" if found.verdict in TROUBLE else "yellow" if found.verdict is Verdict.FIELDS else ""
    style = "dim" if found.verdict in (Verdict.NOT_OFFERED, Verdict.UNDECIDED) else style
    total = found.records if found.total is None else found.total
    records = number(total) if found.verdict not in (*TROUBLE, Verdict.NOT_OFFERED, Verdict.UNDECIDED) else ""
    return found.resource, found.call, Text(found.verdict.value, style=style), records, "\n".join(remarks(found))


def remarks(found: Found) -> Iterator[str]:
    """Yield what else there is to say of a call."""
    for word, names in (("new", found.unknown), ("missing", found.missing), ("not sent", found.absent)):
        if names:
            rest = len(names) - NAMED
            yield f"{word}: {', '.join(names[:NAMED])}" + (f" and {rest} more" if rest > 0 else "")
    if found.reason:
        yield on_one_line(found.reason)


def named(one: Diagnosis, fits: Callable[[Found], object]) -> list[str]:
    """Return the resources of the calls that fit, each once."""
    return list(dict.fromkeys(found.resource for found in one.found if fits(found)))


def advice(one: Diagnosis) -> Iterator[str]:
    """Yield what to do, the gravest first."""
    for check in one.checks:
        if not check.is_good:
            yield f"First mend: {check.name}. {on_one_line(check.words)}"
    if abs(one.skew) > SKEW:
        yield f"This machine's clock is {length(abs(one.skew))} off QQCatalyst's. Set it; windows go by QQCatalyst's."
    for fits, words in ADVICE:
        if names := named(one, fits):
            yield words.format(listed(names))
    if one.exit_status == 0:
        yield "Ready: `qqetl sync --limit 200` takes a first look, `qqetl sync --dry-run` plans the whole."


#: Which calls a piece of advice is for.
ADVICE: Sequence[tuple[Callable[[Found], object], str]] = (
    (
        lambda found: found.verdict is Verdict.REFUSED,
        "Refused although every account is known to have it: {}. Ask Vertafore what this API user may read.",
    ),
    (
        lambda found: found.verdict is Verdict.SHAPE,
        "Of another shape than declared: {}. Look for a newer version of this program, or report it.",
    ),
    (lambda found: found.verdict is Verdict.FAILED, "No good answer: {}. Try again later; a run tries for longer."),
    (
        lambda found: found.missing,
        "Fields that a record should have did not come: {}. Their columns stay empty; a sync tells by findings.",
    ),
    (
        lambda found: found.unknown,
        "New fields: {}. Staging keeps them (raw_data), so no call is lost; see docs/how-to/add-a-field.md.",
    ),
    (
        lambda found: found.verdict is Verdict.NOT_OFFERED,
        "Not offered by this account: {}. That is no fault; they are asked again in a week.",
    ),
    (lambda found: found.verdict is Verdict.UNDECIDED, "Undecided: {}. Nothing to ask about came; a run will show."),
)


def diagnosis_for_programs(one: Diagnosis) -> dict[str, Any]:
    """Return what was found for JSON."""
    return {
        "exit_status": one.exit_status,
        "checks": [{"name": check.name, "good": check.is_good, "words": check.words} for check in one.checks],
        "clock_skew_seconds": round(one.skew.total_seconds()),
        "calls": [
            {
                "resource": found.resource,
                "call": found.call,
                "proven": found.proven,
                "verdict": found.verdict.value,
                "records": found.records,
                "total": found.total,
                "milliseconds": found.milliseconds,
                "new_fields": list(found.unknown),
                "missing_fields": list(found.missing),
                "fields_not_sent": list(found.absent),
                "reason": found.reason,
            }
            for found in one.found
        ],
        "drift": [
            {
                "resource": change.resource,
                "path": change.path,
                "state": change.state.value,
                "change": change.words,
                "changed_at": change.changed_at.isoformat(),
            }
            for change in one.drift
        ],
        "advice": list(advice(one)),
    }
