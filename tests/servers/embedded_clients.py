"""Programs that use the embedded server, and functions to observe it."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg

from etl.database.embedded.file_lock import wait_until
from etl.database.embedded.liveness import ServerState, is_supervised, server_state
from etl.database.embedded.paths import ServerPaths
from etl.database.embedded.server import EmbeddedPostgres

ROOT = Path(__file__).parents[2]


FAST = {"fsync": "off", "shared_buffers": "16MB"}


PATIENCE = 20.0


#: A program that uses the server until its standard input ends, and prints the server's start time and user.
CLIENT = """
import sys, psycopg
from etl.database.embedded.server import EmbeddedPostgres
with EmbeddedPostgres(sys.argv[1], settings={"fsync": "off", "shared_buffers": "16MB"}) as server:
    with psycopg.connect(server.url) as connection:
        started, user = connection.execute("select pg_postmaster_start_time()::text, current_user").fetchone()
    print(server.url, started, sep="|", flush=True)
    sys.stdin.read()
"""


def use(folder: Path) -> EmbeddedPostgres:
    return EmbeddedPostgres(folder, settings=FAST)


def client(folder: Path, python: str = sys.executable, **options: Any) -> subprocess.Popen[str]:
    environment = {"PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path]), "PATH": os.environ["PATH"]}
    command = [python, "-c", CLIENT, str(folder)]
    return subprocess.Popen(
        command, env=environment, cwd="/", stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, **options
    )


def line_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def finish(*processes: subprocess.Popen[str]) -> None:
    for process in processes:
        process.communicate(timeout=PATIENCE)


def ask(url: str, query: str) -> object:
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(query)
        row = cursor.fetchone() if cursor.description else None
        return row[0] if row else None


def postmaster(home: ServerPaths) -> int:
    return int((home.data / "postmaster.pid").read_text().splitlines()[0])


def gone(home: ServerPaths) -> bool:
    return wait_until(lambda: server_state(home) is ServerState.GONE and not is_supervised(home), PATIENCE)
