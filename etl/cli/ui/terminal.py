"""Output: results to standard output, notices to standard error, never interpreted as markup."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec
from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from etl.config.redaction import escape_control_characters


def stdout() -> Console:
    """Return the console for results."""
    return Console(markup=False, highlight=False, emoji=False)


def stderr() -> Console:
    """Return the console for progress and notices."""
    return Console(stderr=True, markup=False, highlight=False, emoji=False)


def print_notice(text: str, style: str | None = None) -> None:
    """Print a notice to standard error, without wrapping."""
    stderr().print(text, style=style, soft_wrap=True)


def print_line(text: str = "", style: str | None = None) -> None:
    """Print a line to standard output, without wrapping."""
    stdout().print(text, style=style, soft_wrap=True)


def print_wrapped(text: str, indent: int = 0, style: str = "") -> None:
    """Print a paragraph to standard output, wrapped at the width of the terminal; its own indent is kept."""
    own = len(text) - len(text.lstrip())
    stdout().print(Padding(Text(text.lstrip(), style=style), (0, 0, 0, indent + own), expand=False))


def print_json(value: Any) -> None:
    """Print one JSON document to standard output."""
    print(format_json(value))


def format_json(value: Any) -> str:
    """Return a value as a JSON document: dataclasses as objects, ids and enumerations as text, times in ISO format."""
    # msgspec writes UTC as Z; programs that read this output expect +00:00.
    plain = msgspec.to_builtins(value, builtin_types=(datetime,), str_keys=True)
    return json.dumps(plain, indent=2, ensure_ascii=False, default=datetime.isoformat)


def build_table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, numeric: Sequence[str] = ()) -> Table:
    """Return a table; the columns named in `numeric` are right-aligned."""
    result = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold", show_edge=False, collapse_padding=True)
    for index, name in enumerate(columns):
        is_number = name in numeric
        result.add_column(
            name, justify="right" if is_number else "left", overflow="fold", no_wrap=is_number or not index
        )
    for row in rows:
        result.add_row(*(value if isinstance(value, Text) else make_cell(str(value)) for value in row))
    return result


def make_cell(text: str) -> Text:
    """Return text for a cell, without control characters except line breaks."""
    return Text("\n".join(escape_control_characters(line) for line in text.split("\n")))


def check_mark(is_good: bool) -> Text:
    """Return a tick or a cross."""
    return Text("✓", style="green") if is_good else Text("✗", style="bold red")
