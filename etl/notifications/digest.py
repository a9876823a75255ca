"""The daily digest: the agency's business by email, on days with any."""

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from etl.config.settings import Settings
from etl.ledger.children import queue as children
from etl.ledger.notifications import outbox
from etl.ledger.transaction import Ledger
from etl.models.states import MailKind
from etl.notifications.message import MailMessage, Section, to_mail
from etl.notifications.templates import limit_points, mail_footer, mail_subject
from etl.reports.digest import DigestData, DigestPeriod, PolicyLine, load_digest
from etl.status.format import format_count, format_duration, format_number

#: Policies listed under one heading.
MAX_LISTED = 25
#: Maximum period of a digest.
MAX_PERIOD = timedelta(days=7)


def write_digest(ledger: Ledger, settings: Settings) -> bool:
    """Queue today's digest if it is due and has content; return whether it was queued."""
    if settings.etl_digest_at is None or settings.etl_smtp_url is None:
        return False
    return ledger.commit(partial(save_digest, tenant=ledger.tenant, settings=settings))


def save_digest(connection: Connection, tenant: str, settings: Settings) -> bool:
    """Queue the digest of a day, once, in one transaction with the data it reports."""
    period = digest_period(
        children.read_database_time(connection), settings, outbox.read_last_digest(connection, tenant)
    )
    if period is None or not outbox.start_digest(connection, tenant, period.today, period.until):
        return False
    data = load_digest(connection, tenant, period)
    if data.is_quiet:
        return False
    mail = to_mail(digest_message(tenant, period, data))
    outbox.enqueue(connection, tenant, mail)
    outbox.link_digest(connection, tenant, period.today, mail.id)
    return True


def digest_period(now: datetime, settings: Settings, up_to: datetime | None) -> DigestPeriod | None:
    """Return the period of a digest written now; None before its time of day."""
    zone = ZoneInfo(settings.etl_digest_timezone)
    local = now.astimezone(zone)
    if local.time() < time.fromisoformat(settings.etl_digest_at or "00:00"):
        return None
    since = max(now - MAX_PERIOD, up_to or now - timedelta(days=1))
    return DigestPeriod(since, now, since.astimezone(zone).date(), local.date())


def digest_message(tenant: str, period: DigestPeriod, data: DigestData) -> MailMessage:
    """Return the digest as a message; it lists policies by number and names no customer."""
    sections = [
        Section(f"Account {tenant}: activity since {period.last_day}"),
        *policy_section("New business", data.new_business),
        *policy_section("Cancellations", data.cancellations),
        *(
            section
            for days in data.renewals
            for section in policy_section(f"Renewals due in {days} days", data.renewals[days])
        ),
        *fix_section(data),
        sync_section(data),
    ]
    about = mail_subject(tenant, f"{period.today}: {summarize_digest(data)}")
    return MailMessage(MailKind.DIGEST, about, sections, mail_footer())


def summarize_digest(data: DigestData) -> str:
    """Return the summary of the digest for its subject."""
    renewals = sum(map(len, data.renewals.values()))
    new = sum(agent_fixes.new for agent_fixes in data.fixes)
    counts = [
        (len(data.new_business), "new policy", "new policies"),
        (len(data.cancellations), "cancellation", "cancellations"),
        (renewals, "renewal due", "renewals due"),
        (new, "record to fix", "records to fix"),
    ]
    summary = ", ".join(format_count(number, singular, plural) for number, singular, plural in counts if number)
    return summary or "the sync needs attention"


def policy_section(heading: str, policies: Sequence[PolicyLine]) -> list[Section]:
    """Return the section that lists policies; an empty list without policies."""
    if not policies:
        return []
    points = [f"{policy.number} ({policy.note})" if policy.note else policy.number for policy in policies]
    return [Section(f"{heading}: {format_number(len(policies))}", points=limit_points(points, MAX_LISTED))]


def fix_section(data: DigestData) -> list[Section]:
    """Return the section about data to fix, by agent; an empty list without new findings."""
    if not any(agent_fixes.new for agent_fixes in data.fixes):
        return []
    points = [
        f"{agent_fixes.agent}: {format_number(agent_fixes.new)} new, {format_number(agent_fixes.open)} in total"
        for agent_fixes in data.fixes
    ]
    lines = ["`qqetl findings` lists all."]
    return [Section("Data to fix in QQCatalyst, by agent", lines, limit_points(points, MAX_LISTED))]


def sync_section(data: DigestData) -> Section:
    """Return the section about the age of the data and open incidents."""
    lines = ["No complete sync yet." if data.lag is None else f"The data is at most {format_duration(data.lag)} old."]
    if data.incidents:
        lines.append(f"{format_count(data.incidents, 'open incident')}: see `qqetl notices`.")
    return Section("Sync", lines)
