"""COPY text: PostgreSQL reads exactly the values that were written, with any special characters."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, text

from etl.database import bulk_copy
from etl.database.bulk_copy import copy_rows

HOSTILE = [
    "",
    " ",
    "\t",
    "\n",
    "\r",
    "\r\n",
    "\\",
    "\\\\",
    "\\N",
    "\\.",
    "\\t",
    "N",
    "'",
    '"',
    "{}",
    ",",
    "\u2028",
    "é",
    "\U0001f600",
]

texts = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=20)
hostile = st.lists(st.sampled_from(HOSTILE), max_size=4).map("".join)


@pytest.fixture
def connection(engine: Engine) -> Iterator[Connection]:
    """Yield a connection inside a transaction, with a table to copy into."""
    with engine.begin() as opened:
        opened.execute(text("CREATE SCHEMA odd"))
        opened.execute(text('CREATE TABLE odd."Names" ("order" int, a text, "B c" text, list text[])'))
        yield opened


def round_trip(connection: Connection, rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Copy rows of two texts and a list, and return the rows of the table in order."""
    connection.execute(text('TRUNCATE odd."Names"'))
    numbered = [(number, *row) for number, row in enumerate(rows)]
    copy_rows(connection, "odd.Names", ("order", "a", "B c", "list"), numbered)
    query = text('SELECT a, "B c", list FROM odd."Names" ORDER BY "order"')
    return [tuple(row) for row in connection.execute(query)]


@pytest.mark.parametrize("value", HOSTILE)
def test_special_text_is_copied_unchanged(connection: Connection, value: str) -> None:
    rows = [(value, f"before {value}", [value]), (f"{value} after", None, [f"a{value}b", value]), (None, value, [])]
    assert round_trip(connection, rows) == rows


rows_of_any_text = st.lists(
    st.tuples(st.none() | texts | hostile, hostile, st.none() | st.lists(texts | hostile, max_size=3)), max_size=6
)


@given(rows=rows_of_any_text)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=60)
def test_any_text_is_copied_unchanged(connection: Connection, rows: list[tuple[Any, ...]]) -> None:
    assert round_trip(connection, rows) == rows


def test_many_blocks_are_copied_completely(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk_copy, "BLOCK_CHARACTERS", 100)
    rows = [(str(number), "x" * number, None) for number in range(200)]
    assert round_trip(connection, rows) == rows


def test_no_rows_cause_no_error(connection: Connection) -> None:
    assert round_trip(connection, []) == []


def test_values_of_other_types_are_converted(connection: Connection) -> None:
    connection.execute(
        text("CREATE TEMP TABLE typed (a int, b numeric, c boolean, d uuid, e timestamptz, f bytea, g jsonb)")
    )
    row = (
        7,
        Decimal("1234567890.12"),
        True,
        UUID(int=5),
        datetime(2026, 3, 1, 8, tzinfo=UTC),
        "\\x00ff",
        '{"a": "\\n"}',
    )
    copy_rows(connection, "typed", "abcdefg", [row, (None,) * 7])
    first, second = connection.execute(text("SELECT * FROM typed ORDER BY a")).all()
    assert tuple(first)[:5] == row[:5]
    assert (bytes(first.f), first.g) == (b"\x00\xff", {"a": "\n"})
    assert tuple(second) == (None,) * 7


def test_rows_belong_to_the_open_transaction(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE kept (a text)"))
    with engine.connect() as connection, connection.begin() as transaction:
        copy_rows(connection, "kept", ("a",), [("gone",)])
        transaction.rollback()
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM kept")).scalar_one() == 0
