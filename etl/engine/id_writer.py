"""Writes which ids the pages of a list hold, and nothing else: a dry run compares them with what is staged."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from etl.engine.page_writer import PageGroup, PageWriter, WriteResult
from etl.engine.parse import ParsedPage


class IdWriter(PageWriter):
    """Writes the requests of page groups with the ids of their items."""

    def skip_unchanged(self, group: PageGroup) -> tuple[WriteResult, PageGroup | None]:
        """Return the whole group: every page is written."""
        return WriteResult(group.resource, 0, 0), group

    def describe_requests(self, parsed: Sequence[ParsedPage], counts: Counter[str]) -> list[dict[str, Any]]:
        """Return what is stored of the requests of pages. Without contents they never answer for a later page."""
        return [facts | {"contents": None} for facts in super().describe_requests(parsed, counts)]

    def count_unstaged(self, *_: object) -> None:
        """Count nothing: a dry run stages no record, so none is left out."""
