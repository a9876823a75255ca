"""Escape cells that a spreadsheet would run as formulas."""

from collections.abc import Iterable
from datetime import datetime

#: Characters that begin a formula in a spreadsheet, with full-width forms (OWASP: CSV injection).
FORMULA_PREFIXES = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001 (these very characters)


def safe_cell(value: object) -> object:
    """Return a value for a cell; text that looks like a formula gets a leading apostrophe."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, str) and value.lstrip(" ").startswith(FORMULA_PREFIXES):
        return f"'{value}"
    return value


def safe_row(values: Iterable[object]) -> list[object]:
    """Return a row of escaped cells."""
    return [safe_cell(value) for value in values]
