"""Connections: timeouts, TLS by default, clear error messages, and a limit for every wait."""

import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from proxy import Proxy, proxied
from psycopg import sql
from sqlalchemy import Engine, bindparam, select, text
from sqlalchemy.dialects.postgresql import JSONB

from etl.database.connect import (
    check_server,
    connect_options,
    database_errors,
    display_url,
    make_engine,
    parse_url,
)
from etl.database.deadline import DeadlineConnection, DeadlineExpired
from etl.database.embedded.file_lock import wait_until
from etl.database.embedded.server import EmbeddedPostgres
from etl.database.sqlstate import translate
from etl.errors import DatabaseNotReady, DatabaseUnavailable, SettingsError, TooSlow
from etl.ledger.transaction import Ledger

SECRET = "marker-password"


def scalar(engine: Engine, query: str) -> Any:
    with engine.begin() as connection:
        return connection.execute(text(query)).scalar()


def answers(engine: Engine) -> bool:
    try:
        with database_errors():
            return bool(scalar(engine, "select 1") == 1)
    except DatabaseUnavailable:
        return False


def elsewhere(url: str, **parts: Any) -> str:
    """Return the URL with another user, password, port or database."""
    address = parse_url(url).set(drivername="postgresql", **parts)
    return address.render_as_string(hide_password=False)


@contextmanager
def engine_for(url: str, **options: Any) -> Iterator[Engine]:
    engine = make_engine(url, **options)
    try:
        yield engine
    finally:
        engine.dispose()


@pytest.fixture
def proxy(empty_database_url: str) -> Iterator[Proxy]:
    """Return a proxy in front of the database of this test."""
    with proxied(empty_database_url) as running:
        yield running


def test_every_transaction_has_timeouts_and_utc(engine: Engine) -> None:
    settings = "select current_setting('{}')"
    for _ in range(2):
        assert scalar(engine, settings.format("statement_timeout")) == "10min"
        assert scalar(engine, settings.format("lock_timeout")) == "30s"
        assert scalar(engine, settings.format("idle_in_transaction_session_timeout")) == "5min"
        assert scalar(engine, settings.format("timezone")) == "UTC"


def test_the_session_keeps_no_settings(engine: Engine) -> None:
    with engine.connect() as connection:
        connection.execute(text("select 1"))
        connection.rollback()
        raw = connection.connection.driver_connection
        assert raw is not None
        assert raw.execute("show statement_timeout").fetchone() == ("0",)
        for _ in range(8):
            raw.execute("select 1 where true")
        assert raw.execute("select count(*) from pg_prepared_statements").fetchone() == (0,)


def test_the_application_name_is_set(empty_database_url: str) -> None:
    with engine_for(empty_database_url, application_name="qqetl sync") as engine:
        assert scalar(engine, "select current_setting('application_name')") == "qqetl sync"


def test_numbers_in_json_keep_every_digit(engine: Engine) -> None:
    numbers = {"premium": Decimal("123456789012345678901234567890.123"), "paid": Decimal("1.10"), "big": 2**80}
    with engine.begin() as connection:
        assert connection.execute(select(bindparam("x", numbers, JSONB))).scalar_one() == numbers


def test_both_schemes_connect(empty_database_url: str) -> None:
    for scheme in ("postgres", "postgresql"):
        with engine_for(empty_database_url.replace("postgresql", scheme, 1)) as engine:
            assert scalar(engine, "select 1") == 1


def test_the_server_ends_a_slow_statement_and_the_session_survives(empty_database_url: str) -> None:
    with engine_for(empty_database_url, statement_timeout_s=0.1, pool_size=1) as engine:
        with pytest.raises(TooSlow, match="longer than the database allows"), database_errors():
            scalar(engine, "select pg_sleep(30)")
        assert scalar(engine, "select 1") == 1


