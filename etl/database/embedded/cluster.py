"""Creation of the database cluster, and the server's settings."""

import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from etl.database.embedded.binaries import Binaries
from etl.database.embedded.os_user import OsUser
from etl.database.embedded.paths import LOOPBACK, SUPERUSER, ServerPaths
from etl.errors import DatabaseUnavailable

#: Sized for a desktop computer with a few gigabytes of memory; one writer, no replica.
SETTINGS: Mapping[str, str] = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",  # socket paths are limited to 107 bytes, TCP on the loopback is not
    "shared_buffers": "256MB",
    "max_wal_size": "4GB",
    "wal_level": "minimal",  # a COPY into a table of the same transaction skips the log
    "max_wal_senders": "0",
    "random_page_cost": "1.1",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # Rejected statements contain personal data: client errors are reported only to the client.
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}
_FIRST_WITH_BUILTIN_LOCALE = 17


def create_cluster(paths: ServerPaths, user: OsUser, binaries: Binaries) -> None:
    """Create the data folder with a new password; the remains of an earlier attempt are deleted.

    Raises DatabaseUnavailable with initdb's message when that fails.
    """
    shutil.rmtree(paths.unfinished, ignore_errors=True)
    paths.unfinished.mkdir(mode=0o700)
    if user.switch:
        os.chown(paths.unfinished, user.uid, user.gid)
    _initdb(paths, user, binaries)
    paths.unfinished.rename(paths.data)


def server_command(paths: ServerPaths, binaries: Binaries, settings: Mapping[str, str]) -> list[str]:
    """Return the command line that runs the server in the foreground, without its port."""
    options = [part for name, value in {**SETTINGS, **settings}.items() for part in ("-c", f"{name}={value}")]
    return [str(binaries.program("postgres")), "-D", str(paths.data), *options]


def _initdb(paths: ServerPaths, user: OsUser, binaries: Binaries) -> None:
    with tempfile.NamedTemporaryFile("w", dir=paths.folder, prefix="initdb-") as password:
        password.write(paths.create_password())
        password.flush()
        if user.switch:
            os.chown(password.name, user.uid, user.gid)
        completed = user.run(_initdb_command(paths.unfinished, binaries, Path(password.name)))
    if completed.returncode != 0:
        shutil.rmtree(paths.unfinished, ignore_errors=True)
        raise DatabaseUnavailable(
            f"The embedded PostgreSQL could not create its data folder {paths.data}. initdb reported:\n"
            f"{completed.stderr.strip()}"
        )


def _initdb_command(data: Path, binaries: Binaries, password: Path) -> list[str | Path]:
    # Code point order in UTF-8 on every machine; before version 17, the C locale has the same order.
    locale_options = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    return [
        binaries.program("initdb"),
        f"--pgdata={data}",
        f"--username={SUPERUSER}",
        f"--pwfile={password}",
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        "--locale=C",
        *(locale_options if binaries.major >= _FIRST_WITH_BUILTIN_LOCALE else []),
        "--data-checksums",
    ]
