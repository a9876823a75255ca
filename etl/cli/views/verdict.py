"""Status at a glance: is the data current, is it complete, is action needed; one line each."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from etl.cli.ui.terminal import check_mark, stdout
from etl.ledger.notifications.incidents import Incident
from etl.status.format import format_count, format_duration, join_words
from etl.status.status import Freshness, Status

#: Resources that a line names at most.
MAX_NAMES = 3


@dataclass(frozen=True, slots=True)
class StatusAnswer:
    """The answer to one question."""

    key: str  #: in JSON
    label: str
    is_good: bool
    text: str


def answer_questions(
    status: Status, max_lag: timedelta, incidents: Sequence[Incident], unsent: int
) -> list[StatusAnswer]:
    """Return the answers to the three questions; the data is current if no resource lags by more than `max_lag`."""
    late, incomplete = describe_late(status, max_lag), describe_incomplete(status)
    actions = describe_incidents(incidents) if incidents else []
    actions += [f"{format_count(unsent, 'email')} not sent"] if unsent else []
    return [
        StatusAnswer(
            "current",
            "Current",
            not late,
            "; ".join(late) or f"all resources, within {format_duration(find_largest_lag(status))}",
        ),
        StatusAnswer(
            "complete",
            "Complete",
            not incomplete,
            "; ".join([*(incomplete or ["no gaps, no calls due"]), *summarize_placeholders(status)]),
        ),
        StatusAnswer(
            "needs_you",
            "Action needed",
            not actions,
            f"{'; '.join(actions)}: see `qqetl notices`" if actions else "none",
        ),
    ]


def describe_incidents(incidents: Sequence[Incident]) -> list[str]:
    """Return the headline of each incident, as its email has it."""
    from etl.notifications.templates import headline  # here, since the sending of mail takes long to import

    return [headline([incident]) for incident in incidents]


def describe_late(status: Status, max_lag: timedelta) -> list[str]:
    """Return what is not current, as texts."""
    late = status.late_resources(max_lag)
    unsynced = [freshness for freshness in late if freshness.lag is None]
    behind = sorted(
        (freshness for freshness in late if freshness.lag is not None),
        key=lambda freshness: freshness.lag or max_lag,
        reverse=True,
    )
    texts = [
        f"{freshness.resource} {format_duration(freshness.lag)} behind"
        for freshness in behind[:MAX_NAMES]
        if freshness.lag is not None
    ]
    texts += [f"{format_count(len(behind) - MAX_NAMES, 'more', 'more')} behind"] if len(behind) > MAX_NAMES else []
    return texts + ([f"{format_count(len(unsynced), 'resource')} not synced yet"] if unsynced else [])


def describe_incomplete(status: Status) -> list[str]:
    """Return what is incomplete, as texts: gaps, resources never fully synced, details due."""
    gapped = [freshness.resource for freshness in status.resources if freshness.gaps]
    due = sum(freshness.details.calls for freshness in status.resources if freshness.details is not None)
    unsynced = [
        freshness
        for freshness in status.resources
        if freshness.complete_to is None and freshness.lag is None and is_offered_or_unknown(freshness)
    ]
    texts = []
    if gapped:
        texts.append(f"gaps in {join_words(gapped[:MAX_NAMES])}" + (" and others" if len(gapped) > MAX_NAMES else ""))
    if unsynced:
        has = "has" if len(unsynced) == 1 else "have"
        texts.append(f"{format_count(len(unsynced), 'resource')} {has} never been fully synced")
    if due:
        texts.append(f"{format_count(due, 'call')} for details due")
    return texts


def summarize_placeholders(status: Status) -> list[str]:
    """Return the number of placeholders as text; they are no error, because some records are in no list."""
    count = sum(orphans.number for orphans in status.orphans)
    return [f"{format_count(count, 'placeholder')} without a record"] if count else []


def is_offered_or_unknown(freshness: Freshness) -> bool:
    """Return whether the account offers a resource, as far as is known."""
    return freshness.offered is not False


def find_largest_lag(status: Status) -> timedelta:
    """Return the largest lag."""
    return max(
        (
            freshness.lag
            for freshness in status.resources
            if freshness.lag is not None and is_offered_or_unknown(freshness)
        ),
        default=timedelta(),
    )


def show_answers(answers: Sequence[StatusAnswer]) -> None:
    """Print the answers, one per line."""
    for answer in answers:
        stdout().print(check_mark(answer.is_good), f"{answer.label:<14} {answer.text}", soft_wrap=True)