def test_a_dead_connection_is_closed_at_the_deadline(
    empty_database_url: str, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("etl.database.connect.CLIENT_GRACE_SECONDS", 0.2)
    monkeypatch.setattr("etl.database.deadline._CANCEL_SECONDS", 0.2)
    with engine_for(proxy.url, statement_timeout_s=0.2) as engine, engine.connect() as connection:
        connection.execute(text("select 1"))
        proxy.swallows.set()
        started = time.monotonic()
        with pytest.raises(TooSlow, match="did not answer within"), database_errors():
            connection.execute(text("select 2"))
        assert time.monotonic() - started < 5
        assert connection.invalidated
        proxy.swallows.clear()
        connection.rollback()
        assert connection.execute(text("select 3")).scalar() == 3


def test_a_copy_over_a_dead_connection_is_closed_at_the_deadline(empty_database_url: str, proxy: Proxy) -> None:
    with DeadlineConnection.connect(proxy.url) as connection:
        connection.execute("create table t (x text)")
        connection.deadline = 0.3
        with pytest.raises(DeadlineExpired), connection.cursor().copy("copy t from stdin") as copy:  # noqa: PT012
            proxy.swallows.set()
            copy.write("x\n")
        assert connection.closed


def test_a_dripping_result_is_closed_at_the_deadline(empty_database_url: str) -> None:
    with DeadlineConnection.connect(empty_database_url) as connection:
        connection.deadline = 0.3
        with pytest.raises(DeadlineExpired):
            connection.execute("select repeat('x', 9000), pg_sleep(0.02) from generate_series(1, 500)")


def test_a_lost_connection_is_retryable(empty_database_url: str) -> None:
    with engine_for(empty_database_url) as engine:
        with pytest.raises(DatabaseUnavailable), database_errors(), engine.begin() as connection:
            connection.execute(text("select pg_terminate_backend(pg_backend_pid())"))
        assert scalar(engine, "select 1") == 1


def test_a_server_restart_is_retryable(server_folder: Any) -> None:
    with (
        EmbeddedPostgres(server_folder / "home", settings={"fsync": "off"}) as server,
        engine_for(server.url) as engine,
    ):
        pid = scalar(engine, "select pg_backend_pid()")
        with pytest.raises(DatabaseUnavailable), database_errors(), engine.begin() as connection:  # noqa: PT012
            os.kill(pid, signal.SIGKILL)
            connection.execute(text("select 1"))
            connection.execute(text("select 1"))
        assert wait_until(partial(answers, engine), 20.0)


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"password": "wrong"}, "Check user name and password"),
        ({"username": "no_such_role"}, "Check user name and password"),
        ({"database": "no_such_database"}, "no database of this name"),
    ],
)
def test_a_refused_connection_is_not_retryable(empty_database_url: str, parts: dict[str, Any], words: str) -> None:
    with (
        engine_for(elsewhere(empty_database_url, **parts)) as engine,
        pytest.raises(DatabaseNotReady, match=words),
        database_errors(),
    ):
        engine.connect()


def test_an_expired_password_is_not_retried_and_not_shown(server: EmbeddedPostgres, empty_database_url: str) -> None:
    with psycopg.connect(server.url, autocommit=True) as connection:
        create = "create role lapsed login password {} valid until '2001-01-01'"
        connection.execute(sql.SQL(create).format(sql.Literal(SECRET)))
        try:
            url = elsewhere(empty_database_url, username="lapsed", password=SECRET)
            with engine_for(url) as engine:
                began = time.monotonic()
                with pytest.raises(DatabaseNotReady, match="Check user name and password") as caught:
                    Ledger(engine, "t").read(lambda _: None)
                assert time.monotonic() - began < 5
                assert SECRET not in str(caught.value)
        finally:
            connection.execute("drop role lapsed")


def test_database_level_settings_do_not_change_results(engine: Engine) -> None:
    habits = {"timezone": "Asia/Tokyo", "datestyle": "SQL, DMY", "intervalstyle": "iso_8601"}
    with engine.begin() as connection:
        for name, value in habits.items():
            connection.execute(text(f"alter database {engine.url.database} set {name} = '{value}'"))
    engine.dispose()
    expected = {
        "timestamptz '2024-03-10 12:00Z'": "2024-03-10 12:00:00+00:00",
        "date '2024-03-04'": "2024-03-04",
        "date '04/03/2024'": "2024-04-03",
        "interval '1 day 2 hours'": "1 day, 2:00:00",
    }
    assert {query: str(scalar(engine, f"select {query}")) for query in expected} == expected


def test_a_missing_password_is_reported(empty_database_url: str) -> None:
    address = parse_url(empty_database_url)
    url = f"postgresql://{address.username}@{address.host}:{address.port}/{address.database}"
    with engine_for(url) as engine, pytest.raises(DatabaseNotReady, match="has none"), database_errors():
        engine.connect()


def test_an_unreachable_server_is_retryable_and_reported(empty_database_url: str) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = elsewhere(empty_database_url, port=unused.getsockname()[1], password=SECRET)
        with engine_for(url) as engine, pytest.raises(DatabaseUnavailable) as caught, database_errors():
            engine.connect()
    assert "Connection refused" in str(caught.value)
    assert SECRET not in str(caught.value)
    assert caught.value.__suppress_context__


