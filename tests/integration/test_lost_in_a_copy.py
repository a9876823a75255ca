"""A session that is lost in the midst of a COPY, as a pooler tells of it."""

from collections.abc import Iterator

import psycopg
import pytest
from pooler import pooled
from sqlalchemy import text
from test_connect import engine_for, scalar

from etl.database.bulk_copy import BLOCK_CHARACTERS, copy_rows
from etl.database.connect import database_errors
from etl.errors import DatabaseUnavailable


def test_a_session_that_a_pooler_loses_in_a_copy_is_worth_another_try(empty_database_url: str) -> None:
    """Both the server and the pooler say that it is gone, where the driver expects a single answer."""
    end = "select pg_terminate_backend(pid, 5000) from pg_stat_activity where query like 'COPY%%' and datname = %s"
    with pooled(empty_database_url) as url, engine_for(url) as engine:
        with engine.begin() as connection:
            connection.execute(text("create table held (words text)"))
        with pytest.raises(DatabaseUnavailable), database_errors(), engine.begin() as connection:
            copy_rows(connection, "held", ["words"], ending_in_between(empty_database_url, end))
        assert scalar(engine, "select count(*) from held") == 0


def ending_in_between(url: str, statement: str) -> Iterator[tuple[str]]:
    """Yield rows, and between them end whoever copies them."""
    yield ("x" * BLOCK_CHARACTERS,)
    with psycopg.connect(url, autocommit=True) as other:
        assert other.execute(statement, [other.info.dbname]).fetchall() == [(True,)]
    yield ("y",)
