"""ZIP codes and states in the formats that the API sends."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl.values import Severity, State, Violation, Zip
from etl.values.state import STATES

ZIP, STATE = Zip(), State()
digits = st.integers(1, 99_999).map("{:05}".format)
four = st.integers(1, 9_999).map("{:04}".format)


@given(digits, four, st.sampled_from(["", "-", " ", " - "]), st.integers(0, 6))
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
