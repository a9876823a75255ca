"""Translation of database errors into ours: retryable, an invalid record, or action required.

The five-character codes are PostgreSQL's (PostgreSQL documentation, appendix "PostgreSQL Error Codes"). The server's
message is never passed on because it quotes values, which are personal data. The names of tables, columns and
constraints are passed on.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import psycopg
from sqlalchemy import exc

from etl.database.deadline import DeadlineExpired
from etl.docstrings import docstring_of
from etl.errors import (
    ActionRequired,
    DatabaseNotReady,
    DatabaseUnavailable,
    EtlError,
    InvalidRecord,
    ServerFull,
    TooSlow,
)

_TRANSIENT: Mapping[str, str] = {
    "40001": "two transactions collided",
    "40P01": "two transactions waited for each other",
    "55P03": "another session holds a lock for too long",
    "25P03": "the session was idle inside a transaction for too long",
    "25P04": "the transaction took too long",
    "57P01": "the server is shutting down or an administrator ended the session",
    "57P02": "the server crashed and is recovering",
    "57P03": "the server is starting, stopping or recovering",
    "57P05": "the session was idle for too long",
    "53200": "the server is out of memory",
    "53300": "the server accepts no more connections; close some or raise max_connections",
    "25006": "the server is read-only: a standby, or in the middle of a failover",
}
_TOO_SLOW = "57014"
_DISK_FULL = "53100"
_RECORD_CLASSES = ("22", "23")
_RECORD_CODES = ("54000", "54001")
_NOT_READY_CLASSES = ("28", "3D", "42")
_CONNECTION_CLASS = "08"

_FIXES: Mapping[str, str] = {
    "28": "The server rejects this user. Check user name and password in DATABASE_URL.",
    "3D": "The server has no database of this name. Create it, or correct DATABASE_URL.",
    "42501": "This user lacks a privilege on the database. Grant it, or use the user that ran the migrations.",
    "42": "The tables do not match this version of the program. Run `qqetl db upgrade`.",
}

#: A refused connection has no error code, only the English message of the server, the pooler or libpq.
_REFUSALS: Mapping[str, str] = {
    "password authentication failed": _FIXES["28"],
    "no password supplied": "The server requires a password, and DATABASE_URL has none. Add it there.",
    "authentication failed": _FIXES["28"],
    "no pg_hba.conf entry": "The server's pg_hba.conf has no entry for this user, database and machine. Add one there.",
    "no such user": _FIXES["28"],
    "not permitted to log in": "This user may not log in. Run ALTER ROLE with LOGIN, or correct DATABASE_URL.",
    "no such database": _FIXES["3D"],
    "permission denied for database": _FIXES["42501"],
    "server does not support SSL": (
        "The server offers no encryption, and a password would cross the network unencrypted. Enable TLS on the "
        "server, or, if the network is safe, add ?sslmode=disable to DATABASE_URL."
    ),
    "certificate": (
        "The server's certificate could not be verified. Name the authority with ?sslrootcert=FILE in DATABASE_URL, or "
        "set how much to check with sslmode."
    ),
    "does not match host name": "The server's certificate is for another host. Use the host name in the certificate.",
}
#: How psycopg's messages about failed connection attempts begin.
_CONNECT_FAILURES = ("connection failed", "connection is bad", "connection timeout", "failed to resolve", "could not")
_UNREACHABLE = (
    "PostgreSQL cannot be reached. Check that the server is running and that host and port in DATABASE_URL are correct."
)


def classify(error: BaseException) -> type[EtlError]:
    """Return the class of our error for an error of the driver or SQLAlchemy.

    DatabaseUnavailable is retried, TooSlow once; InvalidRecord concerns one record; all others need a person.
    """
    driver = _driver_error(error)
    code = getattr(driver, "sqlstate", None)
    if code is None:
        return _classify_without_code(driver)
    if code == _TOO_SLOW:
        return TooSlow
    if code in _TRANSIENT or code.startswith(_CONNECTION_CLASS):
        return DatabaseUnavailable
    if code in _RECORD_CODES or code.startswith(_RECORD_CLASSES):
        return InvalidRecord
    if code == _DISK_FULL:
        return ServerFull
    return DatabaseNotReady if code.startswith(_NOT_READY_CLASSES) else ActionRequired


@contextmanager
def database_errors() -> Iterator[None]:
    """Translate every database error inside the block into one of ours, without values and passwords."""
    try:
        yield
    except (psycopg.Error, exc.DBAPIError, exc.TimeoutError, UnicodeEncodeError) as error:
        # The original is left out of the chain: its message quotes the row.
        raise translate(error) from None


def translate(error: BaseException) -> EtlError:
    """Return our error for an error of the driver or SQLAlchemy."""
    return classify(error)(_message(_driver_error(error)))


def _driver_error(error: BaseException) -> BaseException:
    return error.orig if isinstance(error, exc.DBAPIError) and error.orig is not None else error


def _classify_without_code(error: BaseException) -> type[EtlError]:
    if isinstance(error, DeadlineExpired):
        return TooSlow
    if isinstance(error, (psycopg.DataError, UnicodeEncodeError)):
        return InvalidRecord
    if isinstance(error, psycopg.OperationalError):
        return DatabaseNotReady if _refusal_fix(error) else DatabaseUnavailable
    lost = isinstance(error, (psycopg.InterfaceError, exc.TimeoutError))
    return DatabaseUnavailable if lost else ActionRequired


def _message(error: BaseException) -> str:
    code = getattr(error, "sqlstate", None)
    if code is None:
        return _message_without_code(error)
    what = f"{type(error).__name__}, SQLSTATE {code}{_describe_objects(error)}"
    if code == _TOO_SLOW:
        return f"A statement took longer than the database allows ({what})."
    if code == _DISK_FULL:
        return f"{' '.join(docstring_of(ServerFull).split())} ({what})"
    if code in _TRANSIENT:
        return f"The database could not continue: {_TRANSIENT[code]} ({what})."
    if code.startswith((*_RECORD_CLASSES, "54")):
        return f"The database rejected a row ({what})."
    cure = _FIXES.get(code) or _FIXES.get(code[:2]) or "Check the server's log."
    return f"The database rejected a statement ({what}). {cure}"


def _message_without_code(error: BaseException) -> str:
    if isinstance(error, exc.TimeoutError):
        return "All database connections of this process have been busy for too long."
    if isinstance(error, (psycopg.DataError, UnicodeEncodeError)):
        return "A value cannot be sent to the database: a NUL character, a lone surrogate or a number out of range."
    if isinstance(error, DeadlineExpired):
        return str(error)
    if isinstance(error, psycopg.OperationalError) and str(error).startswith(_CONNECT_FAILURES):
        return _refusal_fix(error) or f"{_UNREACHABLE} The driver says: {str(error).splitlines()[0]}"
    if isinstance(error, (psycopg.OperationalError, psycopg.InterfaceError)):
        return "The connection to the database was lost."
    return f"The database driver failed ({type(error).__name__})."


def _describe_objects(error: BaseException) -> str:
    diagnosis = getattr(error, "diag", None)
    attributes = (("table", "table_name"), ("column", "column_name"), ("constraint", "constraint_name"))
    parts = [f"{label} {value}" for label, name in attributes if (value := getattr(diagnosis, name, None))]
    return "".join(f", {part}" for part in parts)


def _refusal_fix(error: psycopg.OperationalError) -> str | None:
    """Return the fix for a connection that was refused permanently, or None when a retry may help."""
    message = str(error)
    if 'database "' in message and "does not exist" in message:
        return _FIXES["3D"]
    if 'role "' in message and "does not exist" in message:
        return _FIXES["28"]
    return next((cure for phrase, cure in _REFUSALS.items() if phrase in message), None)
