"""From a fetched answer to records, sets and the facts of its request."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec

from etl.api.protocol import Records, records
from etl.catalogue import Resource
from etl.engine.answers import Fetched


@dataclass(frozen=True, slots=True)
class Parsed:
    """One answer, read: its records and the facts that the ledger keeps of the request."""

    fetched: Fetched
    records: Records


def parse(resource: Resource, fetched: Fetched, zone: str) -> Parsed:
    """Return the records of an answer; `zone` is the one of times that name none."""
    found = records(
        resource,
        resource.endpoints[fetched.call.endpoint],
        fetched.answer.page,
        requested_at=fetched.answer.requested_at,
        zone=zone,
        parent=fetched.child,
    )
    return Parsed(fetched, found)


def request_facts(batch_id: UUID, parsed: Parsed) -> dict[str, Any]:
    """Return what `etl.requests` keeps of a request and of the records that it brought."""
    records = {"records": len(parsed.records.records), "ids": [*parsed.records.item_ids, *unnamed(parsed)]}
    return facts_of_call(batch_id, parsed.fetched) | records


def facts_of_call(batch_id: UUID, fetched: Fetched) -> dict[str, Any]:
    """Return what is kept of a request besides its records; credentials travel in headers and are not among it."""
    answer, place = fetched.answer, fetched.slice
    return {
        "batch_id": batch_id,
        "resource": fetched.call.resource,
        "slice": place and place.number,
        "reading": place and place.reading,
        "page": fetched.call.page or 1,
        "path": fetched.call.path,
        "parameters": parameters(fetched),
        "status": answer.status,
        "attempts": answer.attempts,
        "milliseconds": answer.milliseconds,
        "bytes": fetched.size,
        "items": len(answer.page.items),
        "total": answer.page.total,
        "digest": fetched.digest,
        "requested_at": answer.requested_at,
    }


def unnamed(parsed: Parsed) -> list[str]:
    """Return a name for each item that showed no id, since the envelope's total counts it too."""
    page = parsed.fetched.call.page or 1
    missing = len(parsed.fetched.answer.page.items) - len(parsed.records.item_ids)
    return [f"page {page}, unnamed {number}" for number in range(missing)]


def parameters(fetched: Fetched) -> Mapping[str, Any]:
    """Return the parameters of a call as the API names them, wherever they travelled."""
    if fetched.call.body is not None:
        named: dict[str, Any] = msgspec.json.decode(fetched.call.body)
        return named
    return dict(fetched.call.query)
