"""Shared state of API access, in schema `etl`: a tenant's token, an account's call limit, the limits of lists."""

from sqlalchemy import Boolean, Column, Integer, LargeBinary, Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB

from etl.models.base import Base
from etl.models.bookkeeping import SCHEMA, count, instant

tokens = Table(
    "tokens",
    Base.metadata,
    Column("tenant", Text, primary_key=True),
    # Goes into the keys of this row, which come from the client secret; 122 bits of the server's own.
    Column("salt", LargeBinary, nullable=False, server_default=text("uuid_send(gen_random_uuid())")),
    Column("account", LargeBinary),  # keyed digest of the credentials that returned the token
    count("number"),  # grows with each token, so that a renewed token is recognized
    Column("sealed", LargeBinary),  # the token and what renews it, encrypted
    instant("renew_at"),
    instant("doubted_until"),  # it replaced a refused token, and no call has succeeded with it yet
    Column("claimant", Text),  # who is renewing it
    instant("claimed_until"),
    Column("refusal", Text),  # why the credentials were refused, as a message for people
    instant("refused_until"),  # until when they are not sent again
    Column("refusals", Integer, nullable=False, server_default=text("0")),  # in a row
    instant("opened_at"),  # when a call with a token of these credentials last succeeded
    # Whether the client id and secret go in a Basic header, because the token address refused them in the form.
    Column("basic_header", Boolean, nullable=False, server_default=text("false")),
    Column("unclear", Integer, nullable=False, server_default=text("0")),  # consecutive runs that got an unclear answer
    schema=SCHEMA,
)

call_limits = Table(
    "call_limits",
    Base.metadata,
    # Digest of API host, client id and user name: the account whose calls are counted together, across tenants.
    Column("account", Text, primary_key=True),
    Column("state", JSONB, nullable=False, server_default=text("'{}'")),  # etl.api.rate_limit.window.WindowState
    instant("updated_at", now=True),
    schema=SCHEMA,
)

list_limits = Table(
    "list_limits",
    Base.metadata,
    Column("tenant", Text, primary_key=True),
    Column("resource", Text, primary_key=True),
    Column("page_size", Integer),  # the largest that was accepted after a larger one was refused
    Column("requested_size", Integer),  # the setting at that time: another one is tried
    instant("page_size_at"),
    Column("answered_days", Integer),  # the longest date range that was answered
    Column("failed_days", Integer),  # the shortest that failed
    instant("days_at"),
    schema=SCHEMA,
)
