"""From the items of a page to records ready for staging: id, version, hash, secrets removed, nothing else decoded."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from typing import Any, Protocol
from uuid import UUID

import msgspec

from etl.api.protocol.jsonb import are_slender, careful, is_plain, is_slender
from etl.api.protocol.pages import Page
from etl.api.protocol.reading import FROM_PARENT, Glance, Reader, reader_of
from etl.catalogue import Endpoint, Nested, Resource
from etl.errors import InvalidRecord
from etl.record import ReadSet, Record, decode
from etl.values import Timestamp, Violation, source_id

#: Pages up to this size are looked at for secrets and odd numbers as a whole, in bytes.
_AT_ONCE = 16_000_000

#: Whole numbers up to this are written as they are, without asking further.
_SURELY_AN_ID = 10**18

_encode = msgspec.json.Encoder(decimal_format="number").encode
_object = msgspec.json.Decoder(dict[str, msgspec.Raw])
_list = msgspec.json.Decoder(list[msgspec.Raw] | None)


class ParentFacts(Protocol):
    """Whose details were asked for."""

    @property
    def parent_id(self) -> str:
        """Its source id."""

    @property
    def parent_raw_id(self) -> UUID:
        """Its raw row."""

    @property
    def carried(self) -> bytes:
        """What its details need to know of it: a JSON object."""


@dataclass(frozen=True, slots=True)
class BadRecord:
    """An item that cannot be kept, and why, in words that hold nothing of it."""

    position: int  #: in the page, from 0
    reason: str


@dataclass(slots=True)
class Records:
    """What the items of a page came to."""

    records: list[Record] = field(default_factory=list)
    bad: list[BadRecord] = field(default_factory=list)
    #: The ids of the items that the envelope's total counts, in the order received.
    item_ids: list[str] = field(default_factory=list)
    sets: list[ReadSet] = field(default_factory=list)  #: what was read completely, empty sets included
    others: int = 0  #: records of kinds that another resource keeps
    twice: int = 0  #: records seen to name a key twice; the last one counts


@dataclass(frozen=True, slots=True)
class _Context:
    """What the records of one page have in common."""

    resource: Resource
    reader: Reader
    clock: Timestamp
    requested_at: datetime
    suffix: bytes = b""  #: what is added to each record's text
    set_key: str | None = None
    parent_raw_id: UUID | None = None
    modified: Any = None  #: as the item around the records says


def records(
    resource: Resource,
    endpoint: Endpoint,
    page: Page,
    *,
    requested_at: datetime,
    zone: str = "UTC",
    parent: ParentFacts | None = None,
) -> Records:
    """Return the records of a page with the sets that it completes, and the items that are bad.

    `requested_at` is the time of the request by the API's clock; no version is later. `zone` is that of times which
    name none. An item that cannot be kept costs none of its neighbours.
    """
    context = _Context(resource, reader_of(resource), Timestamp(zone), requested_at, _implied(endpoint))
    found = Records()
    items = list(_clean(context.reader, resource.secrets, page, found))
    if resource.nested is not None:
        _take_nested(context, resource.nested, items, found)
        return found
    if resource.parent is None or parent is None:
        _take(context, items, found)
        return found
    carried = parent.carried if resource.parent.parent_fields else b""
    context = _of_parent(context, resource.parent.resource, parent.parent_id, carried, parent.parent_raw_id)
    if not page.items and resource.parent.fallback:
        items = [(position, _encode(one)) for position, one in enumerate(resource.parent.fallback(decode(carried)))]
    _take(context, items, found)
    if context.set_key is not None and not found.bad:
        found.sets.append(ReadSet(context.set_key, frozenset(record.source_id for record in found.records)))
    return found


def _implied(endpoint: Endpoint) -> bytes:
    """Return what the call implies, to stand at the end of each record."""
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


def _clean(reader: Reader, secrets: tuple[str, ...], page: Page, found: Records) -> Iterator[tuple[int, bytes]]:
    """Yield the items that the database can hold, with their positions, free of secrets."""
    at_once = page.whole and sum(map(len, page.items)) <= _AT_ONCE
    together = b"\n".join(page.items) if at_once else b""
    plain = at_once and is_plain(together, reader.signs)
    slender = at_once and are_slender(page.items, together)
    for position, item in enumerate(page.items):
        if (slender or is_slender(item)) and (plain or (page.whole and is_plain(item, reader.signs))):
            yield position, item
            continue
        try:
            text, twice = careful(item, secrets)
        except InvalidRecord as error:
            found.bad.append(BadRecord(position, str(error)))
        else:
            found.twice += twice
            yield position, text


def _take(context: _Context, items: Iterable[tuple[int, bytes]], found: Records) -> None:
    """Make a record of each item."""
    reader, kinds = context.reader, context.reader.kinds
    stages_others = context.resource.stages_filtered_out
    fast: bool | None = None
    for position, item in items:
        try:
            if fast is None:
                fast = reader.suits(item)
            glance = _glance(reader, item, fast=fast)
            text = _with_suffix(item, context.suffix) if context.suffix else item
            name = _identity(context.resource, glance, text)
        except InvalidRecord as error:
            found.bad.append(BadRecord(position, str(error)))
            continue
        found.item_ids.append(name)
        if stages_others or (isinstance(glance.kind, str) and glance.kind in kinds):
            found.records.append(_record(context, name, text, glance))
        else:
            found.others += 1


def _glance(reader: Reader, item: bytes, *, fast: bool) -> Glance:
    """Return what the record says of itself."""
    if fast:
        try:
            glance: Glance = reader.glance.decode(item)
        except msgspec.ValidationError:
            pass
        else:
            if (glance.id is not None or "id" not in reader.names) and not reader.may_overlook(glance, item):
                return glance
    if item[:1] != b"{":
        raise InvalidRecord("is no object")
    return reader.look(item)


def _identity(resource: Resource, glance: Glance, text: bytes) -> str:
    """Return the record's canonical source id; raise InvalidRecord when it has none."""
    raw = glance.id
    if type(raw) is int and 0 < raw < _SURELY_AN_ID:
        return str(raw)
    if callable(resource.id):
        try:
            raw = resource.id(decode(text))
        except (ValueError, TypeError, ArithmeticError, LookupError, AttributeError):
            raise InvalidRecord("has parts of another shape than its id is made of") from None
    name = source_id(raw)
    if name is None:
        raise InvalidRecord("has no id")
    if isinstance(name, Violation):
        raise InvalidRecord(f"has an id that {name.message}")
    return name


