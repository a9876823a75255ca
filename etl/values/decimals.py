"""Exact decimals: how amounts are written, and how they fit their column; nothing ambiguous is guessed."""

import re
import unicodedata
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal
from functools import cache
from typing import Any, ClassVar

import sqlalchemy as sa

from etl.values.base import Complaint, Kind, Severity
from etl.values.number import exact, is_number
from etl.values.text import word_of

_LONGEST = 60
#: Our own context: that of the thread is somebody else's to change.
HALF_UP = Context(prec=60, rounding=ROUND_HALF_UP)
_MINUS = str.maketrans({"\u2212": "-", "\u2013": "-"})
#: A sign before, a sign behind, or parentheses around.
_SIGNED = re.compile(r"(\()?\s*([-+]?)\s*([^()+-]*?)\s*(-?)\s*(\))?")
_DIGITS = re.compile(r"[0-9]*\.?[0-9]+|[0-9]+\.", re.ASCII)
_THOUSANDS = re.compile(r"[1-9][0-9]{0,2}(?:,[0-9]{3})+(?:\.[0-9]*)?", re.ASCII)
#: Groups of digits that one country reads as thousands and another as decimals.
_GROUPS = re.compile(r"[0-9]*(?:[.,' ]+[0-9]+)+[.,]?|[0-9]+,", re.ASCII)
_NO_UNIT = re.compile(r"(?!)")


@dataclass(frozen=True)
class Decimals(Kind):
    """An exact number with a set number of digits, and of digits after the point."""

    name: ClassVar[str] = "decimals"
    noun: ClassVar[str] = "a number"
    accepts: ClassVar[tuple[tuple[Any, Any], ...]] = (
        (25, Decimal("25.000000")),
        (Decimal("25.761681"), Decimal("25.761681")),
        (-80.191788, Decimal("-80.191788")),
        ("(25.5)", Decimal("-25.500000")),
        (" .5 ", Decimal("0.500000")),
        ("-0", Decimal("0.000000")),
        (None, None),
        ("", None),
        ("N/A", None),
    )
    rejects: ClassVar[tuple[tuple[Any, str], ...]] = (
        ("12,34", "decimals-ambiguous"),
        ("1.234,56", "decimals-ambiguous"),
        ("12 %", "decimals-percent"),
        ("$12", "decimals-currency"),
        ("1e3", "decimals-not-a-number"),
        ("1_000", "decimals-not-a-number"),
        ("\u0661\u0662", "decimals-not-a-number"),
        ("twelve", "decimals-not-a-number"),
        ("-5-", "decimals-sign"),
        ("--5", "decimals-not-a-number"),
        ("(5", "decimals-sign"),
        (1.2345678, "decimals-rounded"),
        (1000, "decimals-range"),
        (Decimal("NaN"), "decimals-not-finite"),
        (True, "decimals-type"),
        ([1], "decimals-type"),
    )

    precision: int
    scale: int

    @classmethod
    def example(cls) -> "Decimals":
        """Return a number below a thousand with six digits after the point."""
        return cls(9, 6)

    @property
    def column_type(self) -> sa.Numeric[Decimal]:
        """Numeric: exact, never a float."""
        return sa.Numeric(self.precision, self.scale)

    def clean(self, raw: Any) -> Decimal | Complaint | None:
        """Return the number with all digits after the point, None when absent, or a Complaint."""
        return decimal_of(raw, type(self), self.precision, self.scale)


def decimal_of(
    raw: object, kind: type[Kind], precision: int, scale: int, unit: re.Pattern[str] = _NO_UNIT
) -> Decimal | Complaint | None:
    """Return a JSON number or a text, without its `unit`, as a decimal of that size, None when absent, or a Complaint.

    Too many digits after the point are rounded half up, as PostgreSQL does, and complained of as repaired.
    """
    number: Decimal | Complaint | None
    if type(raw) is Decimal and raw.is_finite():
        number = raw
    elif is_number(raw):
        number = exact(raw, kind)
    else:
        text = word_of(raw, kind, _LONGEST)
        number = _read(unit.sub("", text.translate(_MINUS)), kind) if isinstance(text, str) else text
    return _fitted(number, kind, precision, scale) if isinstance(number, Decimal) else number


def _fitted(number: Decimal, kind: type[Kind], precision: int, scale: int) -> Decimal | Complaint:
    """Return the number with `scale` digits after the point, or the kind's Complaint: out of range, or rounded."""
    whole = precision - scale
    if number and number.adjusted() >= whole:
        return _out_of_range(kind, whole)
    rounded = number.quantize(_last_place(scale), None, HALF_UP)
    if not rounded:
        rounded = abs(rounded)  # there is no -0
    if rounded == number:
        return rounded
    if rounded.adjusted() >= whole:
        return _out_of_range(kind, whole)
    return kind.complain("rounded", f"has more than {scale} digits after the point", Severity.REPAIRED, rounded)


@cache
def _last_place(scale: int) -> Decimal:
    """Return one in the last of `scale` places after the point: 0.01 for 2."""
    return Decimal((0, (1,), -scale))


def _out_of_range(kind: type[Kind], whole: int) -> Complaint:
    """Return the complaint of a number that its column cannot hold."""
    return kind.complain("range", f"has more than {whole} digits before the point")


def _read(text: str, kind: type[Kind]) -> Decimal | Complaint | None:
    """Return what a text without its unit says, None when nothing but the unit was there, or the kind's Complaint."""
    parts = _SIGNED.fullmatch(text)
    if parts is None:
        return _fault(text, text, kind)
    opened, sign, body, behind, closed = parts.groups()
    digits = body.replace(",", "") if _THOUSANDS.fullmatch(body) else body
    if body and not _DIGITS.fullmatch(digits):
        return _fault(text, body, kind)
    if bool(opened) != bool(closed) or sum(map(bool, (opened, sign, behind))) > 1:
        return kind.complain("sign", "has a sign that can be read in two ways")
    if not body:
        return None
    # copy_negate, because a minus would round to the precision of the thread's context
    return Decimal(digits).copy_negate() if opened or behind or sign == "-" else Decimal(digits)


def _fault(text: str, body: str, kind: type[Kind]) -> Complaint:
    """Return the Complaint that says why the text is no number of this kind."""
    if "%" in text:
        return kind.complain("percent", f"has a percent sign, which cannot be read as {kind.noun}")
    if any(unicodedata.category(character) == "Sc" for character in text):
        return kind.complain("currency", f"has a currency sign that cannot be read as {kind.noun}")
    if _GROUPS.fullmatch(body):
        return kind.complain("ambiguous", "has commas, points or spaces that can be read in two ways")
    return kind.complain("not-a-number", "is no number in plain digits")
