"""Phone numbers: the rules of libphonenumber, with a fast path for plain North American numbers."""

import re
from dataclasses import dataclass
from typing import Any, ClassVar

import phonenumbers as library

from etl.values.base import Kind, Severity, Violation
from etl.values.number import is_number
from etl.values.text import clean_text, is_placeholder

REGION = "US"
_LONGEST = 100
#: Ten digits in the usual punctuation, with or without the country code 1, with or without an extension.
_PLAIN = re.compile(
    r"(?:\+?1[ .-]?)?(?:\(([2-9][0-9]{2})\) ?|([2-9][0-9]{2})[ .-]?)([2-9][0-9]{2})[ .-]?([0-9]{4})"
    r"(?:(?:;ext=| ?(?:x|ext\.?) ?)([0-9]{1,6}))?",
    re.ASCII,
)


def _us_number_pattern() -> re.Pattern[str]:
    """Return the library's pattern of a US number, which is exact for area code and exchange.

    Without that pattern, every number takes the slow path, with the same result.
    """
    metadata = library.PhoneMetadata.metadata_for_region(REGION, None)
    described = metadata.fixed_line if metadata else None
    return re.compile((described.national_number_pattern if described else None) or "(?!)")


_US_NUMBER = _us_number_pattern()
#: Exchange 555, lines 0100 to 0199, is reserved for fictional numbers in every area code (ATIS-0300115).
_FICTIONAL = re.compile(r"[2-9][0-9]{2}55501[0-9]{2}", re.ASCII)
#: An input mask without digits, such as "(___) ___-____", is an empty field.
_EMPTY_MASK = re.compile(r"[\s()_.+/-]*")
#: A number with or without an extension, and labels: letters that a blank, a colon or a bracket parts from the number.
_LABELED = re.compile(
    r"(?:[(\[]\s*[^\W\d_][^\d()\[\]+]*[)\]]\s*|[^\W\d_][^\d()\[\]+]*(?:(?<=[\s:])|(?=\()))?"
    r"([+(]{0,2}\d[\d\s().,/\u2010-\u2015-]*(?:(?:;ext=|x|ext\.?|extension|#)[\s.:]*\d{1,7})?)"
    r"(?:[\s:,(\[]*(?<=[\s:(\[])[^\W\d_][^\d]*|[^\w+]*)",
    re.IGNORECASE,
)
#: A number that is partly spelled: letters joined to an area code and to at most the exchange.
_SPELLED = re.compile(
    r"(?:\+?1[.-]?)?[2-9][0-9]{2}[.-]?(?=[0-9]{0,3}[.-]?[A-Z])(?:[0-9A-Z][.-]?){6}[0-9A-Z]", re.ASCII | re.IGNORECASE
)
_ENDS_WITH_LABEL = re.compile(r"(?:fax|cell|home|work|main|mobile|office)$", re.IGNORECASE)
_TEN_DIGITS_TWICE = re.compile(r"(?:[0-9][^0-9]{0,3}){10,11}[^0-9]+(?:[0-9][^0-9]{0,3}){9,10}[0-9]", re.ASCII)
_MIN_DIGITS = 10


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
        (3055550142.0, "+13055550142"),
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
        ("305-555-0142 (Spouse)", "phone-label"),
        ("407-234-8899 (son)", "phone-label"),
        ("305-555-0142 Home", "phone-label"),
        ("Home: 305-555-0142", "phone-label"),
        ("DNC 407-234-8899", "phone-label"),
        ("440-7654 fax", "phone-too-short"),
        ("440-7654-fax", "phone-too-short"),
        ("310-9876", "phone-too-short"),
        ("WC4072348899", "phone-not-in-service"),
        ("-4072348899", "phone-not-in-service"),
        ("407-234-8899\ud83c", "phone-damaged"),
        (407234889.9, "phone-fraction"),
        ("1" * 101, "phone-too-long"),
        (True, "phone-type"),
        (["305-555-0142"], "phone-type"),
    )

    def clean(self, raw: Any) -> str | Violation | None:
        """Return the number in E.164 form, None when absent, or a Violation (libphonenumber's rules for the US)."""
        if type(raw) is str:
            plain = _PLAIN.fullmatch(raw)
            if plain is not None:
                bracketed, bare, exchange, line, extension = plain.groups()
                digits = (bracketed or bare) + exchange + line
                if _US_NUMBER.fullmatch(digits):
                    return f"+1{digits};ext={extension}" if extension else f"+1{digits}"
        text = clean_text(raw, type(self), _LONGEST)
        if not isinstance(text, str):
            return text
        if is_number(raw) and "." in text:
            return self.violation("fraction", "is a number with digits after the decimal point")
        return None if is_placeholder(text) or _EMPTY_MASK.fullmatch(text) else _parse_with_library(text)


def _parse_with_library(text: str) -> str | Violation:
    """Return the number in E.164 form as the library parses it, or a Violation.

    The library takes any letter for a digit, so labels are removed before.
    """
    parts = _LABELED.fullmatch(text)
    unlabeled = parts[1] if parts else text
    number = _format_e164(unlabeled) if parts or _is_spelled(text) else None
    if number is None:
        return _phone_violation(unlabeled)
    if any(character.isalpha() for character in text.replace(unlabeled, "")):
        return Phone.violation("label", "has words next to the number", Severity.REPAIRED, number)
    return number


def _is_spelled(text: str) -> bool:
    """Return whether letters are digits of the number, as in 1-800-FLOWERS."""
    return _SPELLED.fullmatch(text) is not None and not _ENDS_WITH_LABEL.search(text)


def _format_e164(text: str) -> str | None:
    """Return the number in E.164 form with its extension, or None when the library considers it invalid."""
    try:
        number = library.parse(text, REGION)
    except library.NumberParseException:
        return None
    # To the library, seven digits are valid where they can be dialed without an area code.
    if number.country_code == 1 and len(str(number.national_number)) != _MIN_DIGITS:
        return None
    if not library.is_valid_number(number) and not _is_fictional(number):
        return None
    formatted = library.format_number(number, library.PhoneNumberFormat.E164)
    return f"{formatted};ext={number.extension}" if number.extension else formatted


def _is_fictional(number: library.PhoneNumber) -> bool:
    """Return whether the number is a North American number reserved for fiction, which demo data uses.

    The library accepts most of these, but not those with an unassigned area code.
    """
    return number.country_code == 1 and _FICTIONAL.fullmatch(str(number.national_number)) is not None


def _phone_violation(text: str) -> Violation:
    """Return the Violation that says what is wrong with a rejected number."""
    digits = sum(character.isdigit() for character in text)
    if not digits:
        return Phone.violation("no-digits", "has no digits")
    if digits < _MIN_DIGITS:
        return Phone.violation("too-short", f"has {digits} digits, but needs at least {_MIN_DIGITS}")
    if _TEN_DIGITS_TWICE.search(text):
        return Phone.violation("several", "holds more than one number")
    return Phone.violation("not-in-service", "is not a valid US phone number")
