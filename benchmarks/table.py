"""Formatting of numbers, of medians with their spread, and of Markdown tables."""

from collections.abc import Iterable, Sequence
from statistics import median

TEN = 10
#: A rule below a header has at least three dashes.
SHORTEST_RULE = 3


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
    """Return a Markdown table whose columns are aligned in a terminal too: numbers to the right, text to the left."""
    lines = [header, *rows]
    columns = list(zip(*lines, strict=True))
    widths = [max(SHORTEST_RULE, *map(len, column)) for column in columns]
    is_number = [all(map(starts_with_number, column[1:])) for column in columns]
    rules = [
        f"{'-' * (width - 1)}:" if number else "-" * width for width, number in zip(widths, is_number, strict=True)
    ]
    padded = [
        [
            cell.rjust(width) if number else cell.ljust(width)
            for cell, width, number in zip(line, widths, is_number, strict=True)
        ]
        for line in lines
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in (padded[0], rules, *padded[1:]))


def starts_with_number(cell: str) -> bool:
    """Return whether a cell is empty or begins with a number."""
    return not cell or cell.lstrip("+-")[:1].isdigit()
