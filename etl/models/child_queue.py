"""The tables of schema `etl` that decide which calls for details are made: the queue, its samples, the daily count."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Index,
    Integer,
    Table,
    Text,
    Uuid,
    desc,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY

from etl.models.base import Base
from etl.models.bookkeeping import SCHEMA, instant
from etl.models.states import CallOutcome, listed

child_queue = Table(
    "child_queue",
    Base.metadata,
    Column("tenant", Text, primary_key=True),
    Column("resource", Text, primary_key=True),  # what is fetched
    Column("parent_id", Text, primary_key=True),  # the parent's source id
    Column("parent_raw_id", Uuid, nullable=False),  # the version of the parent that made it due
    Column("priority", Integer, nullable=False),  # what its details are worth, see `detail_rules`
    instant("parent_version_at", null=False),  # newest first
    instant("due_at", null=False),  # when it becomes due
    instant("covered_at"),  # when its response was last staged
    Column("changed", Boolean, nullable=False, server_default=text("true")),  # due for a new parent version
    Column("failures", Integer, nullable=False, server_default=text("0")),  # in a row
    Column("outcome", Text),  # what the newest answer said
    Column("has_answered", Boolean, nullable=False, server_default=text("false")),  # a list or an object, ever
    CheckConstraint(f"outcome IN ({listed(CallOutcome)})", name="outcome_known"),
    # In the order of reading, so that a round costs the same however long the queue is.
    Index(
        "ix_child_queue_next",
        "tenant", "priority", desc("parent_version_at"), "parent_id", "resource",
        postgresql_where=text("changed"),
    ),
    Index("ix_child_queue_refresh", "tenant", "due_at", postgresql_where=text("NOT changed")),
    schema=SCHEMA,
)  # fmt: skip

#: Parents that probably have no records of a resource, and what their answers showed.
child_samples = Table(
    "child_samples",
    Base.metadata,
    Column("tenant", Text, primary_key=True),
    Column("resource", Text, primary_key=True),
    Column("parent", Text, nullable=False),  # the resource of the parents
    Column("parent_ids", ARRAY(Text), nullable=False),  # their source ids
    Column("counter_example", Text),  # a parent that has a record, so that every parent gets a call
    instant("decided_at"),  # when the outcome was known
    schema=SCHEMA,
)

#: When the queue of a resource was refreshed, and when all its parents were last looked at. A run may read some only.
queue_refreshes = Table(
    "queue_refreshes",
    Base.metadata,
    Column("tenant", Text, primary_key=True),
    Column("resource", Text, primary_key=True),
    instant("refreshed_at", null=False),
    Column("full_on", Date, nullable=False),  # the day for which all records were looked at
    schema=SCHEMA,
)

#: The calls of an account by hour, of all runs and commands, for the daily budget.
account_calls = Table(
    "account_calls",
    Base.metadata,
    Column("account", Text, primary_key=True),  # digest, as in `etl.call_limits`
    Column("hour", DateTime(timezone=True), primary_key=True),
    Column("calls", BigInteger, nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    schema=SCHEMA,
)
