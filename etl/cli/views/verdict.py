"""The status at a glance: is it current, is it complete, what needs a person; one line each."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from etl.cli.ui.format import counted, length, listed
from etl.cli.ui.terminal import good, out
from etl.ledger.notifications.incidents import Trouble
from etl.notifications.templates import headline
from etl.status.status import Freshness, Status

#: So many resources are named in a line.
NAMED = 3


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer to one question."""

    question: str
    is_good: bool
    words: str


def verdicts(found: Status, most: timedelta, open_troubles: Sequence[Trouble], unsent: int) -> list[Verdict]:
    """Return the answers to the three questions; data are current when no resource lags behind by more than `most`."""
    late, lacking = current_lacks(found, most), complete_lacks(found)
    needs = [headline([one]) for one in open_troubles]
    needs += [f"{counted(unsent, 'mail')} not sent"] if unsent else []
    return [
        Verdict("Current", not late, "; ".join(late) or f"every resource, within {length(worst(found))}"),
        Verdict("Complete", not lacking, "; ".join([*(lacking or ["no gaps, nothing due"]), *waiting(found)])),
        Verdict("Needs you", not needs, f"{'; '.join(needs)}: see `qqetl notices`" if needs else "nothing"),
    ]


def current_lacks(found: Status, most: timedelta) -> list[str]:
    """Return in words what is not current."""
    late = found.late(most)
    unread = [one for one in late if one.lag is None]
    behind = sorted((one for one in late if one.lag is not None), key=lambda one: one.lag or most, reverse=True)
    lacks = [f"{one.resource} {length(one.lag)} behind" for one in behind[:NAMED] if one.lag is not None]
    lacks += [f"{counted(len(behind) - NAMED, 'more', 'more')} behind"] if len(behind) > NAMED else []
    return lacks + ([f"{counted(len(unread), 'resource')} not read yet"] if unread else [])


def complete_lacks(found: Status) -> list[str]:
    """Return in words what is not complete: gaps, resources that were never read whole, details that are due."""
    gapped = [one.resource for one in found.resources if one.gaps]
    due = sum(one.coverage.outstanding for one in found.resources if one.coverage)
    never = [one for one in found.resources if one.complete_to is None and one.lag is None and is_wanted(one)]
    return [
        *([f"gaps in {listed(gapped[:NAMED])}" + (" and others" if len(gapped) > NAMED else "")] if gapped else []),
        *([f"{counted(len(never), 'resource')} never read to its end"] if never else []),
        *([f"{counted(due, 'call')} for details due"] if due else []),
    ]


def waiting(found: Status) -> list[str]:
    """Return in words how many rows wait for their record: no fault of a reading, as some are in no list for ever."""
    number = sum(one.number for one in found.orphans)
    return [f"{counted(number, 'placeholder')} without a record"] if number else []


def is_wanted(one: Freshness) -> bool:
    """Tell whether the account offers a resource, as far as is known."""
    return one.offered is not False


def worst(found: Status) -> timedelta:
    """Return the largest lag."""
    return max((one.lag for one in found.resources if one.lag is not None and is_wanted(one)), default=timedelta())


def show_verdicts(answers: Sequence[Verdict]) -> None:
    """Write the answers, a line each."""
    for one in answers:
        out().print(good(one.is_good), f"{one.question:<10}{one.words}", soft_wrap=True)
