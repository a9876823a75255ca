"""A PgBouncer of a test's own before a database, in transaction mode: each transaction may get another session."""

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
def pooled(url: str) -> Iterator[str]:
    """Give the address of a database by way of a pooler that runs as long as the block."""
    parts = urlsplit(url)
    folder = Path(tempfile.mkdtemp(prefix="qqetl-pooler-"))
    folder.chmod(0o711)  # the pooler refuses to run as root, and has to read its settings
    listen = free_port()
    name = parts.path.lstrip("/")
    (folder / "pgbouncer.ini").write_text(
        CONFIGURATION.format(
            database=name, host=parts.hostname, port=parts.port, user=parts.username, listen=listen,
            password=unquote(parts.password or ""),
        )
    )  # fmt: skip
    through = parts._replace(netloc=f"{parts.username}@127.0.0.1:{listen}").geturl()
    account = server_user(folder / "none")
    process = subprocess.Popen(
        [brought("pgbouncer", "pgbouncer"), "-q", str(folder / "pgbouncer.ini")], cwd="/",
        stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL, **account.subprocess_options(),
    )  # fmt: skip
    try:
        assert wait_until(lambda: answers(through) or process.poll() is not None, SECONDS)
        assert process.poll() is None, "the pooler ended by itself"
        yield through
    finally:
        process.terminate()
        process.wait(SECONDS)
        shutil.rmtree(folder)


def brought(program: str, service: str) -> str:
    """Return a program, which the project's script brings where it is missing; fail with the cure where it cannot."""
    path = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin"
    if shutil.which(program, path=path) is None:
        done = subprocess.run([sys.executable, str(SERVICES), service], capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.fail(done.stderr)
    return str(shutil.which(program, path=path))


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def answers(url: str) -> bool:
    """Tell whether a database answers at an address."""
    try:
        with psycopg.connect(url, connect_timeout=2, prepare_threshold=None) as connection:
            return connection.execute("select 1").fetchone() == (1,)
    except psycopg.OperationalError:
        return False
