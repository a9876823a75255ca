"""Reads id and times of a record without decoding all of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple, Protocol

import msgspec

from etl.api.protocol.jsonb import suspicions
from etl.catalogue.resource import Resource
from etl.errors import InvalidRecord
from etl.read_paths import PARENT_PREFIX
from etl.record import decode
from etl.spelling import Spelling, find_key, spelling_of

#: The key fields of a record.
ROLES = ("id", "modified", "created")
#: A name that no field has.
_NOWHERE = "(none) "


class KeyFields(Protocol):
    """The id and times of a record, in the declared fields; None for absent ones."""

    @property
    def id(self) -> Any:
        """The source id."""

    @property
    def modified(self) -> Any:
        """When the record was last modified."""

    @property
    def created(self) -> Any:
        """When the record was created."""


class DecodedKeyFields(NamedTuple):
    """The key fields of a record that was decoded completely."""

    id: Any
    modified: Any
    created: Any


@dataclass(frozen=True, slots=True)
class RecordReader:
    """How the records of one resource are read."""

    names: Mapping[str, str]  #: the fields of id, modified and created
    spelling: Spelling
    distinct: bool  #: whether no field has two of these roles
    signs: tuple[bytes, ...]  #: patterns of secrets

    def decode_key_fields(self, item: bytes) -> DecodedKeyFields:
        """Return the key fields, from the completely decoded record and in any case."""
        record = self.spelling.decode(item)
        return DecodedKeyFields(*(record.get(self.names[role]) if role in self.names else None for role in ROLES))


class PageReader:
    """Reads the key fields of the records of a page, with a decoder for the spelling that the page has.

    The spelling of each field is learned from the first record, and again from every record that the decoder cannot
    read. A decoder reads what a complete decoding finds.
    """

    def __init__(self, reader: RecordReader) -> None:
        self.reader = reader
        self.spelled = dict(reader.names)
        self.is_new = True
        self.prepare()

    def prepare(self) -> None:
        """Make what reads the fields as they are spelled."""
        names = self.reader.names
        self.decoder = key_decoder(tuple(self.spelled.get(role, _NOWHERE + role) for role in ROLES))
        self.others = tuple((role, key.encode()) for role, key in self.spelled.items() if role != "id")
        self.odd = tuple(f'"{key}"'.lower().encode() for role, key in self.spelled.items() if key != names[role])

    def read(self, item: bytes) -> KeyFields:
        """Return the key fields of a record; raise InvalidRecord if it is not an object."""
        if item[:1] != b"{":
            raise InvalidRecord("is not an object")
        if self.is_new:
            self.learn(item)
            self.is_new = False
        key_fields = self.read_fast(item)
        if key_fields is not None:
            return key_fields
        self.learn(item)
        return self.reader.decode_key_fields(item)

    def learn(self, item: bytes) -> None:
        """Learn how a record spells the fields that it has."""
        keys = decode(item).keys()
        spelled = {role: find_key(keys, name) or self.spelled[role] for role, name in self.reader.names.items()}
        if spelled != self.spelled:
            self.spelled = spelled
            self.prepare()

    def read_fast(self, item: bytes) -> KeyFields | None:
        """Return the key fields without a complete decoding, None if the record may spell one in another way."""
        if not self.reader.distinct:
            return None
        try:
            fields: KeyFields = self.decoder.decode(item)
        except msgspec.ValidationError:
            return None
        if fields.id is None and "id" in self.spelled:
            return None
        if any(getattr(fields, role) is None and key not in item for role, key in self.others):
            return None
        return None if self.odd and self.has_second_spelling(item) else fields

    def has_second_spelling(self, item: bytes) -> bool:
        """Return whether a record may have a field in the spelling of the page and in another one."""
        folded = item.lower()
        return b"\\u" in folded or any(folded.count(key) > 1 for key in self.odd)


@lru_cache(maxsize=512)
def key_decoder(keys: tuple[str, ...]) -> msgspec.json.Decoder[Any]:
    """Return the decoder that reads only the key fields, each by its key, in the order of the roles."""
    kinds = (int | str | None, *(str | None for _ in ROLES[1:]))
    struct = msgspec.defstruct(
        "Glance",
        [(role, kind, None) for role, kind in zip(ROLES, kinds, strict=True)],
        rename=dict(zip(ROLES, keys, strict=True)),
        gc=False,
    )
    return msgspec.json.Decoder(struct)


@lru_cache(maxsize=128)
def reader_of(resource: Resource) -> RecordReader:
    """Return the reader of a resource's records."""
    declared = {
        "id": None if callable(resource.id) else resource.id,
        "modified": resource.changes.modified,
        "created": resource.changes.created,
    }
    names = {role: name for role, name in declared.items() if name and not name.startswith(PARENT_PREFIX)}
    return RecordReader(
        names,
        spelling_of(resource),
        len(set(names.values())) == len(names),
        suspicions(resource.staging.secrets),
    )
