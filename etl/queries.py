"""Named SQL queries: the constant statements of a module, in the `.sql` file beside it.

A line `-- name: open_batches` begins a query, comments below it say what it returns, and the rest is the statement.
The format is that of the libraries aiosql and yesql; docs/decisions/0017-named-queries-by-hand.md says why we read it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from sqlalchemy import TextClause, text

_NAME = re.compile(r"^-- name: (\w+)$", re.MULTILINE)
_COMMENT = re.compile(r"^\s*--.*\n", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Queries:
    """The queries of a module by name, read when the first is used: `SQL = Queries(__file__)`."""

    module: str  #: the path of the module's file

    def __getitem__(self, name: str) -> TextClause:
        """Return a query; its attribute `text` is the statement as it is written."""
        return read_queries(Path(self.module).with_suffix(".sql"))[name]


@cache
def read_queries(path: Path) -> Mapping[str, TextClause]:
    """Return the queries of a file by name."""
    _, *parts = _NAME.split(path.read_text(encoding="utf-8"))
    return {name: text(_COMMENT.sub("", query).strip()) for name, query in zip(parts[::2], parts[1::2], strict=True)}
