"""What notices say: a headline and a cure for each kind of trouble, and the letters made of them."""

import platform
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

import etl
from etl.ledger.notifications.incidents import Incident
from etl.models.states import MailKind, TroubleKind
from etl.notifications.message import MailMessage, Section
from etl.status.format import format_count, format_number, format_time, join_words

#: So many resources are named in a subject.
MAX_NAMED = 4
#: So many points a mail lists under one heading.
MAX_POINTS = 25
FOLLOW_UP = "One more mail comes when it is over."


@dataclass(frozen=True, slots=True)
class IncidentText:
    """How a kind of trouble is told."""

    headline: str  #: `{}` stands for the resources
    action: str  #: `{batch}` stands for the first characters of the batch's id


TEXTS = {
    TroubleKind.RUN_FAILED: IncidentText(
        "the run failed", "What was read is kept. The next run goes on from there, or `qqetl retry` does so now."
    ),
    TroubleKind.CREDENTIALS_REFUSED: IncidentText(
        "QQCatalyst refused the credentials",
        "Check QQCATALYST_CLIENT_ID, _CLIENT_SECRET, _USERNAME and _PASSWORD. Refused ones rest before they are tried "
        "again, so that no account is locked; changed ones are tried at once.",
    ),
    TroubleKind.RESOURCE_FAILED: IncidentText("{} failed", "Look with `qqetl runs {batch}`, try with `qqetl retry {batch}`."),
    TroubleKind.BALANCE_OFF: IncidentText(
        "the books of {} do not balance",
        "`qqetl runs {batch}` shows the books, `qqetl retry {batch}` reads again; so does the next run.",
    ),
    TroubleKind.BRAKE_PULLED: IncidentText(
        "too much of {} vanished at once",
        "Nothing was marked deleted. Look whether the records are gone in QQCatalyst: if they are, give the command "
        "above; if not, this is over with the next full reading that meets them.",
    ),
    TroubleKind.STALE: IncidentText(
        "data are stale",
        "`qqetl status` shows how far each resource has come, `qqetl runs` whether runs begin at all and how they end.",
    ),
    TroubleKind.DRIFT: IncidentText(
        "the API changed {}",
        "Staging keeps every field as it comes. Ask the vendor, or report it; `qqetl doctor` compares all fields.",
    ),
}


def new_incidents_message(tenant: str, new: Sequence[Incident], still_open: Sequence[Incident] = ()) -> MailMessage:
    """Return the letter that tells of new troubles, and of those that are known already."""
    begun = Section(f"New at account {tenant}:", points=limit_points([describe_incident(incident) for incident in new]))
    cures = Section("What to do:", points=list(dict.fromkeys(map(recommended_action, new))))
    sections = [begun, cures]
    if still_open:
        sections.append(Section("Told before, and still so:", points=limit_points([headline([incident]) for incident in still_open])))
    return MailMessage(MailKind.TROUBLE, mail_subject(tenant, summarize_incidents(new)), sections, mail_footer(FOLLOW_UP))


def resolved_message(tenant: str, resolved: Sequence[Incident], still_open: Sequence[Incident] = ()) -> MailMessage:
    """Return the letter that tells which troubles are over."""
    sections = [Section(f"Over at account {tenant}:", points=limit_points([describe_resolved(incident) for incident in resolved]))]
    if still_open:
        sections.append(Section("Still so:", points=limit_points([describe_incident(incident) for incident in still_open])))
    else:
        sections.append(Section("Nothing else needs you."))
    return MailMessage(MailKind.OVER, mail_subject(tenant, f"over: {summarize_incidents(resolved)}"), sections, mail_footer())


def test_message(tenant: str) -> MailMessage:
    """Return the letter that shows that mails arrive."""
    words = "If you read this, notices arrive. Nothing is the matter."
    return MailMessage(MailKind.TEST, mail_subject(tenant, "a test of notices"), [Section("A test", [words])], mail_footer())


def database_down_message(tenant: str, words: str, *, throttled: bool) -> MailMessage:
    """Return the letter that tells of trouble with the database itself, written without it."""
    lines = [words, "Nothing is read until it is mended, and nothing is lost. `qqetl db check` tells whether it is."]
    if not throttled:
        lines.append("The data folder cannot be written, so every run sends this mail: name another in ETL_DATA_DIR.")
    sections = [Section(f"The database of account {tenant} cannot be used:", lines)]
    last_line = mail_footer(FOLLOW_UP if throttled else "")
    return MailMessage(MailKind.TROUBLE, mail_subject(tenant, "the database cannot be used"), sections, last_line)


def database_restored_message(tenant: str, since: str) -> MailMessage:
    """Return the letter that tells that the database can be used again."""
    sections = [Section(f"The database of account {tenant} can be used again; it could not since {since} UTC.")]
    return MailMessage(MailKind.OVER, mail_subject(tenant, "over: the database cannot be used"), sections, mail_footer())


def mail_subject(tenant: str, words: str) -> str:
    """Return the subject of a mail."""
    return f"qqetl {tenant}: {words}"


def summarize_incidents(troubles: Sequence[Incident]) -> str:
    """Return all troubles in one phrase, each kind with its resources."""
    by_kind = groupby(sorted(troubles, key=lambda one: list(TroubleKind).index(one.kind)), key=lambda one: one.kind)
    return "; ".join(headline(list(some)) for _, some in by_kind)


def headline(troubles: Sequence[Incident]) -> str:
    """Return troubles of one kind in a phrase."""
    return TEXTS[troubles[0].kind].headline.format(shorten_names(one.subject for one in troubles))


def shorten_names(names: Iterable[str]) -> str:
    """Return names as a list in a sentence, the first few where there are many."""
    listed = list(names)
    return join_words(listed) if len(listed) <= MAX_NAMED else f"{len(listed)} ({', '.join(listed[:MAX_NAMED])} …)"


def limit_points(points: Sequence[str], most: int = MAX_POINTS) -> list[str]:
    """Return points as far as a mail lists them, and how many more there are."""
    more = len(points) - most
    return [*points[:most], *([f"and {format_number(more)} more"] if more > 0 else [])]


def describe_incident(trouble: Incident) -> str:
    """Return one trouble with what is known of it."""
    since = f" (since {format_time(trouble.opened_at)} UTC)" if trouble.opened_at else ""
    return f"{headline([trouble])}{since}: {trouble.message}"


def recommended_action(trouble: Incident) -> str:
    """Return what to do about a trouble."""
    batch = str(trouble.batch_id)[:8] if trouble.batch_id else ""
    return TEXTS[trouble.kind].action.format(batch=batch)


def describe_resolved(trouble: Incident) -> str:
    """Return one trouble with how often it was seen, and since when."""
    since = f", since {format_time(trouble.opened_at)} UTC" if trouble.opened_at else ""
    return f"{headline([trouble])} (seen in {format_count(trouble.times_seen, 'run')}{since})"


def mail_footer(words: str = "") -> str:
    """Return the last line of a mail: who writes, and from where."""
    return " ".join([f"qqetl {etl.__version__} on {platform.node() or 'an unnamed machine'}.", words]).strip()
