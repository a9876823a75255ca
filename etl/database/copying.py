"""Rows into a table by COPY: the text format, written here because nothing is faster and little is simpler."""

from collections.abc import Iterable, Sequence
from typing import Any, cast

import psycopg
from psycopg import sql
from sqlalchemy import Connection

NULL = "\\N"

#: What the text format of COPY wants escaped (PostgreSQL documentation, COPY, "Text Format").
ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})

#: How much text is handed to the driver at once: large enough to spare calls, small enough to spare memory.
BLOCK = 1 << 18


def copy_rows(connection: Connection, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Copy rows into `table` (`schema.name` or `name`) over the open transaction of `connection`.

    Values are str, None, or anything whose `str()` PostgreSQL reads for the column; a list or tuple is a text array.
    """
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(*table.split(".")), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    driver = cast("psycopg.Connection", connection.connection.driver_connection)
    with driver.cursor() as cursor, cursor.copy(statement) as copy:
        for block in blocks(rows):
            copy.write(block)


def blocks(rows: Iterable[Sequence[Any]]) -> Iterable[bytes]:
    """Yield the rows as COPY text, in blocks."""
    lines: list[str] = []
    size = 0
    for row in rows:
        text = line(row)
        lines.append(text)
        size += len(text)
        if size >= BLOCK:
            yield "".join(lines).encode()
            lines, size = [], 0
    yield "".join(lines).encode()


def line(row: Sequence[Any]) -> str:
    """Return one row as a line of COPY text."""
    values = [
        NULL if value is None else value if type(value) is str else array(value) if type(value) is list else str(value)
        for value in row
    ]
    text = "\t".join(values)
    # Most rows hold nothing to escape, and a look at the whole is cheaper than one at each value.
    ordinary = text.count("\\") == row.count(None) and text.count("\t") == len(values) - 1
    if ordinary and "\n" not in text and "\r" not in text:
        return text + "\n"
    return "\t".join(escaped(value, text) for value, text in zip(row, values, strict=True)) + "\n"


def escaped(value: object, text: str) -> str:
    """Return a value's text with what the format wants escaped."""
    return NULL if value is None else text.translate(ESCAPES)


def array(values: Sequence[Any]) -> str:
    """Return a list of texts as an array literal (PostgreSQL documentation, "Array Input and Output Syntax")."""
    quoted = ('"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"' for value in values)
    return "{" + ",".join(quoted) + "}"
