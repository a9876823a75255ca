"""The bookkeeping tables of schema `etl`: batches, slices, requests, findings, watermarks, leases."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Float,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from etl.models.base import Base
from etl.models.states import (
    BatchState,
    DriftState,
    FindingState,
    Outcome,
    ResourceState,
    SliceState,
    listed,
)
from etl.values.base import Severity

SCHEMA = "etl"


def instant(name: str, *, now: bool = False, null: bool = True) -> Column[object]:
    """Make a column for an instant; `now` fills it from the database's clock."""
    return Column(name, DateTime(timezone=True), nullable=null and not now, server_default=func.now() if now else None)


def count(name: str) -> Column[int]:
    """Make a column that counts from zero."""
    return Column(name, BigInteger, nullable=False, server_default=text("0"))


tenants = Table(
    "tenants",
    Base.metadata,
    Column("tenant", Text, primary_key=True),
    Column("fingerprint", Text, nullable=False),  # keyed hash of the account, so that two accounts never share a name
    # The random key of this database under which the digests of erased people are kept; 244 bits of the server's own.
    Column(
        "hash_key",
        LargeBinary,
        nullable=False,
        server_default=text("uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())"),
    ),
    instant("registered_at", now=True),
    # The tables whose earlier versions are kept, as set by ETL_HISTORY in the newest run; NULL: as declared.
    Column("history", ARRAY(Text)),
    # What identifies the offices that a copied token showed before anything was stored; NULL: no token was used first.
    Column("offices", JSONB),
    schema=SCHEMA,
)

batches = Table(
    "batches",
    Base.metadata,
    Column("id", Uuid, primary_key=True),
    Column("tenant", Text, nullable=False),
    instant("window_start", null=False),
    instant("window_end", null=False),
    Column("status", Text, nullable=False, server_default=BatchState.CREATED.value),
    instant("started_at", now=True),
    instant("finished_at"),
    Column("error", Text),
    Column("version", Text, nullable=False),  # of the product
    Column("rules", Text, nullable=False),  # of the cleaning rules
    Column("command", Text, nullable=False),
    Column("options", JSONB, nullable=False, server_default=text("'{}'")),
    count("calls"),  # API calls, including repeated ones
    Column("waited_seconds", Float, nullable=False, server_default=text("0")),  # for the call limit
    CheckConstraint(f"status IN ({listed(BatchState)})", name="status_known"),
    CheckConstraint("window_start < window_end", name="window_forward"),
    CheckConstraint("(status = 'completed') <= (finished_at IS NOT NULL)", name="completed_has_end"),
    Index("ix_batches_started_at", "tenant", "started_at"),
    schema=SCHEMA,
)

batch_resources = Table(
    "batch_resources",
    Base.metadata,
    Column("batch_id", Uuid, ForeignKey("etl.batches.id", ondelete="CASCADE"), primary_key=True),
    Column("resource", Text, primary_key=True),
    Column("number", Integer, nullable=False),  # its position in the order of extraction
    Column("status", Text, nullable=False, server_default=ResourceState.PENDING.value),
    Column("position", JSONB, nullable=False, server_default=text("'{}'")),
    count("pages"),
    Column("api_total", BigInteger),
    count("fetched"),
    *[count(outcome.value) for outcome in Outcome],
    count("findings"),
    instant("window_start"),
    instant("window_end"),
    Column("error", Text),
    Column("trouble", Text),  # the kind of trouble, if the resource failed without an error
    CheckConstraint(f"status IN ({listed(ResourceState)})", name="status_known"),
    schema=SCHEMA,
)

