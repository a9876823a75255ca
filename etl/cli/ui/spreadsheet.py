"""Cells that a spreadsheet shows and never runs."""

from collections.abc import Iterable
from datetime import datetime

#: What a spreadsheet may take for the beginning of a formula (OWASP: CSV injection), its full-width forms included.
DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001 (these very characters)


def safe_cell(value: object) -> object:
    """Return a value for a cell; text that could be taken for a formula gets an apostrophe in front."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, str) and value.lstrip(" ").startswith(DANGEROUS):
        return f"'{value}"
    return value


def safe_row(values: Iterable[object]) -> list[object]:
    """Return a row of cells that a spreadsheet never runs."""
    return [safe_cell(value) for value in values]
