"""Database engines with timeouts, TLS and a client-side deadline."""

import ipaddress
import os
from collections.abc import Mapping
from decimal import Decimal
from functools import partial
from json import loads
from pathlib import Path
from typing import Any, cast

import msgspec
from psycopg import IsolationLevel
from sqlalchemy import URL, Connection, Engine, ExceptionContext, create_engine, event, text
from sqlalchemy.orm import Session

from etl.database.database_url import display_url, list_values, parse_url
from etl.database.deadline import CLIENT_GRACE_SECONDS, DeadlineConnection
from etl.database.sqlstate import classify, database_errors
from etl.errors import DatabaseNotReady, UsageError

__all__ = [
    "check_server",
    "classify",
    "connect_options",
    "database_errors",
    "display_url",
    "engine_of",
    "make_engine",
    "parse_url",
    "with_limits",
]  # fmt: skip

STATEMENT_SECONDS = 600.0
_CONNECT_SECONDS = 10
_LOCK_SECONDS = 30
_IDLE_IN_TRANSACTION_SECONDS = 300
#: Execution options that `with_limits` sets.
_STATEMENT_OPTION, _IDLE_OPTION, _NAME_OPTION = "etl_statement_seconds", "etl_idle_seconds", "etl_application_name"
_MIN_SERVER_VERSION = 140000
#: The schema of names without a schema.
_SCHEMA = "public"
_READ_ONLY = "25006"

#: Sent with every connection; a URL's own parameters win.
_CONNECT_OPTIONS: Mapping[str, Any] = {
    "client_encoding": "utf8",  # a database in SQL_ASCII would return bytes
    "connect_timeout": _CONNECT_SECONDS,
    "keepalives": 1,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,  # milliseconds
}

#: Set per transaction, not per session: with a transaction pooler the next transaction may run in another session, and
#: PgBouncer rejects the startup parameter `options`. One statement, so one round trip. The default search path,
#: `"$user", public`, would send unqualified names into the schema that bears the role's name.
_TRANSACTION_SETTINGS = text(
    "select set_config('statement_timeout', :statement, true), set_config('lock_timeout', :lock, true),"
    " set_config('idle_in_transaction_session_timeout', :idle, true), set_config('timezone', 'UTC', true),"
    " set_config('datestyle', 'ISO, MDY', true), set_config('intervalstyle', 'postgres', true),"
    " set_config('search_path', 'public', true), set_config('bytea_output', 'hex', true),"
    " set_config('standard_conforming_strings', 'on', true),"
    " set_config('application_name', coalesce(:name, current_setting('application_name')), true)"
)


def make_engine(
    url: str,
    *,
    application_name: str = "qqetl",
    statement_timeout_s: float = STATEMENT_SECONDS,
    pool_size: int = 5,
) -> Engine:
    """Return an engine for the database at `url` (`postgresql://` or `postgres://`) without connecting.

    A statement may take `statement_timeout_s` seconds on the server; the client waits five seconds longer.
    Connections are checked before use and work with a transaction pooler. Raises SettingsError for an invalid URL.
    """
    address = parse_url(url)
    engine = create_engine(
        address,
        connect_args=connect_options(address) | {"application_name": application_name, "prepare_threshold": None},
        pool_size=pool_size,
        max_overflow=0,
        pool_pre_ping=True,
        pool_timeout=_LOCK_SECONDS,
        use_native_hstore=False,  # saves a query on the first connection; no column is an hstore
        hide_parameters=True,  # parameters are personal data and would appear in every error
        json_serializer=_encode_json,
        json_deserializer=partial(loads, parse_float=Decimal),
    )
    event.listen(engine, "do_connect", _connect)
    event.listen(
        engine, "checkin", partial(_set_deadline, seconds=_CONNECT_SECONDS)
    )  # for the check before the next use
    event.listen(engine, "handle_error", _discard_read_only)
    event.listen(engine, "begin", partial(_apply_settings, statement_timeout_s=statement_timeout_s))
    return engine


def with_limits(
    engine: Engine, *, statement_s: float | None = None, idle_s: float | None = None, name: str | None = None
) -> Engine:
    """Return an engine that shares the connections of `engine` and applies its own limits to transactions.

    A statement may take `statement_s` seconds, lock waits included; the server ends a transaction that is idle for
    `idle_s` seconds. `name` is the application name in `pg_stat_activity`, by which others can terminate it.
    """
    limits = {_STATEMENT_OPTION: statement_s, _IDLE_OPTION: idle_s, _NAME_OPTION: name}
    return engine.execution_options(**{name: limit for name, limit in limits.items() if limit is not None})


