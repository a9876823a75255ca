"""Money, percentages and other decimals: exact, in range, and never guessed."""

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
def test_every_amount_format_means_the_same_amount(total_cents: int) -> None:
    """Currency symbols, thousands separators and the three minus formats give the same exact amount."""
    amount = Decimal(total_cents).scaleb(-2).copy_abs()
    forms = [
        f"{amount}",
        f"${amount:,}",
        f"$ {amount}",
        f"USD {amount:,}",
        f"{amount:,} USD",
        f" {amount} ",
        f"US${amount}",
    ]
    if total_cents < 0:
        forms = [
            f"-{amount}",
            f"-${amount:,}",
            f"$-{amount}",
            f"({amount:,})",
            f"(${amount})",
            f"${amount}-",
            f"\u2212{amount}",
        ]
    expected = amount.copy_negate() if total_cents < 0 else amount
    for raw in (*forms, expected):
        cleaned = MONEY.clean(raw)
        assert cleaned == expected, raw
        assert str(cleaned) == str(expected)


@given(st.integers(0, 99), st.integers(0, 99))
def test_a_lone_comma_is_never_guessed(dollars: int, hundredths: int) -> None:
    """One or two digits after a comma could be cents or a mistyped thousands group."""
    for raw in (
        f"{dollars},{hundredths:02}",
        f"{dollars},{hundredths % 10}",
        f"1.{dollars:03},{hundredths:02}",
        f"{dollars},{hundredths:02},000",
    ):
        cleaned = MONEY.clean(raw)
        assert isinstance(cleaned, Violation), raw
        assert (cleaned.rule, cleaned.value) == ("money-ambiguous", None)


@given(st.decimals(min_value=-(10**6), max_value=10**6, places=5))
def test_fractions_of_a_cent_are_rounded_half_up_and_reported(amount: Decimal) -> None:
    """The same rounding as in PostgreSQL, so that no value changes silently in the column."""
    rounded = amount.quantize(Decimal("0.01"), ROUND_HALF_UP)
    cleaned = MONEY.clean(amount)
    if isinstance(cleaned, Violation):
        assert (cleaned.rule, cleaned.severity) == ("money-rounded", Severity.REPAIRED)
        cleaned = cleaned.value
        assert rounded != amount
    assert cleaned == rounded
    assert not (cleaned.is_zero() and cleaned.is_signed())


@given(st.decimals(allow_nan=False, allow_infinity=False), st.integers(1, 20), st.integers(0, 10))
def test_a_clean_value_fits_the_column(amount: Decimal, precision: int, scale: int) -> None:
    """No value overflows its column, for any column size."""
    kind = Decimals(max(precision, scale), scale)
    cleaned = kind.clean(amount)
    value = cleaned.value if isinstance(cleaned, Violation) else cleaned
    if value is not None:
        assert value.as_tuple().exponent == -scale
        assert value == 0 or value.adjusted() < kind.precision - scale


@given(st.text("0123456789.", max_size=20))
def test_the_fast_path_matches_the_slow_path(raw: str) -> None:
    """For plain digits, `clean` and the slow path return the same value."""
    assert MONEY.clean(raw) == parse_decimal(raw, Money, 15, 2, _DOLLARS)


def test_the_decimal_context_of_the_thread_does_not_matter() -> None:
    """The decimal context of other code must not round our amounts."""
    with localcontext(prec=3):
        assert MONEY.clean("-1234567.89") == Decimal("-1234567.89")
        assert MONEY.clean("(1,234,567.89)") == Decimal("-1234567.89")
        assert MONEY.clean("1234567.89") == Decimal("1234567.89")


@pytest.mark.parametrize("raw", ["( $ )", "()", "( )", "-$", "$-", "$ -", "+", "(", "$)"])
def test_a_sign_or_bracket_without_digits_is_reported(raw: str) -> None:
    """Somebody typed an amount that is gone; an empty form has at most the currency."""
    cleaned = MONEY.clean(raw)
    assert isinstance(cleaned, Violation)
    assert (cleaned.severity, cleaned.value) == (Severity.DROPPED, None)


@pytest.mark.parametrize("number", [Decimal("3E-70"), Decimal("-3E-70"), Decimal("3E+70")])
def test_a_number_is_the_same_as_a_float_and_as_a_decimal(number: Decimal) -> None:
    """What decodes the JSON decides on the type; the rule is one."""
    for kind in (MONEY, Percent(), Decimals(9, 6)):
        assert kind.clean(number) == kind.clean(float(number))
        assert isinstance(kind.clean(number), Violation)


@pytest.mark.parametrize(("kind", "raw"), [(Money(), "5 %"), (Percent(), "$5"), (Decimals(5, 2), "5%")])
def test_units_are_not_mixed(kind: Money | Percent | Decimals, raw: str) -> None:
    """A percentage is not an amount, and an amount is not a percentage."""
    cleaned = kind.clean(raw)
    assert isinstance(cleaned, Violation)
    assert cleaned.rule in {"money-percent", "percent-currency", "decimals-percent"}


def test_a_rate_is_in_percent() -> None:
    """12.5 means 12.5 %, and 0.125 means 0.125 %: no value is multiplied by a hundred."""
    assert Percent().clean(Decimal("0.125")) == Decimal("0.125")
    assert Percent().clean("12.5 %") == Percent().clean(12.5) == Decimal("12.5")
