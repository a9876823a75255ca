"""Integers, years and booleans."""

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from etl.values import Boolean, Integer, Violation, Year


@given(st.integers(-(2**31), 2**31 - 1))
def test_an_integer_in_every_form(number: int) -> None:
    """The number, its text, its text with thousands separators and its decimal are the same."""
    for raw in (number, str(number), f"{number:,}", f" {number}.00 ", float(number)):
        assert Integer().clean(raw) == number


@pytest.mark.parametrize(
    ("kind", "column"),
    [
        (Integer(0, 100), sa.SmallInteger),
        (Integer(-32_768, 32_767), sa.SmallInteger),
        (Integer(0, 32_768), sa.Integer),
        (Integer(), sa.Integer),
        (Integer(0, 2**31), sa.BigInteger),
        (Integer(-(2**31) - 1, 0), sa.BigInteger),
    ],
)
def test_the_column_holds_both_ends(kind: Integer, column: type[sa.Integer]) -> None:
    """The column has the smallest integer type for the range."""
    assert type(kind.column_type) is column


def test_bounds_are_inclusive() -> None:
    """Both ends are allowed; the next values outside are dropped."""
    kind = Integer(0, 9)
    assert [kind.clean(raw) for raw in (0, "9")] == [0, 9]
    for raw in (-1, "10"):
        cleaned = kind.clean(raw)
        assert isinstance(cleaned, Violation)
        assert cleaned.rule == "integer-range"


def test_the_year_does_not_depend_on_today() -> None:
    """Next year's models are sold this year, in every year."""
    assert [Year().clean(raw) for raw in (1886, "2100")] == [1886, 2100]


@pytest.mark.parametrize("form", [str, str.upper, str.lower, str.title, " {} ".format])
def test_yes_and_no_in_any_case(form: type[str]) -> None:
    """The API writes True, False, Y and 1."""
    assert {Boolean().clean(form(word)) for word in ("true", "yes", "y", "t", "1")} == {True}
    assert {Boolean().clean(form(word)) for word in ("false", "no", "n", "f", "0")} == {False}