def engine_of(db: Session | Engine) -> Engine:
    """Return the engine of `db`; every step opens its own transactions.

    Raises UsageError for a Session inside an open transaction, whose changes the steps could neither see nor commit.
    """
    if isinstance(db, Engine):
        return db
    if isinstance(db, Session):
        if db.in_transaction():
            raise UsageError(
                "The Session is inside a transaction, but must be idle because each step commits its own transactions. "
                "Commit or roll back the Session first, or pass the Engine."
            )
        bound = db.get_bind()
        return bound if isinstance(bound, Engine) else bound.engine
    raise UsageError(f"db must be a SQLAlchemy Session or Engine, not {type(db).__name__}.")


def connect_options(address: URL) -> dict[str, Any]:
    """Return the driver options that the URL does not set: timeouts, keepalives and verified TLS."""
    options = dict(_CONNECT_OPTIONS)
    hosts = _hosts(address)
    if not ("sslmode" in address.query or "PGSSLMODE" in os.environ or all(map(_is_local, hosts))):
        options["sslmode"] = "verify-full"
        if not ("sslrootcert" in address.query or "PGSSLROOTCERT" in os.environ or _has_root_certificates()):
            options["sslrootcert"] = "system"
    if len(hosts) > 1:
        options["target_session_attrs"] = "primary"  # after a failover; `read-write` asks the database's default
    return {name: value for name, value in options.items() if name not in address.query}


def check_server(connection: Connection) -> None:
    """Raise DatabaseNotReady unless the server is PostgreSQL 14 or newer and the database stores UTF-8."""
    number, version, encoding = connection.execute(
        text(
            "select current_setting('server_version_num')::int, current_setting('server_version'),"
            " current_setting('server_encoding')"
        )
    ).one()
    if number < _MIN_SERVER_VERSION:
        raise DatabaseNotReady(f"The server is PostgreSQL {version}, but must be 14 or newer. Upgrade the server.")
    if encoding != "UTF8":
        raise DatabaseNotReady(
            f"The database stores text as {encoding}, but must use UTF8. Create a new database with: "
            "CREATE DATABASE qqcatalyst ENCODING 'UTF8' TEMPLATE template0"
        )


def _connect(_dialect: Any, _record: Any, arguments: Any, options: dict[str, Any]) -> DeadlineConnection:
    connection = DeadlineConnection.connect(*arguments, **options)
    connection.deadline = _CONNECT_SECONDS
    # Sent with every BEGIN, since a database may have other defaults.
    connection.isolation_level = IsolationLevel.READ_COMMITTED
    if is_primary(connection):
        connection.read_only = False
    return connection


def is_primary(connection: DeadlineConnection) -> bool:
    """Return whether the server said that it accepts writes; a standby rejects BEGIN READ WRITE."""
    return connection.info.parameter_status("in_hot_standby") == "off"


def _set_deadline(connection: DeadlineConnection | None, *_: Any, seconds: float) -> None:
    """Set how long the connection may wait for the server; a broken connection is passed as None."""
    if connection is not None:
        connection.deadline = seconds


def _discard_read_only(context: ExceptionContext) -> None:
    """Discard connections to a server that is no longer the primary, so that new ones find the new primary."""
    if getattr(context.original_exception, "sqlstate", None) == _READ_ONLY:
        context.is_disconnect = True


def _apply_settings(connection: Connection, *, statement_timeout_s: float) -> None:
    options = connection.get_execution_options()
    seconds = options.get(_STATEMENT_OPTION, statement_timeout_s)
    driver = cast("DeadlineConnection", connection.connection.driver_connection)
    driver.deadline = seconds + CLIENT_GRACE_SECONDS
    connection.dialect.default_schema_name = _SCHEMA  # read when the engine first connected, under another search path
    connection.execute(
        _TRANSACTION_SETTINGS,
        {
            "statement": f"{seconds * 1000:.0f}ms",
            "lock": f"{_LOCK_SECONDS}s",
            "idle": f"{options.get(_IDLE_OPTION, _IDLE_IN_TRANSACTION_SECONDS)}s",
            "name": options.get(_NAME_OPTION),
        },
    )


def _hosts(address: URL) -> list[str]:
    """Return every host of the URL; the empty string means the local socket."""
    names = [address.host] if address.host else list_values(address.query.get("host")) or [os.environ.get("PGHOST", "")]
    return [part for name in names for part in name.split(",")]


def _is_local(host: str) -> bool:
    """Return whether the host is a socket folder or a loopback address; a port may follow the name."""
    if not host or host.startswith(("/", "@")) or host.partition(":")[0] == "localhost":
        return True
    for part in (host.strip("[]"), host.partition(":")[0]):
        try:
            return ipaddress.ip_address(part).is_loopback
        except ValueError:
            continue
    return False


def _has_root_certificates() -> bool:
    """Return whether the user has root certificates at libpq's default path."""
    return Path("~/.postgresql/root.crt").expanduser().exists()


_json_encoder = msgspec.json.Encoder(decimal_format="number")


def _encode_json(value: Any) -> str:
    return _json_encoder.encode(value).decode()
