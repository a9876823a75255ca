"""Amounts of money in US dollars, exact to the cent."""

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.types import TypeEngine

from etl.values.base import Kind, Violation
from etl.values.decimals import HALF_UP, parse_decimal

PRECISION, SCALE = 15, 2
_CENT = Decimal("0.01")
_PLAIN = re.compile(r"[0-9]{1,13}(?:\.[0-9]{1,2})?", re.ASCII)
#: A dollar sign or code at either end of the digits, never between two digits.
_DOLLARS = re.compile(r"(?<![0-9.,])(?:US ?\$|\$|USD)\s*|\s*(?:US ?\$|\$|USD)(?![0-9.,])", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True)
class Money(Kind):
    """An amount of US dollars, exact to the cent."""

    name: ClassVar[str] = "money"
    noun: ClassVar[str] = "an amount of US dollars"
    stored_as: ClassVar[TypeEngine[Any]] = sa.Numeric(PRECISION, SCALE)
    accepts: ClassVar[tuple[tuple[Any, Any], ...]] = (
        (1842, Decimal("1842.00")),
        (Decimal("1842.0"), Decimal("1842.00")),
        (50.1, Decimal("50.10")),
        ("1842.5", Decimal("1842.50")),
        ("$1,842.50", Decimal("1842.50")),
        ("US$ 1,842.50", Decimal("1842.50")),
        ("1842.50 USD", Decimal("1842.50")),
        ("1,234", Decimal("1234.00")),
        ("1,234,567.89", Decimal("1234567.89")),
        ("($1,842.50)", Decimal("-1842.50")),
        ("$(1,842.50)", Decimal("-1842.50")),
        ("1,842.50-", Decimal("-1842.50")),
        ("-$5", Decimal("-5.00")),
        ("$-5", Decimal("-5.00")),
        ("\u22125.00", Decimal("-5.00")),
        ("+5", Decimal("5.00")),
        (".5", Decimal("0.50")),
        ("-0.00", Decimal("0.00")),
        ("1.2300", Decimal("1.23")),
        (None, None),
        ("", None),
        ("$", None),
        ("-", None),
        ("N/A", None),
    )
    rejects: ClassVar[tuple[tuple[Any, str], ...]] = (
        ("12,34", "money-ambiguous"),
        ("1.234,56", "money-ambiguous"),
        ("1,23,456", "money-ambiguous"),
        ("0,123", "money-ambiguous"),
        ("1 234.50", "money-ambiguous"),
        ("12,", "money-ambiguous"),
        ("12.5 %", "money-percent"),
        ("\u20ac12.50", "money-currency"),
        ("1.005", "money-rounded"),
        (Decimal("-2.675"), "money-rounded"),
        ("(-5)", "money-sign"),
        ("-5-", "money-sign"),
        ("(5", "money-sign"),
        ("NaN", "money-not-a-number"),
        ("Infinity", "money-not-a-number"),
        ("1e3", "money-not-a-number"),
        ("1_000", "money-not-a-number"),
        ("5$00", "money-currency"),
        ("ten", "money-not-a-number"),
        (10**13, "money-range"),
        ("9999999999999.995", "money-range"),
        (Decimal("NaN"), "money-not-finite"),
        (float("inf"), "money-not-finite"),
        (Decimal("1E+999999"), "money-too-long"),
        (Decimal("3E-70"), "money-too-long"),
        (3e-70, "money-too-long"),
        ("( $ )", "money-no-digits"),
        ("-$", "money-no-digits"),
        (10**5000, "money-too-long"),
        ("9" * 61, "money-too-long"),
        (True, "money-type"),
        ([5], "money-type"),
        ({"Amount": 5}, "money-type"),
    )

    def clean(self, raw: Any) -> Decimal | Violation | None:
        """Return the amount with its cents, None when absent, or a Violation."""
        if type(raw) is str and _PLAIN.fullmatch(raw):
            return Decimal(raw).quantize(_CENT, None, HALF_UP)
        return parse_decimal(raw, type(self), PRECISION, SCALE, _DOLLARS)
