"""Percentages: 12.5 means 12.5 %."""

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.types import TypeEngine

from etl.values.base import Kind, Violation
from etl.values.decimals import parse_decimal

PRECISION, SCALE = 9, 4
_PERCENT = re.compile(r"\s*%(?=[-)]*$)")


@dataclass(frozen=True)
class Percent(Kind):
    """A rate in percent, never as a fraction of one: 12.5 means 12.5 %."""

    name: ClassVar[str] = "percent"
    noun: ClassVar[str] = "a percentage"
    stored_as: ClassVar[TypeEngine[Any]] = sa.Numeric(PRECISION, SCALE)
    accepts: ClassVar[tuple[tuple[Any, Any], ...]] = (
        (Decimal("12.5"), Decimal("12.5000")),
        (12, Decimal("12.0000")),
        ("12.5", Decimal("12.5000")),
        ("12.5 %", Decimal("12.5000")),
        ("-2%", Decimal("-2.0000")),
        ("(2 %)", Decimal("-2.0000")),
        (0.15, Decimal("0.1500")),
        (None, None),
        ("", None),
        ("%", None),
        ("N/A", None),
    )
    rejects: ClassVar[tuple[tuple[Any, str], ...]] = (
        ("12,5 %", "percent-ambiguous"),
        ("$12", "percent-currency"),
        ("%12", "percent-percent"),
        ("1e1", "percent-not-a-number"),
        ("- %", "percent-no-digits"),
        ("12.34567 %", "percent-rounded"),
        (100_000, "percent-range"),
        (True, "percent-type"),
        ([12], "percent-type"),
    )

    def clean(self, raw: Any) -> Decimal | Violation | None:
        """Return the rate in percent, None when absent, or a Violation."""
        return parse_decimal(raw, type(self), PRECISION, SCALE, _PERCENT)
