"""The outbox: emails are stored with their cause, claimed by one process, and kept until they are sent."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Connection, insert, select, text
from sqlalchemy.dialects.postgresql import insert as upsert

from etl.models.notifications import digests, outbox
from etl.models.states import MailKind
from etl.queries import Queries

SQL = Queries(__file__)

#: Days that sent emails are kept.
RETENTION_DAYS = 90
#: The number of emails that one run sends; the others wait for the next run.
MAX_EMAILS = 20
#: Seconds after which another process may send the emails that a dead process claimed.
CLAIM_SECONDS = 600

MARK_SENT = text("UPDATE etl.outbox SET sent_at = now(), claimed_until = NULL, error = NULL WHERE id = :id")
MARK_FAILED = text("UPDATE etl.outbox SET claimed_until = NULL, error = :error WHERE id = ANY(:ids)")
PURGE = text("DELETE FROM etl.outbox WHERE tenant = :tenant AND sent_at < now() - make_interval(days => :days)")


@dataclass(frozen=True, slots=True)
class Mail:
    """One email, as plain text and as HTML."""

    kind: MailKind
    subject: str
    body: str
    html: str
    id: UUID
    attempts: int = 0
    created_at: datetime | None = None  #: None before it is stored
    error: str | None = None  #: of the last attempt


def enqueue(connection: Connection, tenant: str, mail: Mail) -> None:
    """Store an email to send, in the transaction of its cause; delete old sent emails."""
    connection.execute(PURGE, {"tenant": tenant, "days": RETENTION_DAYS})
    values = {"id": mail.id, "kind": mail.kind, "subject": mail.subject, "body": mail.body, "html": mail.html}
    connection.execute(insert(outbox).values(tenant=tenant, **values))


def claim_emails(connection: Connection, tenant: str) -> list[Mail]:
    """Claim the unsent emails, oldest first, and return them. No other process sends them during the claim."""
    parameters = {"tenant": tenant, "claim": CLAIM_SECONDS, "most": MAX_EMAILS}
    rows = sorted(connection.execute(SQL["claim_unsent"], parameters), key=lambda row: row.number)
    return [to_email(row) for row in rows]


def mark_sent(connection: Connection, mail_id: UUID) -> None:
    """Mark an email as accepted by the mail server."""
    connection.execute(MARK_SENT, {"id": mail_id})


def mark_send_failed(connection: Connection, mail_ids: Sequence[UUID], error: str) -> None:
    """Return emails to the queue, with the reason why this attempt failed."""
    connection.execute(MARK_FAILED, {"ids": list(mail_ids), "error": error})


def read_unsent(connection: Connection, tenant: str) -> list[Mail]:
    """Return the unsent emails, oldest first."""
    query = select(outbox).where(outbox.c.tenant == tenant, outbox.c.sent_at.is_(None)).order_by(outbox.c.number)
    return [to_email(row) for row in connection.execute(query)]


def start_digest(connection: Connection, tenant: str, day: date, up_to: datetime) -> bool:
    """Record that a day has its digest; return whether it had none before."""
    statement = upsert(digests).values(tenant=tenant, day=day, up_to=up_to).on_conflict_do_nothing()
    return connection.execute(statement.returning(digests.c.day)).first() is not None


def link_digest(connection: Connection, tenant: str, day: date, mail_id: UUID) -> None:
    """Record which email is the digest of a day."""
    is_digest = (digests.c.tenant == tenant) & (digests.c.day == day)
    connection.execute(digests.update().where(is_digest).values(mail_id=mail_id))


def read_last_digest(connection: Connection, tenant: str) -> datetime | None:
    """Return the end of the period of the last digest, None before the first one."""
    query = select(digests.c.up_to).where(digests.c.tenant == tenant).order_by(digests.c.day.desc()).limit(1)
    return connection.execute(query).scalar_one_or_none()


def build_email(kind: MailKind, subject: str, body: str, html: str) -> Mail:
    """Return a new email that is not stored yet."""
    return Mail(kind, subject, body, html, uuid4())


def to_email(row: Any) -> Mail:
    """Convert a row of `etl.outbox` to an email."""
    kind = MailKind(row.kind)
    return Mail(kind, row.subject, row.body, row.html, row.id, row.attempts, row.created_at, row.error)
