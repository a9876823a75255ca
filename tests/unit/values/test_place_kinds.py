"""ZIP codes and states in the forms in which they come."""

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
    """Padding and the missing hyphen lose nothing and are no finding."""
    assert ZIP.clean(code + " " * padding) == code
    assert ZIP.clean(code + between + plus_four + " " * padding) == f"{code}-{plus_four}"


@given(st.integers(501, 9_999))
def test_a_number_lost_its_zeros_and_a_text_did_not(number: int) -> None:
    """What was a number can be cured in one way; a text of four digits may lack any of its five."""
    found = ZIP.clean(number)
    assert isinstance(found, Violation)
    assert (found.severity, found.value) == (Severity.REPAIRED, f"{number:05}")
    found = ZIP.clean(str(number))
    assert isinstance(found, Violation)
    assert (found.severity, found.value) == (Severity.DROPPED, None)


@pytest.mark.parametrize(("code", "name"), STATES.items())
def test_every_state_by_code_and_name(code: str, name: str) -> None:
    """Codes and names in any case, padded or not, are one code."""
    for raw in (code, code.lower(), f"{code}        ", f" {code}", name, name.upper(), name.lower(), f"{name}  "):
        assert STATE.clean(raw) == code


def test_the_states_are_all_there() -> None:
    """Fifty states, the District, eight territories and associated states, three military districts, 13 provinces."""
    assert len(STATES) == 50 + 1 + 8 + 3 + 13
    assert {"DC", "PR", "GU", "VI", "AS", "MP", "FM", "MH", "PW", "AA", "AE", "AP", "ON", "QC", "YT"} <= set(STATES)


def test_two_blanks_are_absent_and_two_letters_may_be_bad() -> None:
    """Absent is not bad: the vendor pads an empty state to two blanks."""
    assert STATE.clean("  ") is None
    found = STATE.clean("XX")
    assert isinstance(found, Violation)
    assert found.severity == Severity.DROPPED
