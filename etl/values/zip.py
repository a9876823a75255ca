"""ZIP codes, ZIP+4 codes and Canadian postal codes."""

import re
from dataclasses import dataclass
from typing import Any, ClassVar

from etl.values.base import Kind, Severity, Violation
from etl.values.number import is_number
from etl.values.text import clean_word

_LONGEST = 40
_ZIP_DIGITS = 5
_MOST_DIGITS = 9
_LOWEST = "00501"  #: Holtsville, New York
_ZIP = re.compile(r" *([0-9]{5})(?:[ -]*([0-9]{4})| ?-)? *", re.ASCII)
#: Canada Post leaves out D F I O Q U everywhere, and W and Z at the front.
_CANADIAN = re.compile(r"([ABCEGHJ-NPRSTVXY][0-9][ABCEGHJ-NPRSTV-Z])[ -]?([0-9][ABCEGHJ-NPRSTV-Z][0-9])", re.ASCII)


@dataclass(frozen=True)
class Zip(Kind):
    """A ZIP code (33010), a ZIP+4 code with its hyphen (33010-1234) or a Canadian postal code (K1A 0B1)."""

    name: ClassVar[str] = "zip"
    noun: ClassVar[str] = "a ZIP code"
    accepts: ClassVar[tuple[tuple[Any, Any], ...]] = (
        ("33010", "33010"),
        ("33010     ", "33010"),
        ("330101234 ", "33010-1234"),
        ("33010-1234", "33010-1234"),
        ("33010 1234", "33010-1234"),
        ("33010-", "33010"),
        ("02108", "02108"),
        (33010, "33010"),
        (32801.0, "32801"),
        ("00501", "00501"),
        (330101234, "33010-1234"),
        ("k1a0b1", "K1A 0B1"),
        ("K1A 0B1", "K1A 0B1"),
        (None, None),
        ("", None),
        ("          ", None),
        ("N/A", None),
    )
    rejects: ClassVar[tuple[tuple[Any, str], ...]] = (
        ("3301", "zip-digits"),
        ("330101", "zip-digits"),
        ("33010-12", "zip-digits"),
        ("\uff13\uff13\uff10\uff11\uff10", "zip-digits"),
        ("Hialeah", "zip-digits"),
        ("D1A 0B1", "zip-digits"),
        ("K1\u017f 0B1", "zip-digits"),
        ("00000", "zip-zero"),
        ("000000000 ", "zip-zero"),
        ("33010-0000", "zip-plus-four"),
        ("00342", "zip-lowest"),
        ("003421234", "zip-lowest"),
        ("00500", "zip-lowest"),
        (2108, "zip-leading-zero"),
        (4101.0, "zip-leading-zero"),
        (21081234, "zip-leading-zero"),
        (342, "zip-digits"),
        (330101, "zip-digits"),
        (True, "zip-type"),
        (["33010"], "zip-type"),
        (33010.5, "zip-digits"),
    )

    def clean(self, raw: Any) -> str | Violation | None:
        """Return the code in its standard form, None when absent, or a Violation (forms of USPS and Canada Post)."""
        if type(raw) is str and len(raw) == _ZIP_DIGITS and raw.isascii() and raw.isdigit() and raw >= _LOWEST:
            return raw
        american = _ZIP.fullmatch(raw) if type(raw) is str else None
        if american is not None:
            return _join_zip(american[1], american[2])
        text = clean_word(raw, type(self), _LONGEST)
        if not isinstance(text, str):
            return text
        american = _ZIP.fullmatch(text)
        if american is not None:
            return _join_zip(american[1], american[2])
        canadian = _CANADIAN.fullmatch(text.upper()) if text.isascii() else None
        if canadian is not None:
            return f"{canadian[1]} {canadian[2]}"
        return _zip_violation(raw, text)


def _join_zip(code: str, plus_four: str | None) -> str | Violation:
    """Return the code with its hyphen, or the Violation that a part is all zeros."""
    if code == "00000":
        return Zip.violation("zero", "is all zeros")
    if code < _LOWEST:
        return Zip.violation("lowest", f"is below {_LOWEST}, the lowest ZIP code")
    if plus_four == "0000":
        return Zip.violation("plus-four", "has 0000 as the last four digits", Severity.REPAIRED, code)
    return f"{code}-{plus_four}" if plus_four else code


def _restore_zeros(raw: object, text: str) -> str | None:
    """Return the digits of a number with the leading zeros that a number cannot have; None if it lacks other digits.

    Unlike a number, a text of four digits may also lack its last digit.
    """
    if not is_number(raw) or not text.isdigit() or len(text) >= _MOST_DIGITS:
        return None
    digits = text.zfill(_ZIP_DIGITS if len(text) < _ZIP_DIGITS else _MOST_DIGITS)
    # A ZIP code begins with two zeros at most, so a number of six digits lacks other digits.
    return digits if digits[:_ZIP_DIGITS] >= _LOWEST else None


def _zip_violation(raw: object, text: str) -> Violation:
    """Return the Violation for a text that is not a code; a number may have lost its leading zeros."""
    digits = _restore_zeros(raw, text)
    if digits is None:
        return Zip.violation("digits", "is neither 5 nor 9 digits nor a Canadian postal code")
    plus_four = digits[_ZIP_DIGITS:].replace("0000", "")
    code = f"{digits[:_ZIP_DIGITS]}-{plus_four}" if plus_four else digits[:_ZIP_DIGITS]
    return Zip.violation("leading-zero", "was sent as a number and lost its leading zero", Severity.REPAIRED, code)
