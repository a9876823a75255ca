"""From a fetched answer to records, sets and the facts of its request."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec

from etl.catalogue import Resource
from etl.extract.protocol import Records, records
from etl.extract.reading import Fetched


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
    """Return what `etl.requests` keeps of a request; credentials travel in headers and are not among it."""
    fetched, answer = parsed.fetched, parsed.fetched.answer
    place = fetched.slice
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
        "bytes": len(answer.body),
        "items": len(answer.page.items),
        "records": len(parsed.records.records),
        "total": answer.page.total,
        "digest": hashlib.blake2b(answer.body, digest_size=16).digest(),
        "ids": parsed.records.item_ids,
        "requested_at": answer.requested_at,
    }


def parameters(fetched: Fetched) -> Mapping[str, Any]:
    """Return the parameters of a call as the API names them, wherever they travelled."""
    if fetched.call.body is not None:
        named: dict[str, Any] = msgspec.json.decode(fetched.call.body)
        return named
    return dict(fetched.call.query)
