"""ZIP codes and states in the formats that the API sends."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl.values import Severity, State, Violation, Zip
from etl.values.state import STATES

ZIP, STATE = Zip(), State()
digits = st.integers(501, 99_999).map("{:05}".format)
four = st.integers(1, 9_999).map("{:04}".format)


@given(digits, four, st.sampled_from(["", "-", " ", " - "]), st.integers(0, 6))
@pytest.mark.fact("padding")
def test_zip_and_plus_four(code: str, plus_four: str, between: str, padding: int) -> None:
    """Padding and a missing hyphen are not a finding."""
    assert ZIP.clean(code + " " * padding) == code
    assert ZIP.clean(code + between + plus_four + " " * padding) == f"{code}-{plus_four}"


@given(st.integers(501, 9_999))
def test_a_number_lost_its_zeros_and_a_text_did_not(number: int) -> None:
    """A number of four digits lost its leading zero; a text of four digits may lack any digit."""
    cleaned = ZIP.clean(number)
    assert isinstance(cleaned, Violation)
    assert (cleaned.severity, cleaned.value) == (Severity.REPAIRED, f"{number:05}")
    cleaned = ZIP.clean(str(number))
    assert isinstance(cleaned, Violation)
    assert (cleaned.severity, cleaned.value) == (Severity.DROPPED, None)


@given(st.integers(501, 9_999), st.integers(0, 9_999))
def test_a_number_of_nine_digits_lost_its_zeros(code: int, plus_four: int) -> None:
    """A number has no leading zero, in a ZIP+4 code as well; 0000 is no ZIP+4."""
    cleaned = ZIP.clean(code * 10_000 + plus_four)
    value = f"{code:05}-{plus_four:04}" if plus_four else f"{code:05}"
    assert cleaned == Violation(
        "zip-leading-zero", "was sent as a number and lost its leading zero", Severity.REPAIRED, value
    )
    assert isinstance(as_text := ZIP.clean(str(code * 10_000 + plus_four)), Violation)
    assert as_text.value is None


@given(st.integers(1, 500), st.sampled_from(["", "1234", "-1234"]))
def test_no_code_is_below_the_lowest(code: int, plus_four: str) -> None:
    """00501 (Holtsville, NY) is the lowest ZIP code in use."""
    cleaned = ZIP.clean(f"{code:05}{plus_four}")
    assert isinstance(cleaned, Violation)
    assert (cleaned.rule, cleaned.value) == ("zip-lowest", None)


@pytest.mark.parametrize("raw", ["\ufb02", "\u017fc", "n\u00e9", "\uff26\uff2c"])
def test_a_state_is_written_in_ascii(raw: str) -> None:
    """Letters whose capitals are ASCII, such as a ligature, are in no code and no name."""
    assert isinstance(cleaned := STATE.clean(raw), Violation)
    assert cleaned.rule == "state-unknown"


@pytest.mark.parametrize(("code", "name"), STATES.items())
def test_every_state_by_code_and_name(code: str, name: str) -> None:
    """Codes and names in any case, with or without padding, give the same code."""
    for raw in (code, code.lower(), f"{code}        ", f" {code}", name, name.upper(), name.lower(), f"{name}  "):
        assert STATE.clean(raw) == code


def test_all_states_are_listed() -> None:
    """Fifty states, the District, eight territories and associated states, three military districts, 13 provinces."""
    assert len(STATES) == 50 + 1 + 8 + 3 + 13
    assert {"DC", "PR", "GU", "VI", "AS", "MP", "FM", "MH", "PW", "AA", "AE", "AP", "ON", "QC", "YT"} <= set(STATES)


def test_two_blanks_are_absent_and_two_letters_may_be_invalid() -> None:
    """The vendor pads an empty state to two blanks, which is absent and not a violation."""
    assert STATE.clean("  ") is None
    cleaned = STATE.clean("XX")
    assert isinstance(cleaned, Violation)
    assert cleaned.severity == Severity.DROPPED
