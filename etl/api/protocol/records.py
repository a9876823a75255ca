"""Makes records for staging from the items of a page: id, version and hash, without secrets."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import blake2b
from typing import Any, Protocol
from uuid import UUID

import msgspec

from etl.api.protocol.jsonb import are_slender, clean_json_reference, is_plain, is_slender
from etl.api.protocol.numbering import numbered, with_members
from etl.api.protocol.pages import Page
from etl.api.protocol.reading import KeyFields, PageReader, RecordReader, reader_of
from etl.catalogue.resource import Endpoint, Envelope, Nested, Resource
from etl.errors import InvalidRecord
from etl.read_paths import PARENT_PREFIX
from etl.record import ReadSet, Record
from etl.resources import find_resource
from etl.spelling import find_key, read_field, spelling_of
from etl.values import Timestamp, Violation, source_id

#: Pages up to this size, in bytes, are checked for secrets and odd numbers in one piece.
_AT_ONCE = 16_000_000

#: Integers below this are ids without further checks.
_SURELY_AN_ID = 10**18

_encode = msgspec.json.Encoder(decimal_format="number").encode
_object = msgspec.json.Decoder(dict[str, msgspec.Raw])
_list = msgspec.json.Decoder(list[msgspec.Raw] | None)


class ParentFacts(Protocol):
    """The parent whose details were requested."""

    @property
    def parent_id(self) -> str:
        """The parent's source id."""

    @property
    def parent_raw_id(self) -> UUID:
        """The parent's raw row."""

    @property
    def carried(self) -> bytes:
        """The fields of the parent that its details need: a JSON object."""


@dataclass(frozen=True, slots=True)
class BadRecord:
    """An item that cannot be stored, and the reason, which quotes none of its content."""

    position: int  #: in the page, from 0
    reason: str


@dataclass(slots=True)
class Records:
    """The records made from the items of a page."""

    records: list[Record] = field(default_factory=list)
    bad: list[BadRecord] = field(default_factory=list)
    #: The ids of the items that the envelope's total counts, in the order received.
    item_ids: list[str] = field(default_factory=list)
    sets: list[ReadSet] = field(default_factory=list)  #: the sets that were read completely, including empty ones
    duplicate_keys: int = 0  #: records with a duplicate key; the last one counts


@dataclass(frozen=True, slots=True)
class _Context:
    """The values that the records of one page share."""

    resource: Resource
    reader: RecordReader
    clock: Timestamp
    requested_at: datetime
    suffix: bytes = b""  #: text added to each record
    set_key: str | None = None
    parent_raw_id: UUID | None = None
    modified: Any = None  #: the value in the item around the records
    only_id: str | None = None  #: where a call asks for one record: its id


def make_records(
    resource: Resource,
    endpoint: Endpoint,
    page: Page,
    *,
    requested_at: datetime,
    zone: str = "UTC",
    parent: ParentFacts | None = None,
) -> Records:
    """Return the records of a page with the sets that it completes, and the bad items.

    `requested_at` is the time of the request by the API's clock; no version is later. `zone` applies to times without
    one. An item that cannot be stored does not affect the others.
    """
    context = _Context(resource, reader_of(resource), Timestamp(zone), requested_at, _implied(endpoint))
    result = Records()
    items = list(_clean(context.reader, resource.staging.secrets, page, result))
    if endpoint.nested is not None:
        _take_nested(context, endpoint.nested, items, result)
        return result
    if resource.parent is None or parent is None:
        _take(context, items, result)
        return result
    carried = parent.carried if resource.parent.parent_fields else b""
    context = _of_parent(context, resource.parent.resource, parent.parent_id, carried, parent.parent_raw_id)
    if endpoint.envelope is Envelope.OBJECT:
        context = replace(context, only_id=parent.parent_id)
    if not page.items and resource.parent.fallback:  # at most of a parent of which the API never said anything
        parent_record = spelling_of(find_resource(resource.parent.resource)).decode(carried)
        items = [(position, _encode(record)) for position, record in enumerate(resource.parent.fallback(parent_record))]
    if endpoint.numbered_by is not None:
        items = list(numbered(items, context.reader.spelling, endpoint.numbered_by))
    _take(context, items, result)
    if context.set_key is not None and not result.bad and not page.says_nothing:
        result.sets.append(ReadSet(context.set_key, frozenset(record.source_id for record in result.records)))
    return result


def _implied(endpoint: Endpoint) -> bytes:
    """Return the values that the call implies, to be added at the end of each record."""
    return b',"_call":' + _encode(dict(endpoint.implies)) if endpoint.implies else b""


def _of_parent(context: _Context, name: str, parent_id: str, carried: bytes, raw_id: UUID | None) -> _Context:
    """Return the context of the records that belong to one parent."""
    return _Context(
        context.resource,
        context.reader,
        context.clock,
        context.requested_at,
        (b',"_parent":' + carried if carried else b"") + context.suffix,
        f"{name}:{parent_id}",
        raw_id,
        context.modified,
    )


def _clean(reader: RecordReader, secrets: tuple[str, ...], page: Page, result: Records) -> Iterator[tuple[int, bytes]]:
    """Yield the items that the database can store, with their positions, without secrets."""
    at_once = page.whole and sum(map(len, page.items)) <= _AT_ONCE
    together = b"\n".join(page.items) if at_once else b""
    plain = at_once and is_plain(together, reader.signs)
    slender = at_once and are_slender(page.items, together)
    for position, item in enumerate(page.items):
        if (slender or is_slender(item)) and (plain or (page.whole and is_plain(item, reader.signs))):
            yield position, item
            continue
        try:
            text, twice = clean_json_reference(item, secrets)
        except InvalidRecord as error:
            result.bad.append(BadRecord(position, str(error)))
        else:
            result.duplicate_keys += twice
            yield position, text


