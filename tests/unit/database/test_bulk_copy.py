"""COPY text: escapes, nulls, and rows that can be read back from their lines."""

from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl.copy_text import NULL, format_array, format_field, format_line, format_row
from etl.database import bulk_copy
from etl.database.bulk_copy import encode_blocks

texts = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]))
hostile = st.text(st.sampled_from("\\\t\n\rN.{}\",'a\N{EURO SIGN}"))
rows = st.lists(st.none() | texts | hostile, min_size=1, max_size=5)

UNESCAPED = {"\\\\": "\\", "\\t": "\t", "\\n": "\n", "\\r": "\r"}


def read_back(text: str) -> list[str | None]:
    """Return the values of a line in PostgreSQL's text format: separated by tabs, with backslash sequences."""
    assert text.endswith("\n")
    return [None if value == "\\N" else unescaped(value) for value in text[:-1].split("\t")]


def unescaped(value: str) -> str:
    """Return a value without its escapes; an unknown escape is an error."""
    characters, at = "", 0
    while at < len(value):
        step = 2 if value[at] == "\\" else 1
        characters += UNESCAPED[value[at : at + 2]] if step == 2 else value[at]
        at += step
    return characters


@pytest.mark.parametrize(
    ("row", "text"),
    [
        (["a", "b"], "a\tb\n"),
        ([None, ""], "\\N\t\n"),
        (["\\N", "\\."], "\\\\N\t\\\\.\n"),
        (["a\tb", "c\nd", "e\rf"], "a\\tb\tc\\nd\te\\rf\n"),
        ([7, 1.5, True, Decimal("10.50")], "7\t1.5\tTrue\t10.50\n"),
        ([UUID(int=1), None], "00000000-0000-0000-0000-000000000001\t\\N\n"),
        ([datetime(2026, 3, 1, 8, tzinfo=UTC)], "2026-03-01 08:00:00+00:00\n"),
        ([["a", 'say "x"', "back\\slash"]], '{"a","say \\\\"x\\\\"","back\\\\\\\\slash"}\n'),
    ],
)
def test_a_row_is_one_line_of_copy_text(row: list[object], text: str) -> None:
    assert format_line(row) == text


@given(row=rows)
def test_a_row_can_be_read_back_from_its_line(row: list[str | None]) -> None:
    assert format_line(row).count("\n") == 1
    assert read_back(format_line(row)) == row


@given(row=st.lists(st.none() | texts | hostile | st.lists(texts | hostile, max_size=3), min_size=1, max_size=5))
def test_values_written_one_by_one_match_a_row(row: list[object]) -> None:
    assert "\t".join(NULL if value is None else format_field(value) for value in row) == format_row(row)


@given(many=st.lists(rows, max_size=20))
def test_blocks_hold_every_line_once_and_in_order(many: list[list[str | None]]) -> None:
    assert b"".join(encode_blocks(map(format_line, many))) == "".join(map(format_line, many)).encode()


def test_large_blocks_are_split(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk_copy, "BLOCK_CHARACTERS", 10)
    assert list(encode_blocks(["12345678\n", "1\n", "2\n"])) == [b"12345678\n1\n", b"2\n"]


def test_a_list_is_an_array_literal_whose_items_are_all_quoted() -> None:
    assert format_array(["NULL", "", "a,b", "{}"]) == '{"NULL","","a,b","{}"}'
    assert format_array([]) == "{}"