def test_tls_is_required_for_remote_hosts(server: EmbeddedPostgres) -> None:
    connection = socket.create_connection(("127.0.0.1", urlsplit(server.url).port or 0))
    connection.close()
    options = connect_options(parse_url("postgresql://u@db.example.com/x"))
    with pytest.raises(psycopg.OperationalError) as caught:
        psycopg.connect(server.url, sslmode=options["sslmode"], sslrootcert=options["sslrootcert"])
    refused = translate(caught.value)
    assert isinstance(refused, DatabaseNotReady)
    assert "sslmode=disable" in str(refused)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql://u@db.example.com/x", ("verify-full", "system")),
        ("postgresql://u@10.0.0.7/x", ("verify-full", "system")),
        ("postgresql://u@localhost.example.com/x", ("verify-full", "system")),
        ("postgresql://u@db.example.com/x?sslrootcert=/ca.pem", ("verify-full", None)),
        ("postgresql://u@db.example.com/x?sslmode=require", (None, None)),
        ("postgresql://u@/x?host=localhost&host=db.example.com", ("verify-full", "system")),
        ("postgresql://u@localhost/x", (None, None)),
        ("postgresql://u@127.0.0.5:6432/x", (None, None)),
        ("postgresql://u@[::1]/x", (None, None)),
        ("postgresql://u@/x?host=/run/postgresql", (None, None)),
        ("postgresql:///x", (None, None)),
    ],
)
def test_tls_is_verified_unless_local_or_set_otherwise(
    url: str, expected: tuple[str | None, str | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PGSSLMODE", "PGSSLROOTCERT", "PGHOST"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", "/nonexistent")
    options = connect_options(parse_url(url))
    assert (options.get("sslmode"), options.get("sslrootcert")) == expected


def test_parameters_of_the_url_win() -> None:
    options = connect_options(parse_url("postgresql://u@localhost/x?connect_timeout=3&keepalives_idle=5"))
    assert not {"connect_timeout", "keepalives_idle"} & set(options)
    assert options["keepalives"] == 1


def test_a_remote_host_from_the_environment_requires_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PGSSLMODE", raising=False)
    monkeypatch.setenv("PGHOST", "db.example.com")
    assert connect_options(parse_url("postgresql:///x"))["sslmode"] == "verify-full"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (
            f"postgres://ann:{SECRET}@db.example.com:6432/book?sslmode=require",
            "postgresql://ann@db.example.com:6432/book",
        ),
        (f"postgresql://ann:{SECRET}@/book?host=/run/postgresql", "/book"),
        (f"postgresql:///book?user=ann&password={SECRET}", "postgresql:///book"),
    ],
)
def test_the_displayed_url_has_no_password(url: str, shown: str) -> None:
    assert shown in display_url(url)
    assert SECRET not in display_url(url)


@pytest.mark.parametrize("url", ["", "nonsense", "mysql://u:p@h/x", f"postgresql://u:{SECRET}@h:port/x", "sqlite://"])
def test_an_invalid_url_is_rejected_without_being_shown(url: str) -> None:
    with pytest.raises(SettingsError, match="postgresql://USER:PASSWORD@HOST") as caught:
        make_engine(url)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
def test_a_database_with_another_encoding_is_rejected(server: EmbeddedPostgres, engine: Engine, encoding: str) -> None:
    with engine.connect() as good:
        check_server(good)
    name = f"other_{encoding.lower()}"
    with psycopg.connect(server.url, autocommit=True) as connection:
        provider = " locale_provider libc" if connection.info.server_version >= 150000 else ""
        connection.execute(f"create database {name} encoding '{encoding}' locale 'C' template template0{provider}")
    try:
        url = elsewhere(server.url, database=name)
        refusal = pytest.raises(DatabaseNotReady, match=f"stores text as {encoding}")
        with engine_for(url) as other, other.connect() as sqlalchemy_connection, refusal:
            check_server(sqlalchemy_connection)
    finally:
        with psycopg.connect(server.url, autocommit=True) as connection:
            connection.execute(f"drop database {name} with (force)")


def test_an_old_server_is_rejected(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("etl.database.connect._MIN_SERVER_VERSION", 990000)
    with engine.connect() as connection, pytest.raises(DatabaseNotReady, match="14 or newer"):
        check_server(connection)


def test_a_server_without_free_connections_is_retryable(server: EmbeddedPostgres, empty_database_url: str) -> None:
    with psycopg.connect(server.url, autocommit=True) as connection:
        password = sql.Literal(SECRET)
        connection.execute(sql.SQL("create role crowded login password {} connection limit 0").format(password))
        try:
            url = elsewhere(empty_database_url, username="crowded", password=SECRET)
            with engine_for(url) as engine, pytest.raises(DatabaseUnavailable), database_errors():
                engine.connect()
        finally:
            connection.execute("drop role crowded")
