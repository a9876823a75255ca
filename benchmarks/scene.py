"""The scene of a benchmark: one PostgreSQL with the same settings for all, one page server, databases made afresh."""

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import urlopen

import psycopg
from psycopg import sql

from etl.database.embedded.server import EmbeddedPostgres, remove_server

ROOT = Path(__file__).resolve().parent.parent
#: On top of the product's own settings for its embedded server; durable, as a real one is.
POSTGRES = {"shared_buffers": "1GB", "max_wal_size": "8GB", "fsync": "on", "synchronous_commit": "on"}


@dataclass(frozen=True)
class Server:
    """The page server, running."""

    api: str

    def ask(self, path: str) -> Any:
        """Return what the desk of the page server answers."""
        with urlopen(f"{self.api}/{path}") as answer:  # noqa: S310 (our own server)
            return json.load(answer)

    def show_changes(self, *, shown: bool) -> None:
        """Let the book be as it is after the change, or as before."""
        self.ask(f"switch/{'on' if shown else 'off'}")

    def slow_down(self, milliseconds: int) -> None:
        """Let every answer take so long."""
        self.ask(f"latency/{milliseconds}")

    def counted(self) -> dict[str, int]:
        """Return the calls and bytes since this was last asked."""
        told: dict[str, int] = self.ask("counted")
        return told


@contextmanager
def page_server(records: int, changed: int) -> Iterator[Server]:
    """Give a page server whose feeds have so many records each, so many of which will change."""
    command = [sys.executable, "-m", "benchmarks.server", "--records", str(records), "--changed", str(changed)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as program:
        try:
            port = program.stdout.readline().strip() if program.stdout else ""
            if not port:
                raise SystemExit("The page server did not start; what it said stands above.")
            yield Server(f"http://127.0.0.1:{port}")
        finally:
            program.kill()


class Cluster:
    """The PostgreSQL of a benchmark."""

    def __init__(self, url: str) -> None:
        self.url = url

    def address(self, name: str) -> str:
        """Return the address of one database."""
        return urlsplit(self.url)._replace(path=f"/{name}").geturl()

    def fresh(self, name: str) -> str:
        """Make a database anew and return its address."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return self.address(name)

    def settle(self) -> None:
        """Write everything out, so that nobody pays for what another left behind."""
        self.row("CHECKPOINT")

    def row(self, query: str, database: str | None = None) -> tuple[Any, ...]:
        """Return the first row of a query, nothing for a statement without rows."""
        with psycopg.connect(database or self.url, autocommit=True) as connection:
            cursor = connection.execute(sql.SQL(query))
            return (cursor.fetchone() or ()) if cursor.description else ()


@contextmanager
def cluster(**more: str) -> Iterator[Cluster]:
    """Give a PostgreSQL in a folder of its own, which is removed at the end; `more` are settings for it."""
    folder = Path(tempfile.mkdtemp(prefix="qqetl-benchmark-"))
    folder.chmod(0o711)  # root's servers run as another account, which has to get through
    try:
        with EmbeddedPostgres(folder / "postgres", settings=POSTGRES | more) as server:
            yield Cluster(server.url)
    finally:
        remove_server(folder / "postgres")
        shutil.rmtree(folder)
