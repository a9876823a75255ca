"""Phone numbers: the fast path compared with the library, extensions, and dropped numbers."""

import random

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etl.values import Phone, Severity, Violation

PHONE = Phone()
FORMS = ["{a}{b}{c}", "({a}) {b}-{c}", "({a}){b}-{c}", "{a}-{b}-{c}", "{a}.{b}.{c}", "{a} {b} {c}", "+1{a}{b}{c}"]
FORMS += ["1{a}{b}{c}", "1-{a}-{b}-{c}", "+1 ({a}) {b}-{c}", "+1-{a}-{b}-{c}", "1 {a} {b} {c}", "1.{a}.{b}.{c}"]
EXTENSIONS = ["", "x{e}", " x{e}", " x {e}", " ext {e}", " ext. {e}", "ext{e}", ";ext={e}"]
three, four = st.integers(0, 999).map("{:03}".format), st.integers(0, 9999).map("{:04}".format)


def by_the_library(raw: str) -> str | None:
    """Return libphonenumber's format of the number, or None when it is invalid or has no area code."""
    try:
        number = phonenumbers.parse(raw, "US")
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number) or len(str(number.national_number)) != 10:
        return None
    formatted = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return f"{formatted};ext={number.extension}" if number.extension else formatted


def accepted(raw: str) -> str | None:
    """Return the value of a number without violation, None otherwise."""
    cleaned = PHONE.clean(raw)
    return cleaned if isinstance(cleaned, str) else None


def reserved_for_fiction(area: str, exchange: str, line: str) -> bool:
    """Return whether the number is 555-0100 to 555-0199, which we accept with any area code."""
    return area >= "200" and exchange == "555" and line < "0200"


@settings(max_examples=400)
@given(three, three, four, st.sampled_from(FORMS), st.sampled_from(EXTENSIONS), st.integers(0, 999_999))
def test_generated_numbers_match_the_library(
    area: str, exchange: str, line: str, form: str, ending: str, extension: int
) -> None:
    """The fast path accepts nothing that the library rejects, and formats numbers the same way."""
    raw = form.format(a=area, b=exchange, c=line) + ending.format(e=extension)
    if not reserved_for_fiction(area, exchange, line):
        assert accepted(raw) == by_the_library(raw)


def test_every_area_code_matches_the_library() -> None:
    """All area codes, with exchanges that some of them do not have (523, 524 and 983 are open in part)."""
    chance = random.Random(20_120_719)
    for area in range(200, 1000):
        exchanges = (200, 310, 555, 912, 983, 999) if area not in {523, 524, 983} else range(200, 1000, 7)
        for exchange in exchanges:
            raw = f"{area}{exchange}{chance.randrange(200, 10_000):04}"
            assert accepted(raw) == by_the_library(raw), raw


@pytest.mark.parametrize("raw", ["(305) 555-0142", "305-555-0142", "+13055550142", "305.555.0142 x12"])
def test_plain_numbers_take_the_fast_path(raw: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The library, which is twenty times slower, is not called for most records."""
    monkeypatch.setattr("etl.values.phone.library", None)
    assert accepted(raw)


def test_numbers_reserved_for_fiction_are_kept() -> None:
    """Demo data uses them with any area code; numbers next to the reserved ones are checked like all others."""
    assert PHONE.clean("(999) 555-0199") == "+19995550199"
    cleaned = PHONE.clean("(999) 555-0200")
    assert isinstance(cleaned, Violation)
    assert cleaned.rule == "phone-not-in-service"


def test_nine_digits_are_dropped() -> None:
    """No digit is added to a number."""
    cleaned = PHONE.clean("305-555-014")
    assert isinstance(cleaned, Violation)
    assert (cleaned.severity, cleaned.value) == (Severity.DROPPED, None)
    assert "9 digits" in cleaned.message


def test_words_next_to_the_number_are_removed() -> None:
    """A label is removed, and the number with its extension is kept."""
    cleaned = PHONE.clean("305-555-0142 x12 (office)")
    assert isinstance(cleaned, Violation)
    assert (cleaned.severity, cleaned.value) == (Severity.REPAIRED, "+13055550142;ext=12")


@pytest.mark.parametrize(
    ("raw", "number"),
    [
        ("DNC 407-234-8899", "+14072348899"),
        ("407-234-8899 (son)", "+14072348899"),
        ("305-555-0142 (Spouse)", "+13055550142"),
        ("Cell: (305) 555-0142", "+13055550142"),
        ("Cell(305)555-0142", "+13055550142"),
        ("(cell) 305-555-0142", "+13055550142"),
        ("[wife] 305-555-0142", "+13055550142"),
        ("Mom's cell: 305-555-0142 x7", "+13055550142;ext=7"),
        ("305-555-0142, ask for Jos\u00e9", "+13055550142"),
        ("305-555-0142 - Bob", "+13055550142"),
        ("tel:+13055550142;ext=12", "+13055550142;ext=12"),
        ("Fax 305-555-0142 (do not call)", "+13055550142"),
    ],
)
def test_a_label_is_removed_with_a_finding(raw: str, number: str) -> None:
    """A label is letters that a blank, a colon or a bracket parts from the number, before or after it."""
    cleaned = PHONE.clean(raw)
    assert isinstance(cleaned, Violation)
    assert (cleaned.rule, cleaned.severity, cleaned.value) == ("phone-label", Severity.REPAIRED, number)


@pytest.mark.parametrize(
    "raw",
    ["440-7654 fax", "440-7654fax", "440-7654-fax", "440-7654-Bob", "440-765-cell", "(440) 765 cell", "310-9876",
     "+1 310-9876", "1-310-9876", "Home: 310-9876", "WC4072348899", "4072348899WC", "-4072348899", "DNC -407-234-8899",
     "x407-234-8899", "*407-234-8899", "(800) FLOWERS"],
)  # fmt: skip
def test_letters_of_a_label_are_no_digits_and_a_number_has_ten(raw: str) -> None:
    """The North American Numbering Plan has ten digits; the library takes any letter for a digit."""
    cleaned = PHONE.clean(raw)
    assert isinstance(cleaned, Violation)
    assert (cleaned.severity, cleaned.value) == (Severity.DROPPED, None)


@pytest.mark.parametrize(
    ("raw", "number"),
    [("1-800-FLOWERS", "+18003569377"), ("1-800-GO-FEDEX", "+18004633339"), ("305-CALL-JOE", "+13052255563")],
)
def test_a_spelled_number_is_kept(raw: str, number: str) -> None:
    """Letters joined to the area code are digits (ITU-T E.161)."""
    assert PHONE.clean(raw) == number


def test_digits_of_other_scripts_become_ascii() -> None:
    """Full-width digits are digits to the library; what is stored is ASCII."""
    assert PHONE.clean("\uff13\uff10\uff15-555-0142") == "+13055550142"
