"""The texts of emails about incidents: a headline and an action for each kind, and the messages made of them."""

import platform
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

import etl
from etl.ledger.notifications.incidents import Incident
from etl.local_time import format_moment
from etl.models.states import IncidentKind, MailKind
from etl.notifications.message import MailMessage, Section
from etl.status.format import format_count, format_number, join_words

#: Resources named in a subject.
MAX_NAMED = 4
#: Bullet points under one heading.
MAX_POINTS = 25
FOLLOW_UP = "You will get another email when this is resolved."


@dataclass(frozen=True, slots=True)
class IncidentText:
    """The text about a kind of incident."""

    headline: str  #: `{}` is replaced by the resources
    action: str  #: `{batch}` is replaced by the first characters of the batch id


TEXTS = {
    IncidentKind.RUN_FAILED: IncidentText(
        "the run failed",
        "Progress is saved. The next run resumes from there; to resume now, run `qqetl retry`.",
    ),
    IncidentKind.CREDENTIALS_REFUSED: IncidentText(
        "QQCatalyst rejected the credentials",
        "Check QQCATALYST_CLIENT_ID, _CLIENT_SECRET, _USERNAME and _PASSWORD. Rejected credentials are not retried for "
        "a while, so that the account is not locked out; changed credentials are tried at once.",
    ),
    IncidentKind.RESOURCE_FAILED: IncidentText(
        "{} failed", "`qqetl runs {batch}` shows the details. To try again now, run `qqetl retry {batch}`."
    ),
    IncidentKind.BALANCE_OFF: IncidentText(
        "record counts of {} do not balance",
        "`qqetl runs {batch}` shows the counts. The next run reads the records again; to do it now, run "
        "`qqetl retry {batch}`.",
    ),
    IncidentKind.BRAKE_PULLED: IncidentText(
        "too many {} disappeared at once; none were deleted",
        "Check in QQCatalyst whether the records are gone. If they are, run the command above. If not, the next full "
        "read that returns them resolves this incident.",
    ),
    IncidentKind.STALE: IncidentText(
        "data is stale",
        "`qqetl status` shows the age of each resource. `qqetl runs` shows whether runs start, and how they end.",
    ),
    IncidentKind.DRIFT: IncidentText(
        "the API changed {}",
        "Staging keeps every field as it arrives. `qqetl doctor` compares all fields with the declarations. Ask "
        "QQCatalyst support whether the change is intended.",
    ),
}


def new_incidents_message(tenant: str, new: Sequence[Incident], still_open: Sequence[Incident] = ()) -> MailMessage:
    """Return the message about new incidents, and those still open."""
    incidents = Section(
        f"New incidents, account {tenant}:", points=limit_points([describe_incident(incident) for incident in new])
    )
    actions = Section("What to do:", points=list(dict.fromkeys(map(recommended_action, new))))
    sections = [incidents, actions]
    if still_open:
        sections.append(Section("Still open:", points=limit_points([headline([incident]) for incident in still_open])))
    return MailMessage(
        MailKind.TROUBLE, mail_subject(tenant, summarize_incidents(new)), sections, mail_footer(FOLLOW_UP)
    )


def resolved_message(tenant: str, resolved: Sequence[Incident], still_open: Sequence[Incident] = ()) -> MailMessage:
    """Return the message about resolved incidents, and those still open."""
    sections = [
        Section(
            f"Resolved, account {tenant}:", points=limit_points([describe_resolved(incident) for incident in resolved])
        )
    ]
    if still_open:
        sections.append(
            Section("Still open:", points=limit_points([describe_incident(incident) for incident in still_open]))
        )
    else:
        sections.append(Section("No open incidents."))
    return MailMessage(
        MailKind.OVER, mail_subject(tenant, f"resolved: {summarize_incidents(resolved)}"), sections, mail_footer()
    )


def build_test_message(tenant: str, still_open: Sequence[Incident] = ()) -> MailMessage:
    """Return the message that tests the delivery of emails, and names the incidents that are open."""
    sections = [Section("Test email", ["Email notifications work."])]
    if still_open:
        points = limit_points([describe_incident(incident) for incident in still_open])
        actions = list(dict.fromkeys(map(recommended_action, still_open)))
        sections += [Section("Open incidents:", points=points), Section("What to do:", points=actions)]
    else:
        sections.append(Section("No open incidents."))
    return MailMessage(MailKind.TEST, mail_subject(tenant, "test email"), sections, mail_footer())


def database_down_message(tenant: str, reason: str, *, throttled: bool) -> MailMessage:
    """Return the message about a database outage."""
    lines = [
        reason,
        "Syncs are stopped until this is fixed; no data is lost. To check the database, run `qqetl db check`.",
    ]
    if not throttled:
        lines.append(
            "The data folder is not writable, so every run sends this email. Set ETL_DATA_DIR to another folder."
        )
    sections = [Section(f"The database of account {tenant} is unavailable:", lines)]
    last_line = mail_footer(FOLLOW_UP if throttled else "")
    return MailMessage(MailKind.TROUBLE, mail_subject(tenant, "the database is unavailable"), sections, last_line)


def database_restored_message(tenant: str, since: datetime) -> MailMessage:
    """Return the message about the end of a database outage."""
    sections = [
        Section(f"The database of account {tenant} is available again (unavailable since {format_moment(since)}).")
    ]
    subject = mail_subject(tenant, "resolved: the database is unavailable")
    return MailMessage(MailKind.OVER, subject, sections, mail_footer())


def mail_subject(tenant: str, text: str) -> str:
    """Return the subject of an email."""
    return f"qqetl {tenant}: {text}"


def summarize_incidents(incidents: Sequence[Incident]) -> str:
    """Return all incidents in one phrase, each kind with its resources."""
    by_kind = groupby(
        sorted(incidents, key=lambda incident: list(IncidentKind).index(incident.kind)),
        key=lambda incident: incident.kind,
    )
    return "; ".join(headline(list(group)) for _, group in by_kind)


def headline(incidents: Sequence[Incident]) -> str:
    """Return the headline of incidents of one kind."""
    return TEXTS[incidents[0].kind].headline.format(shorten_names(incident.subject for incident in incidents))


def shorten_names(names: Iterable[str]) -> str:
    """Return names as a list for a sentence; only the first few of many."""
    listed = list(names)
    return join_words(listed) if len(listed) <= MAX_NAMED else f"{len(listed)} ({', '.join(listed[:MAX_NAMED])} …)"


def limit_points(points: Sequence[str], most: int = MAX_POINTS) -> list[str]:
    """Return the first points, and the number of others."""
    more = len(points) - most
    return [*points[:most], *([f"and {format_number(more)} more"] if more > 0 else [])]


def describe_incident(incident: Incident) -> str:
    """Return an incident with its start and reason."""
    since = f" (since {format_moment(incident.opened_at)})" if incident.opened_at else ""
    return f"{headline([incident])}{since}: {incident.message}"


def recommended_action(incident: Incident) -> str:
    """Return what to do about an incident."""
    batch = str(incident.batch_id)[:8] if incident.batch_id else ""
    return TEXTS[incident.kind].action.format(batch=batch)


def describe_resolved(incident: Incident) -> str:
    """Return an incident with the number of runs that saw it, and its start."""
    since = f", since {format_moment(incident.opened_at)}" if incident.opened_at else ""
    return f"{headline([incident])} (seen in {format_count(incident.times_seen, 'run')}{since})"


def mail_footer(note: str = "") -> str:
    """Return the last line of an email: the version, the machine, and a note."""
    return " ".join([f"qqetl {etl.__version__} on {platform.node() or 'an unnamed machine'}.", note]).strip()
