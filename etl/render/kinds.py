"""The kinds of value as a page: what each accepts and in which form it keeps it, and what it complains of."""

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from math import isfinite, log10
from typing import Any

import msgspec

from etl import values
from etl.render.dictionary import DIALECT
from etl.values import Kind, Violation

HEAD = """# Kinds of value

Rendered from the declarations by `python -m etl.render`; a test fails when this file is behind them. Every example
below is also a test. *Absent* values leave the column empty and are no finding, unless the column expects one.
"""

#: The longest example that is shown whole.
MAX_EXAMPLE_LENGTH = 60
#: Whole numbers of more bits are told by their length.
MAX_BITS = 200

_encode = msgspec.json.Encoder(decimal_format="number", enc_hook=str).encode


def kinds_page() -> str:
    """Return the page of the reference that shows every kind with its examples."""
    return "\n".join([HEAD, *(line for kind in all_kinds() for line in kind_section(kind))])


def all_kinds() -> list[type[Kind]]:
    """Return every kind of value, sorted by name."""
    classes = [kind for name in values.__all__ if isinstance(kind := getattr(values, name), type)]
    return sorted((kind for kind in classes if issubclass(kind, Kind) and kind is not Kind), key=lambda kind: kind.name)


def kind_section(kind: type[Kind]) -> Iterator[str]:
    """Yield what one kind is, accepts and rejects."""
    example = kind.example()
    yield f"## {kind.name}\n"
    yield f"{example.describe()} Kept as `{example.column_type.compile(dialect=DIALECT).lower()}`.\n"
    yield "| the record says | the row has |\n| --- | --- |"
    for raw, clean in kind.accepts:
        yield f"| {to_code(raw)} | {'*absent*' if clean is None else to_code(clean)} |"
    yield ""
    if kind.rejects:
        yield "| the record says | rule | severity | in words: the value |\n| --- | --- | --- | --- |"
        yield from (rejected_line(example, raw, rule) for raw, rule in kind.rejects)
        yield ""


def rejected_line(example: Kind, raw: Any, rule: str) -> str:
    """Return the line of a value that a kind complains of."""
    complaint = example.clean(raw)
    if not isinstance(complaint, Violation):
        raise TypeError(f"The kind {example.name} has an example of {rule} that it does not complain of.")
    words = complaint.message.replace("|", "\\|")
    clean_value = "" if complaint.value is None else f"; kept as {to_code(complaint.value)}"
    return f"| {to_code(raw)} | `{rule}` | {complaint.severity.value} | {words}{clean_value} |"


def to_code(value: Any) -> str:
    """Return a value as code in a table: text in quotes, in plain letters, cut where it is long."""
    text = to_line(value)
    shown = text if len(text) <= MAX_EXAMPLE_LENGTH else f"{text[:MAX_EXAMPLE_LENGTH]}…"
    return (f"`` {shown} ``" if "`" in shown else f"`{shown}`").replace("|", "\\|")


def to_line(value: Any) -> str:
    """Return a raw or clean value as one line: JSON as it is written, without what a reader cannot see."""
    if isinstance(value, str):
        return f'"{escape_invisible(value)}"'
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, int) and value.bit_length() > MAX_BITS:
        return f"a number of {int(value.bit_length() * log10(2)) + 1} digits"
    if isinstance(value, float | Decimal) and not isfinite(value):
        return str(value)
    try:
        return escape_invisible(_encode(value).decode())
    except (RecursionError, UnicodeError, ValueError):
        return "JSON that cannot be written again"


def escape_invisible(text: str) -> str:
    """Return the beginning of a text with what a reader cannot see written as an escape."""
    escaped = (character if character.isprintable() else character.encode("unicode_escape").decode() for character in text[: MAX_EXAMPLE_LENGTH + 1])
    return "".join(escaped)
