"""Formatting of numbers, of medians with their spread, and of Markdown tables."""

from collections.abc import Iterable, Sequence
from statistics import median

TEN = 10


def figure(number: float) -> str:
    """Return a number with its significant digits."""
    return f"{number:,.0f}" if abs(number) >= TEN * TEN else f"{number:.1f}" if abs(number) >= TEN else f"{number:.2f}"


def spread(numbers: Sequence[float]) -> str:
    """Return the median of the rounds and, if there are several, the minimum and maximum."""
    if not numbers:
        return "-"
    middle = figure(median(numbers))
    return middle if len(numbers) == 1 else f"{middle} ({figure(min(numbers))}-{figure(max(numbers))})"


def markdown(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
