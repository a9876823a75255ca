"""The servers of a benchmark: one PostgreSQL with the same settings for all, one page server, new databases."""

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
#: In addition to the product's settings for its embedded server; durable, like a real server.
POSTGRES = {"shared_buffers": "1GB", "max_wal_size": "8GB", "fsync": "on", "synchronous_commit": "on"}


@dataclass(frozen=True)
class Server:
    """The page server, running."""

    api: str

    def get_json(self, path: str) -> Any:
        """Return the response of a control route of the page server."""
        with urlopen(f"{self.api}/{path}") as answer:  # noqa: S310 (our own server)
            return json.load(answer)

    def show_changes(self, *, shown: bool) -> None:
        """Show the data set as it is after the change, or before it."""
        self.get_json(f"switch/{'on' if shown else 'off'}")

    def slow_down(self, milliseconds: int) -> None:
        """Set the latency of every response."""
        self.get_json(f"latency/{milliseconds}")

    def counted(self) -> dict[str, int]:
        """Return the calls and bytes since the last call of this method."""
        counters: dict[str, int] = self.get_json("counted")
        return counters


@contextmanager
def page_server(records: int, changed: int) -> Iterator[Server]:
    """Run a page server whose feeds have `records` records each, of which `changed` will change."""
    command = [sys.executable, "-m", "benchmarks.server", "--records", str(records), "--changed", str(changed)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as program:
        try:
            port = program.stdout.readline().strip() if program.stdout else ""
            if not port:
                raise SystemExit("The page server did not start; see its output above.")
            yield Server(f"http://127.0.0.1:{port}")
        finally:
            program.kill()


class Cluster:
    """The PostgreSQL of a benchmark."""

    def __init__(self, url: str) -> None:
        self.url = url

    def database_url(self, name: str) -> str:
        """Return the URL of one database."""
        return urlsplit(self.url)._replace(path=f"/{name}").geturl()

    def create_database(self, name: str) -> str:
        """Create a database, replacing an old one, and return its URL."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return self.database_url(name)

    def checkpoint(self) -> None:
        """Write everything to disk, so that no step pays for the previous one."""
        self.row("CHECKPOINT")

    def row(self, query: str, database: str | None = None) -> tuple[Any, ...]:
        """Return the first row of a query, nothing for a statement without rows."""
        with psycopg.connect(database or self.url, autocommit=True) as connection:
            cursor = connection.execute(sql.SQL(query))
            return (cursor.fetchone() or ()) if cursor.description else ()


@contextmanager
def cluster(**settings: str) -> Iterator[Cluster]:
    """Run a PostgreSQL in its own folder, which is removed at the end."""
    folder = Path(tempfile.mkdtemp(prefix="qqetl-benchmark-"))
    folder.chmod(0o711)  # root's servers run as another user, who must be able to enter
    try:
        with EmbeddedPostgres(folder / "postgres", settings=POSTGRES | settings) as server:
            yield Cluster(server.url)
    finally:
        remove_server(folder / "postgres")
        shutil.rmtree(folder)
