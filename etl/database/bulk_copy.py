"""Bulk loading of a table with COPY inside an open transaction."""

from collections.abc import Iterable, Sequence
from typing import Any, cast

import psycopg
from psycopg import sql
from sqlalchemy import Connection

from etl.copy_text import format_line

#: Characters passed to the driver at once: enough to save calls, few enough to save memory.
BLOCK_CHARACTERS = 1 << 18


def copy_rows(connection: Connection, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Copy rows into `table` (`schema.name` or `name`) over the open transaction of `connection`.

    The values must be of types that `etl.copy_text` can write.
    """
    copy_lines(connection, table, columns, map(format_line, rows))


def copy_lines(connection: Connection, table: str, columns: Sequence[str], lines: Iterable[str]) -> None:
    """Copy lines of COPY text, each with its line end, into `table`."""
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(*table.split(".")), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    driver = cast("psycopg.Connection", connection.connection.driver_connection)
    with driver.cursor() as cursor, cursor.copy(statement) as copy:
        for block in encode_blocks(lines):
            copy.write(block)


def encode_blocks(lines: Iterable[str]) -> Iterable[bytes]:
    """Yield the lines in encoded blocks."""
    pending: list[str] = []
    size = 0
    for text in lines:
        pending.append(text)
        size += len(text)
        if size >= BLOCK_CHARACTERS:
            yield "".join(pending).encode()
            pending, size = [], 0
    yield "".join(pending).encode()
