"""Money, rates and other decimals: exact, in range, and never guessed."""

from decimal import ROUND_HALF_UP, Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl.values import Decimals, Money, Percent, Severity, Violation
from etl.values.decimals import parse_decimal
from etl.values.money import _DOLLARS

MONEY = Money()
cents = st.integers(-(10**15) + 1, 10**15 - 1)


@given(cents)
def test_every_way_to_write_an_amount(whole: int) -> None:
    """Symbols, thousands and the three ways to write a minus are one exact amount."""
    amount = Decimal(whole).scaleb(-2).copy_abs()
    forms = [
        f"{amount}",
        f"${amount:,}",
        f"$ {amount}",
        f"USD {amount:,}",
        f"{amount:,} USD",
        f" {amount} ",
        f"US${amount}",
    ]
    if whole < 0:
        forms = [
            f"-{amount}",
            f"-${amount:,}",
            f"$-{amount}",
            f"({amount:,})",
            f"(${amount})",
            f"${amount}-",
            f"\u2212{amount}",
        ]
    expected = amount.copy_negate() if whole < 0 else amount
    for raw in (*forms, expected):
        found = MONEY.clean(raw)
        assert found == expected, raw
        assert str(found) == str(expected)


@given(st.integers(0, 99), st.integers(0, 99))
def test_a_lone_comma_is_never_guessed(dollars: int, more: int) -> None:
    """One or two digits behind a comma are cents to one reader and a slip of the thousands to another."""
    for raw in (
        f"{dollars},{more:02}",
        f"{dollars},{more % 10}",
        f"1.{dollars:03},{more:02}",
        f"{dollars},{more:02},000",
    ):
        found = MONEY.clean(raw)
        assert isinstance(found, Violation), raw
        assert (found.rule, found.value) == ("money-ambiguous", None)


@given(st.decimals(min_value=-(10**6), max_value=10**6, places=5))
def test_more_than_cents_are_rounded_half_up_and_said(amount: Decimal) -> None:
    """As PostgreSQL rounds, so that nothing changes silently on its way into the column."""
    rounded = amount.quantize(Decimal("0.01"), ROUND_HALF_UP)
    found = MONEY.clean(amount)
    if isinstance(found, Violation):
        assert (found.rule, found.severity) == ("money-rounded", Severity.REPAIRED)
        found = found.value
        assert rounded != amount
    assert found == rounded
    assert not (found.is_zero() and found.is_signed())


@given(st.decimals(allow_nan=False, allow_infinity=False), st.integers(1, 20), st.integers(0, 10))
def test_what_comes_out_fits_the_column(amount: Decimal, precision: int, scale: int) -> None:
    """No value ever overflows its column, whatever the column's size."""
    kind = Decimals(max(precision, scale), scale)
    found = kind.clean(amount)
    value = found.value if isinstance(found, Violation) else found
    if value is not None:
        assert value.as_tuple().exponent == -scale
        assert value == 0 or value.adjusted() < kind.precision - scale


@given(st.text("0123456789.", max_size=20))
def test_the_fast_path_is_the_careful_one(raw: str) -> None:
    """For plain digits, `clean` returns what the careful reading returns."""
    assert MONEY.clean(raw) == parse_decimal(raw, Money, 15, 2, _DOLLARS)


def test_the_precision_of_the_thread_changes_nothing() -> None:
    """Somebody else's decimal context must not round our amounts."""
    with localcontext(prec=3):
        assert MONEY.clean("-1234567.89") == Decimal("-1234567.89")
        assert MONEY.clean("(1,234,567.89)") == Decimal("-1234567.89")
        assert MONEY.clean("1234567.89") == Decimal("1234567.89")


@pytest.mark.parametrize(("kind", "raw"), [(Money(), "5 %"), (Percent(), "$5"), (Decimals(5, 2), "5%")])
def test_units_are_kept_apart(kind: Money | Percent | Decimals, raw: str) -> None:
    """A percentage is no amount, and an amount no percentage."""
    found = kind.clean(raw)
    assert isinstance(found, Violation)
    assert found.rule in {"money-percent", "percent-currency", "decimals-percent"}


def test_a_rate_is_in_percent() -> None:
    """12.5 is 12.5 %, and 0.125 is an eighth of one percent: no rate is multiplied by a hundred."""
    assert Percent().clean(Decimal("0.125")) == Decimal("0.125")
    assert Percent().clean("12.5 %") == Percent().clean(12.5) == Decimal("12.5")
