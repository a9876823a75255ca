"""Exact decimals: parsing of number formats and fitting to a column; ambiguous numbers are never guessed."""

import re
import unicodedata
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal
from functools import cache
from typing import Any, ClassVar

import sqlalchemy as sa

from etl.values.base import Kind, Severity, Violation
from etl.values.number import is_number, to_decimal
from etl.values.text import clean_word

_LONGEST = 60
#: A context of our own: other code may change the thread's context.
HALF_UP = Context(prec=60, rounding=ROUND_HALF_UP)
_MINUS = str.maketrans({"\u2212": "-", "\u2013": "-"})
#: A leading sign, a trailing sign, or parentheses.
_SIGNED = re.compile(r"(\()?\s*([-+]?)\s*([^()+-]*?)\s*(-?)\s*(\))?")
_DIGITS = re.compile(r"[0-9]*\.?[0-9]+|[0-9]+\.", re.ASCII)
_THOUSANDS = re.compile(r"[1-9][0-9]{0,2}(?:,[0-9]{3})+(?:\.[0-9]*)?", re.ASCII)
#: Groups of digits that one country reads as thousands and another as decimals.
_GROUPS = re.compile(r"[0-9]*(?:[.,' ]+[0-9]+)+[.,]?|[0-9]+,", re.ASCII)
_NO_UNIT = re.compile(r"(?!)")


@dataclass(frozen=True)
class Decimals(Kind):
    """An exact number with a fixed precision and scale."""

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
        (Decimal("3E-70"), "decimals-too-long"),
        (3e-70, "decimals-too-long"),
        ("( )", "decimals-no-digits"),
        ("+", "decimals-no-digits"),
        (True, "decimals-type"),
        ([1], "decimals-type"),
    )

    precision: int
    scale: int

    @classmethod
    def example(cls) -> "Decimals":
        """Return a number below a thousand with six decimal places."""
        return cls(9, 6)

    @property
    def column_type(self) -> sa.Numeric[Decimal]:
        """Numeric: exact, never a float."""
        return sa.Numeric(self.precision, self.scale)

    def clean(self, raw: Any) -> Decimal | Violation | None:
        """Return the number with all decimal places, None when absent, or a Violation."""
        return parse_decimal(raw, type(self), self.precision, self.scale)


def parse_decimal(
    raw: object, kind: type[Kind], precision: int, scale: int, unit: re.Pattern[str] = _NO_UNIT
) -> Decimal | Violation | None:
    """Return a JSON number or a text, without its `unit`, as a decimal of that size, None when absent, or a Violation.

    Extra decimal places are rounded half up, as PostgreSQL does, and reported as repaired.
    """
    number: Decimal | Violation | None
    if is_number(raw):
        number = to_decimal(raw, kind)
    else:
        text = clean_word(raw, kind, _LONGEST)
        number = _parse(unit.sub("", text.translate(_MINUS)), kind) if isinstance(text, str) else text
    return _fit_to_column(number, kind, precision, scale) if isinstance(number, Decimal) else number


def _fit_to_column(number: Decimal, kind: type[Kind], precision: int, scale: int) -> Decimal | Violation:
    """Return the number with `scale` decimal places, or the kind's Violation: out of range, or rounded."""
    whole_digits = precision - scale
    if number and number.adjusted() >= whole_digits:
        return _range_violation(kind, whole_digits)
    rounded = number.quantize(_last_place(scale), None, HALF_UP)
    if not rounded:
        rounded = abs(rounded)  # there is no -0
    if rounded == number:
        return rounded
    if rounded.adjusted() >= whole_digits:
        return _range_violation(kind, whole_digits)
    return kind.violation("rounded", f"has more than {scale} decimal places", Severity.REPAIRED, rounded)


@cache
def _last_place(scale: int) -> Decimal:
    """Return the smallest step at this scale: 0.01 for 2."""
    return Decimal((0, (1,), -scale))


def _range_violation(kind: type[Kind], whole_digits: int) -> Violation:
    """Return the violation for a number that its column cannot hold."""
    return kind.violation("range", f"has more than {whole_digits} digits before the decimal point")


def _parse(text: str, kind: type[Kind]) -> Decimal | Violation | None:
    """Return the number in a text without its unit, None when the text is empty, or the kind's Violation."""
    parts = _SIGNED.fullmatch(text)
    if parts is None:
        return _decimal_violation(text, text, kind)
    opened, sign, body, trailing_minus, closed = parts.groups()
    digits = body.replace(",", "") if _THOUSANDS.fullmatch(body) else body
    if body and not _DIGITS.fullmatch(digits):
        return _decimal_violation(text, body, kind)
    if bool(opened) != bool(closed) or sum(map(bool, (opened, sign, trailing_minus))) > 1:
        return kind.violation("sign", "has an ambiguous sign")
    if not body:
        # A unit without a number, such as "$", comes from an empty form; a sign or brackets do not.
        return kind.violation("no-digits", "has no digits") if opened or sign or trailing_minus else None
    # copy_negate: a minus would round to the precision of the thread's context
    return Decimal(digits).copy_negate() if opened or trailing_minus or sign == "-" else Decimal(digits)


def _decimal_violation(text: str, body: str, kind: type[Kind]) -> Violation:
    """Return the Violation that says why the text is not a number of this kind."""
    if "%" in text:
        return kind.violation("percent", f"has a percent sign, which cannot be read as {kind.noun}")
    if any(unicodedata.category(character) == "Sc" for character in text):
        return kind.violation("currency", f"has a currency sign that cannot be read as {kind.noun}")
    if _GROUPS.fullmatch(body):
        return kind.violation("ambiguous", "has commas, periods or spaces that are ambiguous")
    return kind.violation("not-a-number", "is not a number in plain digits")
