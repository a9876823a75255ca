"""A session that is lost in the middle of a COPY through a pooler."""

from collections.abc import Iterator

import psycopg
import pytest
from pooler import run_pooler
from sqlalchemy import text
from test_connect import engine_for, scalar

from etl.database.bulk_copy import BLOCK_CHARACTERS, copy_rows
from etl.database.connect import database_errors
from etl.errors import DatabaseUnavailable


def test_a_session_that_a_pooler_loses_during_copy_is_retryable(empty_database_url: str) -> None:
    """Both the server and the pooler report the loss, while the driver expects a single answer."""
    end = "select pg_terminate_backend(pid, 5000) from pg_stat_activity where query like 'COPY%%' and datname = %s"
    with run_pooler(empty_database_url) as url, engine_for(url) as engine:
        with engine.begin() as connection:
            connection.execute(text("create table held (words text)"))
        with pytest.raises(DatabaseUnavailable), database_errors(), engine.begin() as connection:
            copy_rows(connection, "held", ["words"], ending_in_between(empty_database_url, end))
        assert scalar(engine, "select count(*) from held") == 0


def ending_in_between(url: str, statement: str) -> Iterator[tuple[str]]:
    """Yield rows, and terminate the copying session between them."""
    yield ("x" * BLOCK_CHARACTERS,)
    with psycopg.connect(url, autocommit=True) as other:
        assert other.execute(statement, [other.info.dbname]).fetchall() == [(True,)]
    yield ("y",)