def _record(context: _Context, name: str, text: bytes, glance: Glance) -> Record:
    """Return the record with its version: the time at its source, never later than the request that read it."""
    changed = context.clock.clean(context.modified if glance.modified is None else glance.modified)
    modified = changed if isinstance(changed, datetime) else None
    created = _moment(context.clock, glance.created)
    # Without a declared time of change, or with one that cannot be read, nothing in a record tells its versions apart:
    # the reading itself dates it. One that was made and never changed has none, which is no fault.
    dated = context.resource.modified and not isinstance(changed, Violation)
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
    """Return a point in time, None when there is none that can be read."""
    moment = clock.clean(raw)
    return moment if isinstance(moment, datetime) else None


def _with_suffix(text: bytes, suffix: bytes) -> bytes:
    """Return an object's text with further members at its end."""
    begun = text[:-1].rstrip()
    return begun + (suffix[1:] if begun == b"{" else suffix) + b"}"


def _take_nested(context: _Context, nested: Nested, items: Iterable[tuple[int, bytes]], found: Records) -> None:
    """Make a record of each member of the items' lists; what an item lists is its parent's complete set."""
    sets: dict[str, ReadSet] = {}
    for position, item in items:
        try:
            parent_id, members, around = _opened(nested, item)
        except InvalidRecord as error:
            found.bad.append(BadRecord(position, str(error)))
            continue
        found.item_ids.append(parent_id)
        inner = _inside(context, nested, parent_id, around)
        taken = Records()
        _take(inner, [(position, member) for member in members], taken)
        found.records += taken.records
        found.others += taken.others
        found.bad += taken.bad
        if not taken.bad:  # of a set that cannot be read whole, nobody knows what is missing
            _note_set(sets, ReadSet(f"{nested.parent}:{parent_id}", frozenset(taken.item_ids), _version(inner)))
    found.sets += sets.values()


def _note_set(sets: dict[str, ReadSet], read: ReadSet) -> None:
    """Keep the newest of the sets that a page lists of one parent."""
    known = sets.get(read.key)
    if known is None or known.version_at is None or read.version_at is None or known.version_at <= read.version_at:
        sets[read.key] = read


def _version(context: _Context) -> datetime:
    """Return the version of what an item lists: when the item changed, never later than the request that read it."""
    modified = _moment(context.clock, context.modified)
    return min(modified, context.requested_at) if modified is not None else context.requested_at


def _inside(context: _Context, nested: Nested, parent_id: str, around: bytes) -> _Context:
    """Return the context of the records that one item lists."""
    inner = _of_parent(context, nested.parent, parent_id, around, None)
    path = context.resource.modified or ""
    if not path.startswith(FROM_PARENT):
        return inner
    modified = _value(_object.decode(around), path.removeprefix(FROM_PARENT))
    return _Context(
        inner.resource, inner.reader, inner.clock, inner.requested_at, inner.suffix, inner.set_key, None, modified
    )


def _opened(nested: Nested, item: bytes) -> tuple[str, list[bytes], bytes]:
    """Return the parent's id, the texts of the records that an item lists, and the text of what stands around them."""
    try:
        around = _object.decode(item)
        key = _key(around, nested.list)
        members = _list.decode(around.pop(key)) if key is not None else None
    except msgspec.DecodeError:
        raise InvalidRecord(f"is no object with a list `{nested.list}`") from None
    parent_id = _identity_of(_value(around, nested.parent_id))
    return parent_id, [bytes(member) for member in members or ()], msgspec.json.encode(around)


def _identity_of(raw: Any) -> str:
    """Return a canonical source id; raise InvalidRecord when it is none."""
    name = source_id(raw)
    if not isinstance(name, str):
        raise InvalidRecord("does not say whose records it lists")
    return name


def _key(around: dict[str, msgspec.Raw], name: str) -> str | None:
    """Return the key as it stands in an object, in the declared case if it can be."""
    return name if name in around else next((key for key in around if key.casefold() == name.casefold()), None)


def _value(around: dict[str, msgspec.Raw], name: str) -> Any:
    """Return a decoded field of an object, None when it has none."""
    key = _key(around, name)
    return None if key is None else msgspec.json.decode(around[key])
