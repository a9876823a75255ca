"""Writes which ids the pages of a list hold, and nothing else: a dry run compares them with what is staged."""

from collections.abc import Sequence

from sqlalchemy import Connection

from etl.engine.answers import FetchFailed
from etl.engine.page_writer import PageGroup, PageWriter, WriteResult
from etl.engine.parse import ParsedPage, request_facts
from etl.ledger import counters, slices


class IdWriter(PageWriter):
    """Writes the requests of page groups with the ids of their items."""

    def skip_unchanged(self, group: PageGroup) -> tuple[WriteResult, PageGroup | None]:
        """Return the whole group: every page is written."""
        return WriteResult(group.resource, 0, 0), group

    def commit_pages(
        self,
        connection: Connection,
        group: PageGroup,
        parsed: Sequence[ParsedPage],
        failures: Sequence[FetchFailed],  # noqa: ARG002 (only details have failures)
    ) -> None:
        """Write the requests of a page group. Without a hash of contents they never answer for a later page."""
        facts = [request_facts(self.batch_id, page) | {"contents": None} for page in parsed]
        slices.write_requests(connection, facts, slices.reserve_request_ids(connection, len(parsed)))
        counters.add_counts(connection, self.batch_id, group.resource, {"pages": len(parsed)})
