"""Databases with odd defaults, and roles that own nothing."""

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from sqlalchemy import text

from etl.database.connect import make_engine

ODD_DEFAULTS = {
    "search_path": "odd, public", "datestyle": "'SQL, DMY'", "intervalstyle": "iso_8601", "timezone": "'Asia/Tokyo'",
    "bytea_output": "escape", "standard_conforming_strings": "off", "default_transaction_isolation": "serializable",
    "default_transaction_read_only": "on",
}  # fmt: skip


def administer(url: str, *statements: str) -> None:
    """Run statements as the owner of the cluster, in one transaction, also if the database is read-only by default."""
    engine = make_engine(url)
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


@contextmanager
def as_role(url: str, role: str, *grants: str) -> Iterator[str]:
    """Give the address of a database for a role that is no superuser and owns nothing, with some rights."""
    database = urlsplit(url).path.lstrip("/")
    administer(
        url, f"CREATE ROLE {role} LOGIN PASSWORD 'p'", *(grant.format(database=database, role=role) for grant in grants)
    )
    parts = urlsplit(url)
    try:
        yield parts._replace(netloc=f"{role}:p@{parts.hostname}:{parts.port}").geturl()
    finally:
        administer(url, f"DROP OWNED BY {role} CASCADE", f"DROP ROLE {role}")
