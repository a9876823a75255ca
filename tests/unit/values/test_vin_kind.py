"""VINs: the check digit, and the text that is always kept."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl.values import Severity, Vin, Violation, is_valid_vin

ALLOWED = "ABCDEFGHJKLMNPRSTUVWXYZ0123456789"
numbers = st.text(ALLOWED, min_size=17, max_size=17)


@pytest.mark.parametrize("number", ["1M8GDM9AXKP042788", "1HGCM82633A004352", "5GZCZ43D13S812715", "11111111111111111"])
def test_real_numbers(number: str) -> None:
    """Published valid numbers are valid; with another check digit they are not."""
    assert is_valid_vin(number)
    assert Vin().clean(number) == number
    wrong = number[:8] + ("0" if number[8] != "0" else "1") + number[9:]
    assert not is_valid_vin(wrong)


@given(numbers)
def test_exactly_one_check_digit_is_right(number: str) -> None:
    """Of the eleven possible check digits, exactly one makes the number valid."""
    valid = [digit for digit in "0123456789X" if is_valid_vin(number[:8] + digit + number[9:])]
    assert len(valid) == 1


@given(numbers)
def test_the_text_is_always_kept(number: str) -> None:
    """A number that fails its check is noted with its text as the value."""
    cleaned = Vin().clean(number.lower())
    if isinstance(cleaned, Violation):
        assert cleaned.severity == Severity.NOTED
        assert not is_valid_vin(number)
        cleaned = cleaned.value
    assert cleaned == (number if number.strip("0") else None)


@pytest.mark.parametrize(
    "text", ["", "1M8GDM9AXKP04278", "1M8GDM9AXKP0427888", "1m8gdm9axkp042788", "1M8GDM9AXKP\u0660\u0664\u06622788"]
)
def test_other_texts_are_not_valid(text: str) -> None:
    """Only the clean form can be valid; digits of other scripts do not count."""
    assert not is_valid_vin(text)
