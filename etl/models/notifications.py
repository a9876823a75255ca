"""The tables of notifications: current troubles, emails to be sent, and days that had a digest."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Table,
    Text,
    Uuid,
    text,
)

from etl.models.base import Base
from etl.models.bookkeeping import SCHEMA, instant
from etl.models.states import IncidentKind, MailKind, listed

troubles = Table(
    "troubles",
    Base.metadata,
    Column("tenant", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("subject", Text, primary_key=True),  # the resource; empty where it concerns the run as a whole
    Column("words", Text, nullable=False),  # redacted: they are emailed unchanged
    Column("batch_id", Uuid),
    instant("opened_at", now=True),
    instant("last_seen", now=True),
    Column("times_seen", Integer, nullable=False, server_default=text("1")),
    instant("closed_at"),
    instant("told_at"),  # when an email about it was written; empty until one is due
    CheckConstraint(f"kind IN ({listed(IncidentKind)})", name="kind_known"),
    schema=SCHEMA,
)

#: The recipients are a setting and not stored here.
outbox = Table(
    "outbox",
    Base.metadata,
    Column("id", Uuid, primary_key=True),  # of the email, so that a copy that arrives twice is recognized
    Column("number", BigInteger, Identity(), nullable=False),  # the order in which mails were written
    Column("tenant", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("html", Text, nullable=False),
    instant("created_at", now=True),
    instant("claimed_until"),  # a process has claimed it for sending until then
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("error", Text),
    instant("sent_at"),
    CheckConstraint(f"kind IN ({listed(MailKind)})", name="kind_known"),
    Index("ix_outbox_waiting", "tenant", "number", postgresql_where=text("sent_at IS NULL")),
    schema=SCHEMA,
)

digests = Table(
    "digests",
    Base.metadata,
    Column("tenant", Text, primary_key=True),
    Column("day", Date, primary_key=True),  # in the zone of the digest
    instant("up_to", null=False),  # where the next digest begins
    Column("mail_id", Uuid, ForeignKey("etl.outbox.id", ondelete="SET NULL")),  # NULL: there was nothing to report
    schema=SCHEMA,
)
