"""Databases of a test's own, copied from others on the server of the test run."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
from psycopg import sql

MIGRATED = "template_migrated"
#: Milliseconds that a statement on the server may take. Dropping a database waits for every session of the server.
PATIENCE = 60_000
FIRST_WITH_STRATEGY = 150000
AT_WORK = """
    SELECT pid, backend_type, datname, state, wait_event_type, wait_event, now() - state_change, left(query, 200)
    FROM pg_stat_activity WHERE pid <> pg_backend_pid()
"""


def with_database(url: str, name: str) -> str:
    """Return the address of another database of the same server."""
    return urlsplit(url)._replace(path=f"/{name}").geturl()


def on_server(url: str, statement: str, *names: str) -> None:
    """Run a statement that no transaction may hold, with names put in; its error says who is at work."""
    options = f"-c statement_timeout={PATIENCE}"
    with psycopg.connect(with_database(url, "postgres"), autocommit=True, options=options) as connection:
        try:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))
        except psycopg.Error as error:
            with suppress(psycopg.Error):
                error.add_note("\n".join(map(str, connection.execute(AT_WORK))))
            raise


@contextmanager
def cloned(url: str, template: str) -> Iterator[str]:
    """Give the address of a copy of a database, for as long as the block runs."""
    name = f"test_{uuid4().hex[:12]}"
    on_server(url, f"CREATE DATABASE {{}} TEMPLATE {{}} {quickest(url)}", name, template)
    try:
        yield with_database(url, name)
    finally:
        on_server(url, "DROP DATABASE IF EXISTS {} WITH (FORCE)", name)


def quickest(url: str) -> str:
    """Return how a server copies fastest: whole files, and not page by page through its log.

    Before version 15 it knows no other way.
    """
    with psycopg.connect(url) as connection:
        return "STRATEGY file_copy" if connection.info.server_version >= FIRST_WITH_STRATEGY else ""
