"""A row that each writing transaction adds: the evidence of its commit if the response of the server is lost."""

from sqlalchemy import Column, Table, Uuid

from etl.models.base import Base
from etl.models.bookkeeping import SCHEMA, instant

commits = Table(
    "commits",
    Base.metadata,
    Column("id", Uuid, primary_key=True),  # made by the client, one for each attempt
    instant("noted_at", now=True),
    schema=SCHEMA,
)
