"""Parses a fetched page into records, sets and the row of its request."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec

from etl.api.protocol import Records, make_records
from etl.catalogue.resource import Resource
from etl.engine.answers import FetchedPage


@dataclass(frozen=True, slots=True)
class ParsedPage:
    """A parsed answer and its records."""

    fetched: FetchedPage
    records: Records


def parse_page(resource: Resource, fetched: FetchedPage, zone: str) -> ParsedPage:
    """Return the records of an answer; `zone` is the time zone of times without one."""
    page_records = make_records(
        resource,
        resource.endpoints[fetched.call.endpoint],
        fetched.answer.page,
        requested_at=fetched.answer.requested_at,
        zone=zone,
        parent=fetched.child,
    )
    return ParsedPage(fetched, page_records)


def request_facts(batch_id: UUID, parsed: ParsedPage) -> dict[str, Any]:
    """Return the row of `etl.requests` for a request, with the ids of its records."""
    records = {"records": len(parsed.records.records), "ids": [*parsed.records.item_ids, *ids_of_unnamed_items(parsed)]}
    return call_facts(batch_id, parsed.fetched) | records


def call_facts(batch_id: UUID, fetched: FetchedPage) -> dict[str, Any]:
    """Return the row of `etl.requests` for a call without its records; no credentials, as these travel in headers."""
    answer, page_slice = fetched.answer, fetched.slice
    return {
        "batch_id": batch_id,
        "resource": fetched.call.resource,
        "slice": page_slice and page_slice.number,
        "reading": page_slice and page_slice.reading,
        "page": fetched.call.page or 1,
        "path": fetched.call.path,
        "parameters": call_parameters(fetched),
        "status": answer.status,
        "attempts": answer.attempts,
        "milliseconds": answer.milliseconds,
        "bytes": fetched.size,
        "items": len(answer.page.items),
        "total": answer.page.total,
        "no_answer": answer.page.says_nothing,
        "digest": fetched.digest,
        "requested_at": answer.requested_at,
    }


def ids_of_unnamed_items(parsed: ParsedPage) -> list[str]:
    """Return a placeholder id for each item without an id, since the envelope's total counts it too."""
    page = parsed.fetched.call.page or 1
    missing = len(parsed.fetched.answer.page.items) - len(parsed.records.item_ids)
    return [f"page {page}, unnamed {number}" for number in range(missing)]


def call_parameters(fetched: FetchedPage) -> Mapping[str, Any]:
    """Return the parameters of a call as the API names them, from its query or its body."""
    if fetched.call.body is not None:
        body: dict[str, Any] = msgspec.json.decode(fetched.call.body)
        return body
    return dict(fetched.call.query)
