"""Backup and restore of all that is ours in a database, with PostgreSQL's pg_dump and pg_restore."""

import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo
from sqlalchemy import URL

from etl.database.connect import connect_options, display_url, parse_url
from etl.database.deadline import connect_with_deadline
from etl.database.embedded.binaries import client_program
from etl.database.sqlstate import database_errors
from etl.database.tables import our_tables
from etl.database.transfer.ours import (
    OWN_SCHEMAS,
    find_relations_of_others,
    give_back_privileges,
    read_privileges,
    select_entries,
)
from etl.errors import ActionRequired, UsageError

#: The time limit of pg_dump and pg_restore: a base, plus the time that a slow disk or network needs for the size.
#: pg_restore gets more per byte: a backup file is compressed, and its indexes are rebuilt.
_BASE_SECONDS = 600.0
_DUMP_RATE, _RESTORE_RATE = 1_000_000.0, 100_000.0  # bytes a second: of the database, of the file
#: Seconds that a terminated program has to exit before it is killed.
_TERMINATE_SECONDS = 10
#: Seconds that pg_dump waits for a locked table.
_LOCK_SECONDS = 60
_FIRST_WITH_TRANSACTION_TIMEOUT = 17
#: Seconds for one query; the size of a large database is the sum of many files.
_QUERY_SECONDS = 60.0
_WITHOUT_TLS = ("disable", "allow", "prefer", None)


def backup(url: str, file: Path) -> None:
    """Write all our tables to one file for `restore`, readable only by its owner; tables of others are left out.

    The file appears when it is complete and replaces an older one. Raises UsageError when its folder does not exist,
    and ActionRequired with pg_dump's message when pg_dump fails or takes much longer than the size requires.
    """
    folder = file.absolute().parent
    if not folder.is_dir():
        raise UsageError(f"The folder {folder} for the backup does not exist. Create it first.")
    with tempfile.TemporaryDirectory(dir=folder, prefix=".backup-") as temporary_folder:
        temporary_file = Path(temporary_folder, file.name)
        with _connected(url) as connection:
            others = find_relations_of_others(connection, our_tables())
        options = (
            "--format=custom", "--no-owner", "--no-privileges", f"--lock-wait-timeout={_LOCK_SECONDS}s",
            *(f"--schema={schema}" for schema in (*OWN_SCHEMAS, "public")),
            *(f"--exclude-table={relation}" for relation in others),
        )  # fmt: skip
        _run_program(
            "pg_dump", url, _BASE_SECONDS + _database_size(url) / _DUMP_RATE, *options, f"--file={temporary_file}"
        )
        temporary_file.chmod(0o600)
        temporary_file.replace(file)


def restore(url: str, file: Path) -> None:
    """Replace our tables with those of a backup, in one transaction, and give back the privileges on them.

    Tables of others stay as they are, also if the backup holds some. Raises UsageError when the file does not exist,
    and ActionRequired with pg_restore's message when pg_restore fails or takes much longer than the size requires.
    """
    if not file.is_file():
        raise UsageError(f"The backup file {file} does not exist.")
    seconds = _BASE_SECONDS + file.stat().st_size / _RESTORE_RATE
    with _connected(url) as connection:
        privileges = read_privileges(connection, our_tables())
        for schema in OWN_SCHEMAS:
            connection.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(schema)))
    listing = _run_program("pg_restore", url, seconds, "--list", str(file), connects=False)
    with tempfile.NamedTemporaryFile("w", prefix="entries-", suffix=".txt") as entries:
        entries.write("\n".join(select_entries(listing, our_tables())))
        entries.flush()
        options = ("--single-transaction", "--no-owner", "--no-privileges", "--clean", "--if-exists")
        _run_program("pg_restore", url, seconds, *options, f"--use-list={entries.name}", str(file))
    with _connected(url) as connection:
        give_back_privileges(connection, privileges)


@contextmanager
def _connected(url: str) -> Iterator["psycopg.Connection[tuple[object, ...]]"]:
    """Give a short connection whose block is one transaction."""
    with (
        database_errors(),
        connect_with_deadline("", _QUERY_SECONDS, **_libpq_parameters(parse_url(url))) as connection,
    ):
        connection.read_only = False  # a database may be read-only by default
        with connection.transaction():
            yield connection


def _database_size(url: str) -> int:
    """Return the size of a database in bytes."""
    with _connected(url) as connection:
        (size,) = connection.execute("SELECT pg_database_size(current_database())").fetchone() or (0,)
        return int(str(size))


def _run_program(name: str, url: str, seconds: float, *options: str, connects: bool = True) -> str:
    """Run a program on a database, or on a file only, and return its output; raise ActionRequired if it fails."""
    address = parse_url(url)
    parameters = _libpq_parameters(address)
    server = _server_major(parameters)
    # A newer pg_restore sets a parameter that servers before 17 do not know, and fails.
    too_new = (
        _FIRST_WITH_TRANSACTION_TIMEOUT if name == "pg_restore" and server < _FIRST_WITH_TRANSACTION_TIMEOUT else None
    )
    program = client_program(name, server, too_new=too_new, tls=parameters.get("sslmode") not in _WITHOUT_TLS)
    # Every user of the machine can read a command line: the password is passed in the environment.
    environment = os.environ | {"LC_ALL": "C"} | _write_options(parameters)
    if password := str(parameters.pop("password", None) or ""):
        environment["PGPASSWORD"] = password
    command = [str(program), *([f"--dbname={make_conninfo(**parameters)}"] if connects else []), *options]
    try:
        completed = _run_to_end(
            command,
            environment,
            seconds,
        )
    except subprocess.TimeoutExpired:
        raise ActionRequired(
            f"{name} did not finish for {display_url(url)} within {seconds / 60:,.0f} min, much longer than the size "
            "requires, and was stopped; nothing was changed. It may be waiting for a locked table: end other work in "
            "this database, and run the command again."
        ) from None
    if completed.returncode != 0:
        raise ActionRequired(
            f"{name} failed for {display_url(url)}; nothing was changed. It reported:\n"
            f"{_strip_row_details(completed.stderr)}"
        )
    return completed.stdout


def _write_options(parameters: Mapping[str, str]) -> dict[str, str]:
    """Return the environment in which a program may write to a database that is read-only by default."""
    with database_errors(), connect_with_deadline("", _QUERY_SECONDS, **parameters) as connection:
        is_read_only = connection.info.parameter_status("default_transaction_read_only") == "on"
    return {"PGOPTIONS": "-c default_transaction_read_only=off"} if is_read_only else {}


def _run_to_end(
    command: Sequence[str], environment: Mapping[str, str], seconds: float
) -> subprocess.CompletedProcess[str]:
    """Run a program and return its output; raise TimeoutExpired when it takes longer than `seconds`.

    On termination, pg_dump and pg_restore cancel their statement on the server first.
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
    """Return the libpq parameters of the address, with our timeouts and TLS options."""
    url_parts = address.translate_connect_args(username="user", database="dbname")
    query_parameters = {
        name: value if isinstance(value, str) else ",".join(value) for name, value in address.query.items()
    }
    return {name: str(value) for name, value in {**connect_options(address), **url_parts, **query_parameters}.items()}


def _server_major(parameters: Mapping[str, str]) -> int:
    with database_errors(), connect_with_deadline("", _QUERY_SECONDS, **parameters) as connection:
        return connection.info.server_version // 10000


def _strip_row_details(message: str) -> str:
    """Return a program's error output without lines that may quote a row."""
    return "\n".join(line for line in message.splitlines() if "DETAIL:" not in line and "CONTEXT:" not in line)[:2000]
