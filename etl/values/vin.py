"""Vehicle identification numbers."""

import re
from dataclasses import dataclass
from typing import Any, ClassVar

from etl.values.base import Kind, Severity, Violation
from etl.values.text import clean_word, is_placeholder

_LONGEST = 40
_LENGTH = 17
_CHECK_DIGIT = 8
_FORM = re.compile(r"[A-HJ-NPR-Z0-9]{17}", re.ASCII)
_PUNCTUATION = str.maketrans("", "", " -.")
#: 49 CFR 565.15: the value of each letter, and the weight of each position; the ninth holds the sum modulo 11.
_VALUES = dict(zip("ABCDEFGHJKLMNPRSTUVWXYZ0123456789", map(int, "123456781234579234567890123456789"), strict=True))
_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
_REMAINDERS = "0123456789X"


@dataclass(frozen=True)
class Vin(Kind):
    """A vehicle identification number in capitals; a number that fails its check is kept and noted.

    Vehicles before 1981, trailers and imports have numbers of other lengths or without a check digit, so the text is
    always kept.
    """

    name: ClassVar[str] = "vin"
    noun: ClassVar[str] = "a VIN"
    accepts: ClassVar[tuple[tuple[Any, Any], ...]] = (
        ("1M8GDM9AXKP042788", "1M8GDM9AXKP042788"),
        (" 1hgcm82633a004352 ", "1HGCM82633A004352"),
        ("1HG-CM82633A-004352", "1HGCM82633A004352"),
        (None, None),
        ("", None),
        ("N/A", None),
        ("TBD", None),
        ("N-A", None),
        ("00000000000000000", None),
    )
    rejects: ClassVar[tuple[tuple[Any, str], ...]] = (
        ("1M8GDM9A1KP042788", "vin-check-digit"),
        ("1M8GDM9AXKP04278", "vin-length"),
        ("136371S123456", "vin-length"),
        ("1M8GDM9AXKPO42788", "vin-characters"),
        (12345, "vin-length"),
        ("x" * 41, "vin-too-long"),
        (True, "vin-type"),
        (["1M8GDM9AXKP042788"], "vin-type"),
    )

    def clean(self, raw: Any) -> str | Violation | None:
        """Return the number in capitals, None when absent, or a Violation, which keeps a number that fails."""
        text = clean_word(raw, type(self), _LONGEST)
        if not isinstance(text, str):
            return text
        # Text that is not ASCII is left unchanged: its capitals and joined parts may compose to other letters.
        number = text.upper().translate(_PUNCTUATION) if text.isascii() else text
        if not number.strip("0") or is_placeholder(number):  # zeros come from an empty form
            return None
        if is_valid_vin(number):
            return number
        if len(number) != _LENGTH:
            return self.violation("length", f"does not have {_LENGTH} characters", Severity.NOTED, number)
        if not _FORM.fullmatch(number):
            return self.violation(
                "characters", "contains I, O, Q or another character that no VIN has", Severity.NOTED, number
            )
        return self.violation(
            "check-digit",
            "is probably mistyped: its check digit does not match",
            Severity.NOTED,
            number,
        )


def is_valid_vin(text: str) -> bool:
    """Return whether a clean number has the format and check digit of a North American VIN (49 CFR 565.15)."""
    if not _FORM.fullmatch(text):
        return False
    total = sum(_VALUES[character] * weight for character, weight in zip(text, _WEIGHTS, strict=True))
    return _REMAINDERS[total % 11] == text[_CHECK_DIGIT]
