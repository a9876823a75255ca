"""The reference page of the kinds of value: what each accepts, how it is stored, and what it rejects."""

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from math import isfinite, log10
from typing import Any

import msgspec

from etl import values
from etl.render.dictionary import DIALECT
from etl.values import Kind, Violation

#: Maximum length of an example.
MAX_EXAMPLE_LENGTH = 60
#: Integers with more bits are shown by their number of digits.
MAX_BITS = 200

_encode = msgspec.json.Encoder(decimal_format="number", enc_hook=str).encode


def describe_kinds() -> str:
    """Return the sections of all kinds, with examples."""
    return "\n".join(line for kind in all_kinds() for line in kind_section(kind)).rstrip()


def all_kinds() -> list[type[Kind]]:
    """Return every kind of value, sorted by name."""
    classes = [kind for name in values.__all__ if isinstance(kind := getattr(values, name), type)]
    return sorted((kind for kind in classes if issubclass(kind, Kind) and kind is not Kind), key=lambda kind: kind.name)


def kind_section(kind: type[Kind]) -> Iterator[str]:
    """Yield the section of one kind: its description, accepted and rejected examples."""
    example = kind.example()
    yield f"## {kind.name}\n"
    yield f"{example.describe()} Stored as `{example.column_type.compile(dialect=DIALECT).lower()}`.\n"
    yield "| value in the record | value in the row |\n| --- | --- |"
    for raw, clean in kind.accepts:
        yield f"| {to_code(raw)} | {'*absent*' if clean is None else to_code(clean)} |"
    yield ""
    if kind.rejects:
        yield "| value in the record | rule | severity | message: the value |\n| --- | --- | --- | --- |"
        yield from (rejected_line(example, raw, rule) for raw, rule in kind.rejects)
        yield ""


def rejected_line(example: Kind, raw: Any, rule: str) -> str:
    """Return the table row of a rejected example."""
    violation = example.clean(raw)
    if not isinstance(violation, Violation):
        raise TypeError(f"The kind {example.name} accepts its example of {rule}.")
    message = violation.message.replace("|", "\\|")
    clean_value = "" if violation.value is None else f"; stored as {to_code(violation.value)}"
    return f"| {to_code(raw)} | `{rule}` | {violation.severity.value} | {message}{clean_value} |"


def to_code(value: Any) -> str:
    """Return a value as code for a table: text in quotes, invisible characters escaped, long values cut."""
    text = to_line(value)
    shown = text if len(text) <= MAX_EXAMPLE_LENGTH else f"{text[:MAX_EXAMPLE_LENGTH]}…"
    return (f"`` {shown} ``" if "`" in shown else f"`{shown}`").replace("|", "\\|")


def to_line(value: Any) -> str:
    """Return a raw or clean value as one line of JSON, with invisible characters escaped."""
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
        return "JSON that cannot be serialized"


def escape_invisible(text: str) -> str:
    """Return the start of a text with invisible characters escaped."""
    escaped = (
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in text[: MAX_EXAMPLE_LENGTH + 1]
    )
    return "".join(escaped)
