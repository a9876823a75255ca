"""Figures as people read them: medians with their spread, and tables in Markdown."""

from collections.abc import Iterable, Sequence
from statistics import median

TEN = 10


def figure(number: float) -> str:
    """Return a number with the digits that mean something."""
    return f"{number:,.0f}" if abs(number) >= TEN * TEN else f"{number:.1f}" if abs(number) >= TEN else f"{number:.2f}"


def spread(numbers: Sequence[float]) -> str:
    """Return the median of some rounds and, where there are several, the least and the most."""
    if not numbers:
        return "-"
    middle = figure(median(numbers))
    return middle if len(numbers) == 1 else f"{middle} ({figure(min(numbers))}-{figure(max(numbers))})"


def markdown(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
