"""What notices say: a headline and a cure for each kind of trouble, and the letters made of them."""

import platform
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

import etl
from etl.ledger.notifications.incidents import Trouble
from etl.models.states import MailKind, TroubleKind
from etl.notifications.message import Letter, Section
from etl.status.format import counted, listed, moment, number

#: So many resources are named in a subject.
NAMED = 4
#: So many points a mail lists under one heading.
POINTS = 25
ONE_MORE = "One more mail comes when it is over."


@dataclass(frozen=True, slots=True)
class Saying:
    """How a kind of trouble is told."""

    headline: str  #: `{}` stands for the resources
    cure: str  #: `{batch}` stands for the first characters of the batch's id


SAYINGS = {
    TroubleKind.RUN_FAILED: Saying(
        "the run failed", "What was read is kept. The next run goes on from there, or `qqetl retry` does so now."
    ),
    TroubleKind.CREDENTIALS_REFUSED: Saying(
        "QQCatalyst refused the credentials",
        "Check QQCATALYST_CLIENT_ID, _CLIENT_SECRET, _USERNAME and _PASSWORD. Refused ones rest before they are tried "
        "again, so that no account is locked; changed ones are tried at once.",
    ),
    TroubleKind.RESOURCE_FAILED: Saying("{} failed", "Look with `qqetl runs {batch}`, try with `qqetl retry {batch}`."),
    TroubleKind.BALANCE_OFF: Saying(
        "the books of {} do not balance",
        "`qqetl runs {batch}` shows the books, `qqetl retry {batch}` reads again; so does the next run.",
    ),
    TroubleKind.BRAKE_PULLED: Saying(
        "too much of {} vanished at once",
        "Nothing was marked deleted. Look whether the records are gone in QQCatalyst: if they are, give the command "
        "above; if not, this is over with the next full reading that meets them.",
    ),
    TroubleKind.STALE: Saying(
        "data are stale",
        "`qqetl status` shows how far each resource has come, `qqetl runs` whether runs begin at all and how they end.",
    ),
    TroubleKind.DRIFT: Saying(
        "the API changed {}",
        "Staging keeps every field as it comes. Ask the vendor, or report it; `qqetl doctor` compares all fields.",
    ),
}


def of_troubles(tenant: str, new: Sequence[Trouble], known: Sequence[Trouble] = ()) -> Letter:
    """Return the letter that tells of new troubles, and of those that are known already."""
    begun = Section(f"New at account {tenant}:", points=cut_short([point(one) for one in new]))
    cures = Section("What to do:", points=list(dict.fromkeys(map(cure, new))))
    sections = [begun, cures]
    if known:
        sections.append(Section("Told before, and still so:", points=cut_short([headline([one]) for one in known])))
    return Letter(MailKind.TROUBLE, subject(tenant, summed(new)), sections, footer(ONE_MORE))


def of_ends(tenant: str, over: Sequence[Trouble], known: Sequence[Trouble] = ()) -> Letter:
    """Return the letter that tells which troubles are over."""
    sections = [Section(f"Over at account {tenant}:", points=cut_short([summed_up(one) for one in over]))]
    if known:
        sections.append(Section("Still so:", points=cut_short([point(one) for one in known])))
    else:
        sections.append(Section("Nothing else needs you."))
    return Letter(MailKind.OVER, subject(tenant, f"over: {summed(over)}"), sections, footer())


def of_test(tenant: str) -> Letter:
    """Return the letter that shows that mails arrive."""
    words = "If you read this, notices arrive. Nothing is the matter."
    return Letter(MailKind.TEST, subject(tenant, "a test of notices"), [Section("A test", [words])], footer())


def of_database(tenant: str, words: str, *, throttled: bool) -> Letter:
    """Return the letter that tells of trouble with the database itself, written without it."""
    lines = [words, "Nothing is read until it is mended, and nothing is lost. `qqetl db check` tells whether it is."]
    if not throttled:
        lines.append("The data folder cannot be written, so every run sends this mail: name another in ETL_DATA_DIR.")
    sections = [Section(f"The database of account {tenant} cannot be used:", lines)]
    told = footer(ONE_MORE if throttled else "")
    return Letter(MailKind.TROUBLE, subject(tenant, "the database cannot be used"), sections, told)


def of_database_again(tenant: str, since: str) -> Letter:
    """Return the letter that tells that the database can be used again."""
    sections = [Section(f"The database of account {tenant} can be used again; it could not since {since} UTC.")]
    return Letter(MailKind.OVER, subject(tenant, "over: the database cannot be used"), sections, footer())


def subject(tenant: str, words: str) -> str:
    """Return the subject of a mail."""
    return f"qqetl {tenant}: {words}"


def summed(troubles: Sequence[Trouble]) -> str:
    """Return all troubles in one phrase, each kind with its resources."""
    by_kind = groupby(sorted(troubles, key=lambda one: list(TroubleKind).index(one.kind)), key=lambda one: one.kind)
    return "; ".join(headline(list(some)) for _, some in by_kind)


def headline(troubles: Sequence[Trouble]) -> str:
    """Return troubles of one kind in a phrase."""
    return SAYINGS[troubles[0].kind].headline.format(some_of(one.subject for one in troubles))


def some_of(names: Iterable[str]) -> str:
    """Return names as a list in a sentence, the first few where there are many."""
    every = list(names)
    return listed(every) if len(every) <= NAMED else f"{len(every)} ({', '.join(every[:NAMED])} …)"


def cut_short(points: Sequence[str], most: int = POINTS) -> list[str]:
    """Return points as far as a mail lists them, and how many more there are."""
    rest = len(points) - most
    return [*points[:most], *([f"and {number(rest)} more"] if rest > 0 else [])]


def point(trouble: Trouble) -> str:
    """Return one trouble with what is known of it."""
    since = f" (since {moment(trouble.opened_at)} UTC)" if trouble.opened_at else ""
    return f"{headline([trouble])}{since}: {trouble.words}"


def cure(trouble: Trouble) -> str:
    """Return what to do about a trouble."""
    batch = str(trouble.batch_id)[:8] if trouble.batch_id else ""
    return SAYINGS[trouble.kind].cure.format(batch=batch)


def summed_up(trouble: Trouble) -> str:
    """Return one trouble with how often it was seen, and since when."""
    since = f", since {moment(trouble.opened_at)} UTC" if trouble.opened_at else ""
    return f"{headline([trouble])} (seen in {counted(trouble.times_seen, 'run')}{since})"


def footer(words: str = "") -> str:
    """Return the last line of a mail: who writes, and from where."""
    return " ".join([f"qqetl {etl.__version__} on {platform.node() or 'an unnamed machine'}.", words]).strip()
