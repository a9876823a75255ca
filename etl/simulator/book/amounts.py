"""Money to the cent: rounding, percentages, and shares that add up to their whole."""

from collections.abc import Sequence


def cents(amount: float) -> float:
    """Round an amount in dollars to whole cents."""
    return round(amount + 0.0, 2)


def percent(amount: float, rate: float) -> float:
    """Return a percentage of an amount, to the cent."""
    return cents(amount * rate / 100)


def split(amount: float, shares: Sequence[float]) -> list[float]:
    """Divide an amount by shares; the last part takes what rounding left, so that the parts add up to the amount."""
    whole = sum(shares) or 1.0
    parts = [cents(amount * share / whole) for share in shares[:-1]]
    return [*parts, cents(amount - sum(parts))]
