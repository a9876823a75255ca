"""The digest: the agency's business in plain words, once a day, and nothing on a day without any."""

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from etl.config.settings import Settings
from etl.ledger import children
from etl.ledger.notifications import outbox
from etl.ledger.transaction import Ledger
from etl.models.states import MailKind
from etl.notifications.message import Letter, Section, as_mail
from etl.notifications.templates import cut_short, footer, subject
from etl.reports.digest import Business, Named, Period, business
from etl.status.format import counted, length, number

#: So many policies are named under one heading.
NAMED = 25
#: A digest looks back no further, however long none was sent.
LONGEST = timedelta(days=7)


def write_digest(ledger: Ledger, settings: Settings) -> bool:
    """Write the digest of today into the outbox when it is due and there is something to tell; tell whether it was."""
    if settings.etl_digest_at is None or settings.etl_smtp_url is None:
        return False
    return ledger.commit(partial(written, tenant=ledger.tenant, settings=settings))


def written(connection: Connection, tenant: str, settings: Settings) -> bool:
    """Write the digest of a day once: with what it tells, in one transaction."""
    period = period_of(children.now(connection), settings, outbox.last_digest(connection, tenant))
    if period is None or not outbox.begin_digest(connection, tenant, period.today, period.until):
        return False
    found = business(connection, tenant, period)
    if found.is_quiet:
        return False
    mail = as_mail(letter(tenant, period, found))
    outbox.write(connection, tenant, mail)
    outbox.note_digest(connection, tenant, period.today, mail.id)
    return True


def period_of(now: datetime, settings: Settings, up_to: datetime | None) -> Period | None:
    """Return what a digest written now is about, None before its time of day."""
    zone = ZoneInfo(settings.etl_digest_timezone)
    local = now.astimezone(zone)
    if local.time() < time.fromisoformat(settings.etl_digest_at or "00:00"):
        return None
    since = max(now - LONGEST, up_to or now - timedelta(days=1))
    return Period(since, now, since.astimezone(zone).date(), local.date())


def letter(tenant: str, period: Period, found: Business) -> Letter:
    """Return the digest as a letter; it names policies by number, and no customer."""
    sections = [
        Section(f"Account {tenant}: what is new since {period.last_day}"),
        *listed("New business", found.new_business),
        *listed("Cancellations", found.cancellations),
        *(one for days in found.renewals for one in listed(f"Renewals due in {days} days", found.renewals[days])),
        *to_mend(found),
        health(found),
    ]
    about = subject(tenant, f"{period.today}: {summed(found)}")
    return Letter(MailKind.DIGEST, about, sections, footer())


def summed(found: Business) -> str:
    """Return the whole digest in one phrase, for its subject."""
    renewals = sum(map(len, found.renewals.values()))
    new = sum(one.new for one in found.to_mend)
    told = [
        (len(found.new_business), "new policy", "new policies"),
        (len(found.cancellations), "cancellation", "cancellations"),
        (renewals, "renewal due", "renewals due"),
        (new, "record to mend", "records to mend"),
    ]
    words = ", ".join(counted(number, one, many) for number, one, many in told if number)
    return words or "the sync needs somebody"


def listed(heading: str, policies: Sequence[Named]) -> list[Section]:
    """Return the section that names policies; none where there is none."""
    if not policies:
        return []
    points = [f"{one.number} ({one.about})" if one.about else one.number for one in policies]
    return [Section(f"{heading}: {number(len(policies))}", points=cut_short(points, NAMED))]


def to_mend(found: Business) -> list[Section]:
    """Return the section about data to mend, by agent, where any of it is new."""
    if not any(one.new for one in found.to_mend):
        return []
    points = [f"{one.agent}: {number(one.new)} new, {number(one.open)} in all" for one in found.to_mend]
    return [Section("Data to mend in QQCatalyst, by agent", ["`qqetl findings` lists them."], cut_short(points, NAMED))]


def health(found: Business) -> Section:
    """Return the section that says how current all of this is."""
    known = "were never whole so far" if found.lag is None else f"are {length(found.lag)} old at most"
    needs = f"{counted(found.troubles, 'trouble')} of the sync: `qqetl notices` says more." if found.troubles else ""
    return Section("The sync", [f"The data {known}.", *([needs] if needs else [])])
