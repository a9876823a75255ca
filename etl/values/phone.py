"""Phone numbers: the rules of libphonenumber behind a fast path for plain North American ones."""

import re
from dataclasses import dataclass
from typing import Any, ClassVar

import phonenumbers as library
import sqlalchemy as sa

from etl.values.base import Complaint, Kind, Severity
from etl.values.text import is_placeholder, text_of

HOME = "US"
_LONGEST = 100
#: Ten digits in the usual punctuation, with or without the country's 1, with or without an extension.
_PLAIN = re.compile(
    r"(?:\+?1[ .-]?)?(?:\(([2-9][0-9]{2})\) ?|([2-9][0-9]{2})[ .-]?)([2-9][0-9]{2})[ .-]?([0-9]{4})"
    r"(?:(?:;ext=| ?(?:x|ext\.?) ?)([0-9]{1,6}))?",
    re.ASCII,
)


def _home_numbers() -> re.Pattern[str]:
    """Return the library's own pattern of a home number, which is exact for area code and exchange.

    A library without it would be asked for every number: slower, and the same answers.
    """
    metadata = library.PhoneMetadata.metadata_for_region(HOME, None)
    described = metadata.fixed_line if metadata else None
    return re.compile((described.national_number_pattern if described else None) or "(?!)")


_IN_SERVICE = _home_numbers()
#: Exchange 555, lines 0100 to 0199, is set aside for made-up numbers (ATIS-0300115), whatever the area code.
_MADE_UP = re.compile(r"[2-9][0-9]{2}55501[0-9]{2}", re.ASCII)
#: An input mask without digits, as in "(___) ___-____", is an empty field.
_EMPTY_MASK = re.compile(r"[\s()_.+/-]*")
_LABEL = re.compile(r"[\s,(-]*\b(?:home|cell|mobile|work|office|business|fax|main)\b[.:)]?", re.IGNORECASE)
_TEN_DIGITS_TWICE = re.compile(r"(?:[0-9][^0-9]{0,3}){10,11}[^0-9]+(?:[0-9][^0-9]{0,3}){9,10}[0-9]", re.ASCII)
_FEWEST_DIGITS = 10


@dataclass(frozen=True)
class Phone(Kind):
    """A phone number in E.164 form, with the extension after it as RFC 3966 writes it: +13055550142;ext=12."""

    name: ClassVar[str] = "phone"
    noun: ClassVar[str] = "a phone number"
    accepts: ClassVar[tuple[tuple[Any, Any], ...]] = (
        ("(305) 555-0142", "+13055550142"),
        ("305-555-0142", "+13055550142"),
        ("305.555.0142", "+13055550142"),
        (" 3055550142 ", "+13055550142"),
        ("1 305 555 0142", "+13055550142"),
        ("+1 (305) 555-0142", "+13055550142"),
        (3055550142, "+13055550142"),
        ("(305) 555-0142 x12", "+13055550142;ext=12"),
        ("305-555-0142 ext. 012", "+13055550142;ext=012"),
        ("+13055550142;ext=12", "+13055550142;ext=12"),
        ("1-800-FLOWERS", "+18003569377"),
        ("Home: 305-555-0142", "+13055550142"),
        ("(613) 555-0142", "+16135550142"),
        ("+44 20 7183 8750", "+442071838750"),
        ("(555) 555-0142", "+15555550142"),
        (None, None),
        ("", None),
        ("(___) ___-____", None),
        ("(   )    -    ", None),
        ("N/A", None),
    )
    rejects: ClassVar[tuple[tuple[Any, str], ...]] = (
        ("305555014", "phone-too-short"),
        ("555-0142", "phone-too-short"),
        ("30555501421", "phone-not-in-service"),
        ("911-555-1212", "phone-not-in-service"),
        ("(305) 155-1212", "phone-not-in-service"),
        ("000-000-0000", "phone-not-in-service"),
        ("305-555-0142/786-555-0199", "phone-several"),
        ("call after five", "phone-no-digits"),
        ("305-555-0142 (cell)", "phone-label"),
        ("305-555-0142 Home", "phone-label"),
        ("1" * 101, "phone-too-long"),
        (True, "phone-type"),
        (["305-555-0142"], "phone-type"),
    )

    @property
    def column_type(self) -> sa.Text:
        """Text: E.164 has a leading plus, and an extension may follow."""
        return sa.Text()

    def clean(self, raw: Any) -> str | Complaint | None:
        """Return the number in E.164 form, None when absent, or a Complaint (libphonenumber's rules, home US)."""
        if type(raw) is str:
            plain = _PLAIN.fullmatch(raw)
            if plain is not None:
                bracketed, bare, exchange, line, extension = plain.groups()
                digits = (bracketed or bare) + exchange + line
                if _IN_SERVICE.fullmatch(digits):
                    return f"+1{digits};ext={extension}" if extension else f"+1{digits}"
        text = text_of(raw, type(self), _LONGEST)
        if not isinstance(text, str):
            return text
        return None if is_placeholder(text) or _EMPTY_MASK.fullmatch(text) else _by_the_library(text)


def _by_the_library(text: str) -> str | Complaint:
    """Return the number in E.164 form as the library reads it, or a Complaint."""
    found = _read(text)
    if found is not None:
        return found
    unlabelled = _LABEL.sub(" ", text).strip()
    inner = _read(unlabelled) if unlabelled != text else None
    if inner is not None:
        return Phone.complain("label", "has words beside the number", Severity.REPAIRED, inner)
    return _fault(text)


def _read(text: str) -> str | None:
    """Return the number in E.164 form with its extension, or None when the library does not hold it valid."""
    try:
        number = library.parse(text, HOME)
    except library.NumberParseException:
        return None
    if not library.is_valid_number(number) and not _is_made_up(number):
        return None
    written = library.format_number(number, library.PhoneNumberFormat.E164)
    return f"{written};ext={number.extension}" if number.extension else written


def _is_made_up(number: library.PhoneNumber) -> bool:
    """Return whether the number is a North American one reserved for fiction, which demonstration data uses.

    The library holds most of them valid; not those under an area code that nobody has yet.
    """
    return number.country_code == 1 and _MADE_UP.fullmatch(str(number.national_number)) is not None


def _fault(text: str) -> Complaint:
    """Return the Complaint that says what is wrong with a refused number."""
    digits = sum(character.isdigit() for character in text)
    if not digits:
        return Phone.complain("no-digits", "has no digits")
    if digits < _FEWEST_DIGITS:
        return Phone.complain("too-short", f"has {digits} digits where at least {_FEWEST_DIGITS} belong")
    if _TEN_DIGITS_TWICE.search(text):
        return Phone.complain("several", "holds more than one number")
    return Phone.complain("not-in-service", "is no number that a carrier could have given out")
