"""Backup and restore of a whole database, by PostgreSQL's own pg_dump and pg_restore."""

import os
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from psycopg.conninfo import make_conninfo
from sqlalchemy import URL

from etl.database.connect import connect_options, display_url, parse_url
from etl.database.deadline import connect_with_deadline
from etl.database.embedded.binaries import client_program
from etl.database.sqlstate import database_errors
from etl.errors import ActionRequired, UsageError

#: What pg_dump and pg_restore may take: time to get going, and for each byte what the slowest disk or line needs that
#: is worth waiting for. A backup file is compressed, and its indexes are made anew.
_BASE_SECONDS = 600.0
_DUMP_RATE, _RESTORE_RATE = 1_000_000.0, 100_000.0  # bytes a second: of the database, of the file
#: Seconds in which a program that is asked to end has to.
_TERMINATE_SECONDS = 10
#: Seconds that pg_dump waits for a table that somebody is changing.
_LOCK_SECONDS = 60
_FIRST_WITH_TRANSACTION_TIMEOUT = 17
#: Seconds for the answer to a question; the size of a large database is the sum of many files.
_QUERY_SECONDS = 60.0
_WITHOUT_TLS = ("disable", "allow", "prefer", None)


def backup(url: str, file: Path) -> None:
    """Write the whole database into one file for `restore`, readable by its owner only.

    The file appears when it is complete, and then replaces an older one. Raises UsageError when its folder is not
    there, and ActionRequired with pg_dump's words when it fails, or when it takes longer than its size can explain.
    """
    folder = file.absolute().parent
    if not folder.is_dir():
        raise UsageError(f"The folder {folder} for the backup does not exist. Make it first.")
    with tempfile.TemporaryDirectory(dir=folder, prefix=".backup-") as temporary_folder:
        temporary_file = Path(temporary_folder, file.name)
        options = ("--format=custom", "--no-owner", "--no-privileges", f"--lock-wait-timeout={_LOCK_SECONDS}s")
        _run_program("pg_dump", url, _BASE_SECONDS + _database_size(url) / _DUMP_RATE, *options, f"--file={temporary_file}")
        temporary_file.chmod(0o600)
        temporary_file.replace(file)


def restore(url: str, file: Path) -> None:
    """Replace the database's tables by those of a backup, in one transaction: all of them, or nothing.

    Raises UsageError when the file is not there, and ActionRequired with pg_restore's words when it fails, or when it
    takes longer than the file's size can explain.
    """
    if not file.is_file():
        raise UsageError(f"There is no backup file {file}.")
    options = ("--single-transaction", "--no-owner", "--no-privileges", "--clean", "--if-exists")
    _run_program("pg_restore", url, _BASE_SECONDS + file.stat().st_size / _RESTORE_RATE, *options, str(file))


def _database_size(url: str) -> int:
    """Return the bytes that a database takes."""
    with database_errors(), connect_with_deadline("", _QUERY_SECONDS, **_libpq_parameters(parse_url(url))) as connection:
        (size,) = connection.execute("SELECT pg_database_size(current_database())").fetchone() or (0,)
        return int(size)


def _run_program(name: str, url: str, seconds: float, *options: str) -> None:
    address = parse_url(url)
    parameters = _libpq_parameters(address)
    server = _server_major(parameters)
    # A newer pg_restore sets a parameter that servers before 17 do not know, and gives up.
    too_new = (
        _FIRST_WITH_TRANSACTION_TIMEOUT if name == "pg_restore" and server < _FIRST_WITH_TRANSACTION_TIMEOUT else None
    )
    program = client_program(name, server, too_new=too_new, tls=parameters.get("sslmode") not in _WITHOUT_TLS)
    # A command line is open to everyone on the machine: the password goes by the environment.
    password = str(parameters.pop("password", None) or "")
    command = [str(program), f"--dbname={make_conninfo(**parameters)}", *options]
    try:
        completed = _run_to_end(command, os.environ | {"LC_ALL": "C"} | ({"PGPASSWORD": password} if password else {}), seconds)
    except subprocess.TimeoutExpired:
        raise ActionRequired(
            f"{name} had not ended for {display_url(url)} after {seconds / 60:,.0f} min, longer than its size explains, and "
            "was stopped; nothing was changed. It may wait for a table that somebody uses: end what else is at work "
            "in this database, and run the command again."
        ) from None
    if completed.returncode != 0:
        raise ActionRequired(
            f"{name} failed for {display_url(url)}; nothing was changed. It said:\n{_strip_row_details(completed.stderr)}"
        )


def _run_to_end(command: Sequence[str], environment: Mapping[str, str], seconds: float) -> subprocess.CompletedProcess[str]:
    """Run a program to its end and return what it said; raise TimeoutExpired when it takes longer.

    Asked to end, pg_dump and pg_restore first tell the server to let their statement be.
    """
    with subprocess.Popen(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            output = process.communicate(timeout=seconds)
        except BaseException:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(_TERMINATE_SECONDS)
            process.kill()
            raise
        return subprocess.CompletedProcess(command, process.returncode, *output)


def _libpq_parameters(address: URL) -> dict[str, str]:
    """Return libpq's parameters for the address, with our time-outs and TLS."""
    url_parts = address.translate_connect_args(username="user", database="dbname")
    query_parameters = {name: value if isinstance(value, str) else ",".join(value) for name, value in address.query.items()}
    return {name: str(value) for name, value in {**connect_options(address), **url_parts, **query_parameters}.items()}


def _server_major(parameters: Mapping[str, str]) -> int:
    with database_errors(), connect_with_deadline("", _QUERY_SECONDS, **parameters) as connection:
        return connection.info.server_version // 10000


def _strip_row_details(message: str) -> str:
    """Return a program's complaints without the lines that may quote a row."""
    return "\n".join(line for line in message.splitlines() if "DETAIL:" not in line and "CONTEXT:" not in line)[:2000]
