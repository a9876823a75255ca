"""Vehicle identification numbers."""

import re
from dataclasses import dataclass
from typing import Any, ClassVar

import sqlalchemy as sa

from etl.values.base import Complaint, Kind, Severity
from etl.values.text import is_placeholder, word_of

_LONGEST = 40
_LENGTH = 17
_CHECK_DIGIT = 8
_FORM = re.compile(r"[A-HJ-NPR-Z0-9]{17}", re.ASCII)
_BETWEEN = str.maketrans("", "", " -.")
#: 49 CFR 565.15: what each letter counts, and the weight of each place; the ninth holds the sum modulo 11.
_VALUES = dict(zip("ABCDEFGHJKLMNPRSTUVWXYZ0123456789", map(int, "123456781234579234567890123456789"), strict=True))
_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
_REMAINDERS = "0123456789X"


@dataclass(frozen=True)
class Vin(Kind):
    """A vehicle identification number in capitals; one that fails its check is kept and noted.

    Vehicles before 1981, trailers and imports have numbers without length or check digit, so the text always stays.
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

    @property
    def column_type(self) -> sa.Text:
        """Text."""
        return sa.Text()

    def clean(self, raw: Any) -> str | Complaint | None:
        """Return the number in capitals, None when absent, or a Complaint, which keeps a number that fails."""
        text = word_of(raw, type(self), _LONGEST)
        if not isinstance(text, str):
            return text
        # What is not ASCII stays as it is: capitals and joined parts of it may compose to other letters.
        number = text.upper().translate(_BETWEEN) if text.isascii() else text
        if not number.strip("0") or is_placeholder(number):  # zeros are those of an empty form
            return None
        if vin_is_valid(number):
            return number
        if len(number) != _LENGTH:
            return self.complain("length", f"does not have {_LENGTH} characters", Severity.NOTED, number)
        if not _FORM.fullmatch(number):
            return self.complain("characters", "holds I, O, Q or something else no VIN has", Severity.NOTED, number)
        return self.complain("check-digit", "has another check digit than its ninth", Severity.NOTED, number)


def vin_is_valid(text: str) -> bool:
    """Return whether a clean number has the form and the check digit of a North American VIN (49 CFR 565.15)."""
    if not _FORM.fullmatch(text):
        return False
    total = sum(_VALUES[character] * weight for character, weight in zip(text, _WEIGHTS, strict=True))
    return _REMAINDERS[total % 11] == text[_CHECK_DIGIT]
