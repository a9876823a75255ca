"""Rows as lines of COPY text: what is null, what is escaped. Our own: nothing is faster and little is simpler."""

from collections.abc import Sequence
from typing import Any

NULL = "\\N"

#: What the text format of COPY wants escaped (PostgreSQL documentation, COPY, "Text Format").
ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def format_line(row: Sequence[Any]) -> str:
    """Return one row as a line of COPY text.

    Values are str, None, or anything whose `str()` PostgreSQL reads for the column; a list is a text array.
    """
    return format_row(row) + "\n"


def format_row(row: Sequence[Any]) -> str:
    """Return one row as a line of COPY text without its end."""
    values = [
        NULL
        if value is None
        else value
        if type(value) is str
        else format_array(value)
        if type(value) is list
        else str(value)
        for value in row
    ]
    text = "\t".join(values)
    # Most rows hold nothing to escape, and a look at the whole is cheaper than one at each value.
    ordinary = text.count("\\") == row.count(None) and text.count("\t") == len(values) - 1
    if ordinary and "\n" not in text and "\r" not in text:
        return text
    return "\t".join(escape_value(value, text) for value, text in zip(row, values, strict=True))


def escape_value(value: object, text: str) -> str:
    """Return a value's text with what the format wants escaped."""
    return NULL if value is None else text.translate(ESCAPES)


def format_value(value: Any) -> str:
    """Return one value as it stands in a line."""
    if value.__class__ is str:
        return value if value.isprintable() and "\\" not in value else value.translate(ESCAPES)
    if value is None:
        return NULL
    return format_array(value).translate(ESCAPES) if value.__class__ is list else str(value).translate(ESCAPES)


def format_array(values: Sequence[Any]) -> str:
    """Return a list of texts as an array literal (PostgreSQL documentation, "Array Input and Output Syntax")."""
    if not values:
        return "{}"
    text = '","'.join(map(str, values))
    if "\\" not in text and text.count('"') == 2 * (len(values) - 1):
        return '{"' + text + '"}'
    quoted = ('"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"' for value in values)
    return "{" + ",".join(quoted) + "}"
