"""Errors of PostgreSQL and its driver: classified by what to do, and without values of rows."""

import logging

import psycopg
import pytest
from sqlalchemy import Engine, text
from sqlalchemy import exc as sa

from etl.database.connect import (
    classify,
    database_errors,
)
from etl.database.deadline import DeadlineExpired
from etl.database.sqlstate import translate
from etl.errors import (
    ActionRequired,
    DatabaseNotReady,
    DatabaseUnavailable,
    EtlError,
    InvalidRecord,
    ServerFull,
    TooSlow,
)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        *(
            (code, DatabaseUnavailable)
            for code in ("40001", "40P01", "55P03", "57P01", "57P02", "57P03", "08000", "08006")
        ),
        *((code, DatabaseUnavailable) for code in ("53300", "53200", "25006", "25P03")),
        ("57014", TooSlow),
        *(
            (code, InvalidRecord)
            for code in ("22P02", "22001", "22003", "23505", "23503", "23502", "23514", "54000", "54001")
        ),
        *((code, DatabaseNotReady) for code in ("28P01", "28000", "3D000", "42P01", "42703", "42P10", "42501")),
        ("53100", ServerFull),
        *((code, ActionRequired) for code in ("0A000", "58030", "XX000", "ZZ999")),
    ],
)
def test_every_class_of_error_codes_has_its_error(code: str, kind: type[EtlError]) -> None:
    error = psycopg.Error()
    error.sqlstate = code
    assert classify(error) is kind
    assert classify(sa.DBAPIError("select", {}, error)) is kind
    assert code in str(translate(error))


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (psycopg.OperationalError("server closed the connection unexpectedly"), DatabaseUnavailable),
        (psycopg.InterfaceError("the connection is closed"), DatabaseUnavailable),
        (sa.TimeoutError("QueuePool limit"), DatabaseUnavailable),
        (psycopg.DataError("PostgreSQL text fields cannot contain NUL (0x00) bytes"), InvalidRecord),
        (UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates not allowed"), InvalidRecord),
        (psycopg.ProgrammingError("the query has 1 placeholder but 0 parameters were passed"), ActionRequired),
        (DeadlineExpired("late"), TooSlow),
    ],
)
def test_errors_without_a_code_have_their_error(error: Exception, kind: type[EtlError]) -> None:
    assert classify(error) is kind


def test_a_rejected_row_is_reported_without_its_values(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("create table people (ssn text, age int not null)"))
    with (
        pytest.raises(InvalidRecord, match="table people, column age") as caught,
        database_errors(),
        engine.begin() as connection,
    ):
        connection.execute(text("insert into people (ssn) values (:ssn)"), {"ssn": "123-45-6789"})
    assert "123-45-6789" not in str(caught.value)


@pytest.mark.parametrize("value", ["nul \x00", "lone \ud800"])
def test_a_value_that_the_driver_cannot_send_is_an_invalid_record(engine: Engine, value: str) -> None:
    with pytest.raises(InvalidRecord), database_errors(), engine.begin() as connection:
        connection.execute(text("select cast(:value as text)"), {"value": value})


def test_parameters_do_not_reach_the_log(engine: Engine, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG), engine.begin() as connection:
        connection.execute(text("select cast(:ssn as text)"), {"ssn": "123-45-6789"})
    assert "123-45-6789" not in caplog.text