def _take(context: _Context, items: Iterable[tuple[int, bytes]], result: Records) -> None:
    """Make a record from each item."""
    page_reader = PageReader(context.reader)
    for position, item in items:
        try:
            key_fields = page_reader.read(item)
            text = with_members(item, context.suffix) if context.suffix else item
            name = _identity(context, key_fields, text)
            if context.only_id is not None:
                _check_requested(name, context.only_id)
        except InvalidRecord as error:
            result.bad.append(BadRecord(position, str(error)))
            continue
        result.item_ids.append(name)
        result.records.append(_record(context, name, text, key_fields))


def _identity(context: _Context, key_fields: KeyFields, text: bytes) -> str:
    """Return the record's canonical source id; raise InvalidRecord if it has none."""
    raw, resource = key_fields.id, context.resource
    if type(raw) is int and 0 < raw < _SURELY_AN_ID:
        return str(raw)
    if callable(resource.id):
        try:
            raw = resource.id(context.reader.spelling.decode(text))
        except (ValueError, TypeError, ArithmeticError, LookupError, AttributeError):
            raise InvalidRecord("has an unexpected shape in the fields of its id") from None
    name = source_id(raw)
    if name is None:
        raise InvalidRecord("has no id")
    if isinstance(name, Violation):
        raise InvalidRecord(f"has an id that {name.message}")
    return name


def _check_requested(name: str, requested: str) -> None:
    """Raise InvalidRecord for a record whose id is not the requested one."""
    if name != requested:
        raise InvalidRecord("is about another record than the one that was requested")


def _record(context: _Context, name: str, text: bytes, key_fields: KeyFields) -> Record:
    """Return the record with its version: its time at the source, never later than the request that read it."""
    changed = context.clock.clean(context.modified if key_fields.modified is None else key_fields.modified)
    modified = changed if isinstance(changed, datetime) else None
    created = _moment(context.clock, key_fields.created)
    # Without a declared or readable modification time nothing in a record distinguishes its versions, so the time of
    # the request dates it. A record that never changed has none, which is not a fault.
    dated = context.resource.changes.modified and not isinstance(changed, Violation)
    version = (modified or created) if dated else None
    requested_at = context.requested_at
    return Record(
        name,
        text,
        blake2b(text, digest_size=16).digest(),
        version if version is not None and version < requested_at else requested_at,
        version is None,
        modified,
        created,
        context.set_key,
        context.parent_raw_id,
    )


def _moment(clock: Timestamp, raw: Any) -> datetime | None:
    """Return a point in time, None if it cannot be read."""
    moment = clock.clean(raw)
    return moment if isinstance(moment, datetime) else None


def _take_nested(context: _Context, nested: Nested, items: Iterable[tuple[int, bytes]], result: Records) -> None:
    """Make a record from each member of the items' lists; the list of an item is its parent's complete set."""
    sets: dict[str, ReadSet] = {}
    for position, item in items:
        try:
            item_id, members, around = _opened(nested, item)
        except InvalidRecord as error:
            result.bad.append(BadRecord(position, str(error)))
            continue
        result.item_ids.append(item_id)
        inner = _inside(context, nested, item_id, around)
        taken = Records()
        _take(inner, [(position, member) for member in members or ()], taken)
        result.records += taken.records
        result.bad += taken.bad
        # If a set cannot be read completely, what is missing is unknown; an item without a list says nothing about it.
        if members is not None and not taken.bad:
            _note_set(sets, ReadSet(f"{nested.parent}:{item_id}", frozenset(taken.item_ids), _version(inner)))
    result.sets += sets.values()


def _note_set(sets: dict[str, ReadSet], read: ReadSet) -> None:
    """Keep the newest set that a page has of one parent."""
    other = sets.get(read.key)
    if other is None or other.version_at is None or read.version_at is None or other.version_at <= read.version_at:
        sets[read.key] = read


def _version(context: _Context) -> datetime:
    """Return the version of an item's list: when the item changed, never later than the request that read it."""
    modified = _moment(context.clock, context.modified)
    return min(modified, context.requested_at) if modified is not None else context.requested_at


def _inside(context: _Context, nested: Nested, item_id: str, around: bytes) -> _Context:
    """Return the context of the records that one item lists."""
    inner = _of_parent(context, nested.parent, item_id, around, None)
    path = context.resource.changes.modified or ""
    if not path.startswith(PARENT_PREFIX):
        return inner
    modified = read_field(_object.decode(around), path.removeprefix(PARENT_PREFIX))
    return _Context(
        inner.resource, inner.reader, inner.clock, inner.requested_at, inner.suffix, inner.set_key, None, modified
    )


def _opened(nested: Nested, item: bytes) -> tuple[str, list[bytes] | None, bytes]:
    """Return the parent's id, the texts of the records in an item's list (None without one), and the text around it."""
    try:
        around = _object.decode(item)
        key = find_key(around, nested.list)
        members = _list.decode(around.pop(key)) if key is not None else None
    except msgspec.DecodeError:
        raise InvalidRecord(f"is not an object with a list `{nested.list}`") from None
    parts = [_identity_of(read_field(around, name)) for name in (nested.parent_id, *nested.key)]
    texts = None if members is None else [bytes(member) for member in members]
    return ":".join(parts), texts, msgspec.json.encode(around)


def _identity_of(raw: Any) -> str:
    """Return a canonical source id; raise InvalidRecord for an invalid one."""
    name = source_id(raw)
    if not isinstance(name, str):
        raise InvalidRecord("does not say whose records it lists")
    return name
