"""Where output goes: results to standard output, everything else to standard error, nothing taken for markup."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from etl.config.redaction import on_one_line


def out() -> Console:
    """Return the console for results."""
    return Console(markup=False, highlight=False, emoji=False)


def err() -> Console:
    """Return the console for progress and notices."""
    return Console(stderr=True, markup=False, highlight=False, emoji=False)


def say(words: str, style: str | None = None) -> None:
    """Write a notice to standard error, on one line however long."""
    err().print(words, style=style, soft_wrap=True)


def show(words: str = "", style: str | None = None) -> None:
    """Write a line of a result to standard output."""
    out().print(words, style=style, soft_wrap=True)


def show_json(value: Any) -> None:
    """Write a result for a program: one JSON document on standard output."""
    print(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, right: Sequence[str] = ()) -> Table:
    """Return a table that fits the screen; the columns named in `right` are numbers."""
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold", show_edge=False, collapse_padding=True)
    for place, name in enumerate(columns):
        is_number = name in right
        made.add_column(name, justify="right" if is_number else "left", overflow="fold", no_wrap=is_number or not place)
    for row in rows:
        made.add_row(*(one if isinstance(one, Text) else cell(str(one)) for one in row))
    return made


def cell(words: str) -> Text:
    """Return words for a cell, with nothing in them that moves the cursor but their own line breaks."""
    return Text("\n".join(on_one_line(line) for line in words.split("\n")))


def good(is_good: bool) -> Text:
    """Return a tick or a cross."""
    return Text("✓", style="green") if is_good else Text("✗", style="bold red")
