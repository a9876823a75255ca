"""Records made from the parts of other records: fees of a policy, the renewal that a detail tells of. Pure."""

import hashlib
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from typing import Any
from uuid import UUID

import msgspec

from etl.catalogue import Derivation, Resource
from etl.ledger.staging.classify import Arrival
from etl.record import Candidate, ReadSet, Record
from etl.values import Complaint, source_id

encode = msgspec.json.Encoder(decimal_format="number").encode


def derive(
    child: Resource, derivation: Derivation, candidates: Iterable[Candidate], new: AbstractSet[str] = frozenset()
) -> tuple[list[Arrival], list[ReadSet]]:
    """Return the child's records that these candidates hold, and the sets that are thereby complete.

    A part keeps the times of the record it came from. Parts without an id of their own are left in their record. Of
    candidates that are `new`, by their source ids, no set is told: it cannot have lost anything.
    """
    arrivals: list[Arrival] = []
    sets: list[ReadSet] = []
    for candidate in candidates:
        key = f"{derivation.resource}:{candidate.record.source_id}" if derivation.owned else None
        records = [
            record
            for part in derivation.make(candidate.decoded)
            if (record := part_record(child, part, candidate, key)) is not None
        ]
        arrivals += [Arrival(record, None) for record in records]
        if key is not None and candidate.record.source_id not in new:
            sets.append(ReadSet(key, frozenset(record.source_id for record in records)))
    return arrivals, sets


def part_record(child: Resource, part: Mapping[str, Any], candidate: Candidate, key: str | None) -> Record | None:
    """Return one part as a record of the child, None when it has no id.

    Its version is that of the whole record; a time of change it has only where it shows one, since a part stays as it
    is when something else of its record changes.
    """
    named = source_id(child.id(part) if callable(child.id) else part.get(child.id))
    if named is None or isinstance(named, Complaint):
        return None
    raw = encode(part)
    whole = candidate.record
    return Record(
        source_id=named,
        raw=raw,
        content_hash=hashlib.blake2b(raw, digest_size=16).digest(),
        version_at=whole.version_at,
        undated=whole.undated,
        modified_at=whole.modified_at if child.modified else None,
        created_at=whole.created_at,
        set_key=key,
        parent_raw_id=UUID(candidate.raw_id),
    )
