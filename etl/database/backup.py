"""Backup and restore of a whole database, by PostgreSQL's own pg_dump and pg_restore."""

import os
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from psycopg.conninfo import make_conninfo
from sqlalchemy import URL

from etl.database.connect import connect_options, parse_url, target
from etl.database.deadline import asking
from etl.database.embedded.binaries import client_program
from etl.database.sqlstate import database_errors
from etl.errors import PersonNeeded, UsageError

#: What pg_dump and pg_restore may take: time to get going, and for each byte what the slowest disk or line needs that
#: is worth waiting for. A backup file is compressed, and its indexes are made anew.
_BEGINNING_SECONDS = 600.0
_DUMPED, _RESTORED = 1_000_000.0, 100_000.0  # bytes a second: of the database, of the file
#: Seconds in which a program that is asked to end has to.
_FAREWELL_SECONDS = 10
#: Seconds that pg_dump waits for a table that somebody is changing.
_LOCK_SECONDS = 60
_FIRST_WITH_TRANSACTION_TIMEOUT = 17
#: Seconds for the answer to a question; the size of a large database is the sum of many files.
_ANSWER_SECONDS = 60.0
_WITHOUT_TLS = ("disable", "allow", "prefer", None)


def backup(url: str, file: Path) -> None:
    """Write the whole database into one file for `restore`, readable by its owner only.

    The file appears when it is complete, and then replaces an older one. Raises UsageError when its folder is not
    there, and PersonNeeded with pg_dump's words when it fails, or when it takes longer than its size can explain.
    """
    folder = file.absolute().parent
    if not folder.is_dir():
        raise UsageError(f"The folder {folder} for the backup does not exist. Make it first.")
    with tempfile.TemporaryDirectory(dir=folder, prefix=".backup-") as drafts:
        draft = Path(drafts, file.name)
        options = ("--format=custom", "--no-owner", "--no-privileges", f"--lock-wait-timeout={_LOCK_SECONDS}s")
        _run("pg_dump", url, _BEGINNING_SECONDS + _size(url) / _DUMPED, *options, f"--file={draft}")
        draft.chmod(0o600)
        draft.replace(file)


def restore(url: str, file: Path) -> None:
    """Replace the database's tables by those of a backup, in one transaction: all of them, or nothing.

    Raises UsageError when the file is not there, and PersonNeeded with pg_restore's words when it fails, or when it
    takes longer than the file's size can explain.
    """
    if not file.is_file():
        raise UsageError(f"There is no backup file {file}.")
    options = ("--single-transaction", "--no-owner", "--no-privileges", "--clean", "--if-exists")
    _run("pg_restore", url, _BEGINNING_SECONDS + file.stat().st_size / _RESTORED, *options, str(file))


def _size(url: str) -> int:
    """Return the bytes that a database takes."""
    with database_errors(), asking("", _ANSWER_SECONDS, **_parameters(parse_url(url))) as connection:
        (size,) = connection.execute("SELECT pg_database_size(current_database())").fetchone() or (0,)
        return int(size)


def _run(name: str, url: str, seconds: float, *options: str) -> None:
    address = parse_url(url)
    parameters = _parameters(address)
    server = _server_major(parameters)
    # A newer pg_restore sets a parameter that servers before 17 do not know, and gives up.
    before = (
        _FIRST_WITH_TRANSACTION_TIMEOUT if name == "pg_restore" and server < _FIRST_WITH_TRANSACTION_TIMEOUT else None
    )
    program = client_program(name, server, before=before, tls=parameters.get("sslmode") not in _WITHOUT_TLS)
    # A command line is open to everyone on the machine: the password goes by the environment.
    password = str(parameters.pop("password", None) or "")
    command = [str(program), f"--dbname={make_conninfo(**parameters)}", *options]
    try:
        done = _ended(command, os.environ | {"LC_ALL": "C"} | ({"PGPASSWORD": password} if password else {}), seconds)
    except subprocess.TimeoutExpired:
        raise PersonNeeded(
            f"{name} had not ended for {target(url)} after {seconds / 60:,.0f} min, longer than its size explains, and "
            "was stopped; nothing was changed. It may wait for a table that somebody uses: end what else is at work "
            "in this database, and run the command again."
        ) from None
    if done.returncode != 0:
        raise PersonNeeded(
            f"{name} failed for {target(url)}; nothing was changed. It said:\n{_without_rows(done.stderr)}"
        )


def _ended(command: Sequence[str], environment: Mapping[str, str], seconds: float) -> subprocess.CompletedProcess[str]:
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
            said = process.communicate(timeout=seconds)
        except BaseException:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(_FAREWELL_SECONDS)
            process.kill()
            raise
        return subprocess.CompletedProcess(command, process.returncode, *said)


def _parameters(address: URL) -> dict[str, str]:
    """Return libpq's parameters for the address, with our time-outs and TLS."""
    named = address.translate_connect_args(username="user", database="dbname")
    queried = {name: value if isinstance(value, str) else ",".join(value) for name, value in address.query.items()}
    return {name: str(value) for name, value in {**connect_options(address), **named, **queried}.items()}


def _server_major(parameters: Mapping[str, str]) -> int:
    with database_errors(), asking("", _ANSWER_SECONDS, **parameters) as connection:
        return connection.info.server_version // 10000


def _without_rows(said: str) -> str:
    """Return a program's complaints without the lines that may quote a row."""
    return "\n".join(line for line in said.splitlines() if "DETAIL:" not in line and "CONTEXT:" not in line)[:2000]
