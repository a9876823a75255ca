"""Derives records from parts of other records, such as the fees of a policy. Pure."""

import hashlib
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from typing import Any
from uuid import UUID

import msgspec

from etl.catalogue.resource import Derivation, Resource
from etl.ledger.staging.classify import IncomingRecord
from etl.models.sources import is_blank, objects_in
from etl.record import ReadSet, Record, StagedRecord
from etl.resources import find_resource
from etl.spelling import spelling_of
from etl.values import Violation, source_id

encode = msgspec.json.Encoder(decimal_format="number").encode


def derive_records(
    child: Resource, derivation: Derivation, staged_records: Iterable[StagedRecord], new: AbstractSet[str] = frozenset()
) -> tuple[list[IncomingRecord], list[ReadSet]]:
    """Return the child records contained in these records, and the sets that are complete with them.

    A part keeps the times of the record that contains it. Parts without an id are left in their record. No set is
    returned for records in `new` (source ids), which cannot have lost a part, and for records that say nothing about
    their parts, or not about all: what cannot be read is not absent.
    """
    decode = spelling_of(find_resource(derivation.resource)).decode
    incoming: list[IncomingRecord] = []
    sets: list[ReadSet] = []
    for staged in staged_records:
        key = f"{derivation.resource}:{staged.record.source_id}" if derivation.owned else None
        decoded = staged.decoded(decode)
        parts = [derived_record(child, part, staged, key) for part in derivation.make(decoded)]
        records = [part for part in parts if part is not None]
        incoming += [IncomingRecord(record, None) for record in records]
        is_complete = tells_of_parts(derivation, decoded) and all(part is not None for part in parts)
        if key is not None and is_complete and staged.record.source_id not in new:
            sets.append(ReadSet(key, frozenset(record.source_id for record in records)))
    return incoming, sets


def tells_of_parts(derivation: Derivation, decoded: Mapping[str, Any]) -> bool:
    """Return whether a record says which parts it has: in a list whose every member can be read, or in its type."""
    if derivation.list is not None:
        members = decoded.get(derivation.list)
        return isinstance(members, list) and len(objects_in(members)) == len(members)
    return not derivation.types or not all(is_blank(decoded.get(name)) for name in derivation.types)


def derived_record(child: Resource, part: Mapping[str, Any], staged: StagedRecord, key: str | None) -> Record | None:
    """Return a part as a record of the child resource, None when it has no id.

    Its version is that of the whole record. It has a modification time only where it contains one, since a part does
    not change when something else in its record does.
    """
    own_id = source_id(child.id(part) if callable(child.id) else part.get(child.id))
    if own_id is None or isinstance(own_id, Violation):
        return None
    raw = encode(part)
    source_record = staged.record
    return Record(
        source_id=own_id,
        raw=raw,
        content_hash=hashlib.blake2b(raw, digest_size=16).digest(),
        version_at=source_record.version_at,
        undated=source_record.undated,
        modified_at=source_record.modified_at if child.changes.modified else None,
        created_at=source_record.created_at,
        set_key=key,
        parent_raw_id=UUID(staged.raw_id),
    )
