"""What all workers share of the way to the API, in schema `etl`: the token and the pace of a tenant, a row each."""

from sqlalchemy import Column, Float, Integer, LargeBinary, Table, Text, text

from etl.models.base import Base
from etl.models.bookkeeping import SCHEMA, count, instant

tokens = Table(
    "tokens",
    Base.metadata,
    Column("tenant", Text, primary_key=True),
    # Goes into the keys of this row, which come from the client secret; 122 bits of the server's own.
    Column("salt", LargeBinary, nullable=False, server_default=text("uuid_send(gen_random_uuid())")),
    Column("account", LargeBinary),  # keyed digest of the credentials that all that follows was got with
    count("number"),  # grows with each token, so that renewed ones are told apart
    Column("sealed", LargeBinary),  # the token and what renews it, encrypted
    instant("renew_at"),
    instant("doubted_until"),  # it took a refused one's place, and has opened nothing yet
    Column("claimant", Text),  # who is renewing it
    instant("claimed_until"),
    Column("refusal", Text),  # why the credentials were refused, in words for a person
    instant("refused_until"),  # until when they are not sent again
    Column("refusals", Integer, nullable=False, server_default=text("0")),  # in a row
    schema=SCHEMA,
)

rate_buckets = Table(
    "rate_buckets",
    Base.metadata,
    Column("tenant", Text, primary_key=True),
    instant("next_at", now=True),  # the next free place in the schedule
    Column("floor", Float, nullable=False, server_default=text("0")),  # calls a second right after a complaint
    Column("ceiling", Float, nullable=False, server_default=text("0")),  # what the API is thought to take; 0: unknown
    Column("climb", Float, nullable=False, server_default=text("0")),  # seconds from one to the other
    instant("since", now=True),  # the complaint, moved on by the time in which nobody called
    count("taken"),  # places so far
    count("changes"),  # of floor and ceiling
    schema=SCHEMA,
)
