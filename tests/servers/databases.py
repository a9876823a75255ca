"""Databases for single tests, cloned from templates on the server of the test run."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
from psycopg import sql

MIGRATED = "template_migrated"
#: The statement timeout in milliseconds. Dropping a database waits for every session of the server.
STATEMENT_TIMEOUT_MS = 60_000
FIRST_WITH_STRATEGY = 150000
SESSIONS = """
    SELECT pid, backend_type, datname, state, wait_event_type, wait_event, now() - state_change, left(query, 200)
    FROM pg_stat_activity WHERE pid <> pg_backend_pid()
"""


def with_database(url: str, name: str) -> str:
    """Return the URL of another database of the same server."""
    return urlsplit(url)._replace(path=f"/{name}").geturl()


def on_server(url: str, statement: str, *names: str) -> None:
    """Run a statement outside of transactions, with identifiers inserted; an error lists the active sessions."""
    options = f"-c statement_timeout={STATEMENT_TIMEOUT_MS}"
    with psycopg.connect(with_database(url, "postgres"), autocommit=True, options=options) as connection:
        try:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))
        except psycopg.Error as error:
            with suppress(psycopg.Error):
                error.add_note("\n".join(map(str, connection.execute(SESSIONS))))
            raise


@contextmanager
def clone_database(url: str, template: str) -> Iterator[str]:
    """Yield the URL of a copy of a database, which is dropped after the block."""
    name = f"test_{uuid4().hex[:12]}"
    on_server(url, f"CREATE DATABASE {{}} TEMPLATE {{}} {copy_strategy(url)}", name, template)
    try:
        yield with_database(url, name)
    finally:
        on_server(url, "DROP DATABASE IF EXISTS {} WITH (FORCE)", name)


def copy_strategy(url: str) -> str:
    """Return the fastest copy strategy of a server: whole files instead of pages through the write-ahead log.

    Before version 15, copying files is the only strategy.
    """
    with psycopg.connect(url) as connection:
        return "STRATEGY file_copy" if connection.info.server_version >= FIRST_WITH_STRATEGY else ""
