"""A PgBouncer in transaction mode for tests: each transaction may run in another session."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit

import psycopg
import pytest

from etl.database.embedded.file_lock import wait_until
from etl.database.embedded.os_user import server_user

SERVICES = Path(__file__).parents[2] / ".ci/services.py"
SECONDS = 20.0

#: Few sessions for many clients, so that one client's transactions run in several of them.
CONFIGURATION = """
[databases]
{database} = host={host} port={port} dbname={database} user={user} password={password}

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {listen}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 4
server_round_robin = 1
max_client_conn = 100
query_wait_timeout = 30
"""


@contextmanager
def run_pooler(url: str) -> Iterator[str]:
    """Run a pooler in front of a database; yield the URL of the database through the pooler."""
    parts = urlsplit(url)
    folder = Path(tempfile.mkdtemp(prefix="qqetl-pooler-"))
    folder.chmod(0o711)  # the pooler refuses to run as root, and must be able to read its settings
    listen = free_port()
    name = parts.path.lstrip("/")
    (folder / "pgbouncer.ini").write_text(
        CONFIGURATION.format(
            database=name, host=parts.hostname, port=parts.port, user=parts.username, listen=listen,
            password=unquote(parts.password or ""),
        )
    )  # fmt: skip
    pooler_url = parts._replace(netloc=f"{parts.username}@127.0.0.1:{listen}").geturl()
    user = server_user(folder / "none")
    process = subprocess.Popen(
        [ensure_program("pgbouncer", "pgbouncer"), "-q", str(folder / "pgbouncer.ini")], cwd="/",
        stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL, **user.subprocess_options(),
    )  # fmt: skip
    try:
        assert wait_until(lambda: answers(pooler_url) or process.poll() is not None, SECONDS)
        assert process.poll() is None, "the pooler exited"
        yield pooler_url
    finally:
        process.terminate()
        process.wait(SECONDS)
        shutil.rmtree(folder)


def ensure_program(program: str, service: str) -> str:
    """Return a program, installed by `.ci/services.py` when missing; fail with the fix when that is not possible."""
    path = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin"
    if shutil.which(program, path=path) is None:
        completed = subprocess.run(
            [sys.executable, str(SERVICES), service], capture_output=True, text=True, check=False
        )
        if completed.returncode:
            pytest.fail(completed.stderr)
    return str(shutil.which(program, path=path))


def free_port() -> int:
    """Return a free port."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def answers(url: str) -> bool:
    """Return whether a database answers at a URL."""
    try:
        with psycopg.connect(url, connect_timeout=2, prepare_threshold=None) as connection:
            return connection.execute("select 1").fetchone() == (1,)
    except psycopg.OperationalError:
        return False