slices = Table(
    "slices",
    Base.metadata,
    Column("batch_id", Uuid, primary_key=True),
    Column("resource", Text, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("endpoint", Integer, nullable=False, server_default=text("0")),
    Column("first_day", Date),
    Column("last_day", Date),
    Column("status", Text, nullable=False, server_default=SliceState.PENDING.value),
    Column("reading", Integer, nullable=False, server_default=text("1")),  # times it was started, from 1
    Column("total", BigInteger),  # as the envelope of the last page said
    Column("page_size", Integer),  # requested in all pages of the current reading
    Column("split_from", Integer),  # the planned slice that this one was a part of
    CheckConstraint(f"status IN ({listed(SliceState)})", name="status_known"),
    schema=SCHEMA,
)

requests = Table(
    "requests",
    Base.metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("batch_id", Uuid, nullable=False),
    Column("resource", Text, nullable=False),
    Column("slice", Integer),
    Column("reading", Integer),
    Column("page", Integer),
    Column("path", Text, nullable=False),
    Column("parameters", JSONB, nullable=False),
    Column("status", Integer, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("milliseconds", Float, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("items", Integer, nullable=False),  # of the envelope
    Column("records", Integer, nullable=False),  # in them: an item may hold several
    Column("total", BigInteger),  # from the envelope
    Column("digest", LargeBinary, nullable=False),  # of the items' texts
    Column("ids", ARRAY(Text), nullable=False),  # of the items, as received
    # Of its records' texts, where each of them was the newest of its id in staging when this was committed.
    Column("contents", LargeBinary),
    # The answer held neither a list nor an object.
    Column("no_answer", Boolean, nullable=False, server_default=text("false")),
    instant("requested_at", null=False),
    Index("ix_requests_batch", "batch_id", "resource", "slice", "page"),
    Index("ix_requests_requested_at", "requested_at"),
    Index("ix_requests_digest", "digest", postgresql_where=text("contents IS NOT NULL")),
    schema=SCHEMA,
)

findings = Table(
    "findings",
    Base.metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("tenant", Text, nullable=False),
    Column("resource", Text, nullable=False),
    Column("table_name", Text, nullable=False),
    Column("source_id", Text, nullable=False),
    Column("field", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("raw_value", Text),
    instant("first_seen", now=True),
    instant("last_seen", now=True),
    Column("times_seen", Integer, nullable=False, server_default=text("1")),
    Column("state", Text, nullable=False, server_default=FindingState.OPEN.value),
    Column("batch_id", Uuid, nullable=False),
    Column("raw_id", Uuid),
    CheckConstraint(f"severity IN ({listed(Severity)})", name="severity_known"),
    CheckConstraint(f"state IN ({listed(FindingState)})", name="state_known"),
    UniqueConstraint("tenant", "resource", "source_id", "table_name", "field", "rule"),
    schema=SCHEMA,
)

#: How often each rule was violated in a batch: one row per transaction, so that concurrent ones never block each other.
finding_counts = Table(
    "finding_counts",
    Base.metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("batch_id", Uuid, nullable=False),
    Column("tenant", Text, nullable=False),
    Column("resource", Text, nullable=False),
    Column("rule", Text, nullable=False),
    count("found"),
    count("left_out"),  # above the cap: counted and not stored
    instant("counted_at", now=True),
    Index("ix_finding_counts_batch", "batch_id", "resource", "rule"),
    schema=SCHEMA,
)

check_runs = Table(
    "check_runs",
    Base.metadata,
    Column("tenant", Text, primary_key=True),
    Column("check_name", Text, primary_key=True),
    instant("ran_at", null=False),  # when it last checked all rows
    count("hits"),
    Column("milliseconds", Float, nullable=False),
    schema=SCHEMA,
)

sync_history = Table(
    "sync_history",
    Base.metadata,
    Column("batch_id", Uuid, primary_key=True),
    Column("table_name", Text, primary_key=True),
    *[count(name) for name in ("inserted", "updated", "unchanged", "deleted", "revived")],
    Column("seconds", Float, nullable=False, server_default=text("0")),
    instant("synced_at", now=True),
    schema=SCHEMA,
)

watermarks = Table(
    "watermarks",
    Base.metadata,
    Column("tenant", Text, primary_key=True),
    Column("resource", Text, primary_key=True),
    Column("complete_from", DateTime(timezone=True), primary_key=True),
    instant("complete_to", null=False),
    instant("updated_at", now=True),
    CheckConstraint("complete_from < complete_to", name="interval_forward"),
    schema=SCHEMA,
)

#: The profile of each resource's raw JSON: one row per path, with its latest change.
drift = Table(
    "drift",
    Base.metadata,
    Column("tenant", Text, primary_key=True),
    Column("resource", Text, primary_key=True),
    Column("path", Text, primary_key=True),  # `a.b` in an object, `a[].b` in the members of a list
    Column("types", ARRAY(Text), nullable=False),  # of values that are not empty
    Column("objects", BigInteger, nullable=False),  # the number of objects from which the two rates are computed
    Column("presence", Float, nullable=False),  # the share of objects that have it
    Column("null_rate", Float, nullable=False),  # the share of those in which it is empty
    Column("example_codes", ARRAY(Text), nullable=False),  # only of coded fields
    Column("state", Text, nullable=False, server_default=DriftState.KNOWN.value),
    Column("change", Text),  # what changed, as text
    instant("changed_at"),
    Column("batch_id", Uuid),  # the batch that saw it first
    instant("first_seen", now=True),
    instant("last_seen", now=True),
    CheckConstraint(f"state IN ({listed(DriftState)})", name="state_known"),
    Index("ix_drift_batch_id", "batch_id", postgresql_where=text("batch_id IS NOT NULL")),
    schema=SCHEMA,
)

leases = Table(
    "leases",
    Base.metadata,
    Column("tenant", Text, primary_key=True),
    Column("resource", Text, primary_key=True),
    Column("holder", Text, nullable=False),  # host, process and run, for the message to another run
    Column("token", BigInteger, nullable=False),  # grows with every change of holder
    instant("expires_at", null=False),
    # The holder's machine since its start, its process ids and the process, so that a dead one is recognized at once.
    Column("process", Text),
    schema=SCHEMA,
)

#: The newest reading of each set whose list has a modification time: an older list that arrives late restores nothing.
sets = Table(
    "sets",
    Base.metadata,
    Column("tenant", Text, primary_key=True),
    Column("resource", Text, primary_key=True),
    Column("set_key", Text, primary_key=True),
    instant("version_at", null=False),
    schema=SCHEMA,
)

offers = Table(
    "offers",
    Base.metadata,
    Column("tenant", Text, primary_key=True),
    Column("resource", Text, primary_key=True),
    Column("offered", Boolean, nullable=False),
    Column("reason", Text),
    instant("asked_at", now=True),
    instant("refused_since"),  # since when a resource that has returned records gives no good answer
    schema=SCHEMA,
)

suppressions = Table(
    "suppressions",
    Base.metadata,
    Column("tenant", Text, primary_key=True),
    Column("table_name", Text, primary_key=True),  # a person's own table, or one whose rows were the person's
    Column("digest", LargeBinary, primary_key=True),  # of the source id, under the tenant's key
    instant("suppressed_at", now=True),
    schema=SCHEMA,
)

#: Records that disappeared while another record gained their rows: presumably merged at the source.
aliases = Table(
    "aliases",
    Base.metadata,
    Column("tenant", Text, primary_key=True),
    Column("table_name", Text, primary_key=True),
    Column("source_id", Text, primary_key=True),  # the record that disappeared
    Column("alias_of", Text, primary_key=True),  # the record that gained its rows
    Column("moved", Integer, nullable=False),  # number of rows that moved from one to the other
    Column("batch_id", Uuid, nullable=False),  # the batch that noticed it
    instant("noticed_at", now=True),
    schema=SCHEMA,
)

audit = Table(
    "audit",
    Base.metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("tenant", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("actor", Text, nullable=False),  # the user of the operating system
    Column("subject", LargeBinary),  # keyed digest of the subject of the action, never its name
    Column("counts", JSONB, nullable=False, server_default=text("'{}'")),
    instant("done_at", now=True),
    schema=SCHEMA,
)
