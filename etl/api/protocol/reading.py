"""Reads id and times of a record without decoding all of it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple, Protocol

import msgspec

from etl.api.protocol.jsonb import suspicions
from etl.catalogue import Resource
from etl.record import decode

#: Prefix of the path of a field in the item around nested records.
FROM_PARENT = "_parent."
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
    decoder: msgspec.json.Decoder[Any]
    distinct: bool  #: whether no field has two of these roles
    signs: tuple[bytes, ...]  #: patterns of secrets
    others: tuple[tuple[str, bytes], ...]  #: the fields other than the id

    def has_declared_case(self, item: bytes) -> bool:
        """Return whether the fields have exactly the declared case; the API is not consistent."""
        keys = decode(item).keys() if item[:1] == b"{" else ()
        return self.distinct and not self._in_other_case(keys)

    def _in_other_case(self, keys: Iterable[str]) -> bool:
        """Return whether a field exists only in another case."""
        exact = set(keys)
        folded = {key.casefold() for key in exact}
        return any(name not in exact and name.casefold() in folded for name in self.names.values())

    def may_miss_field(self, glance: KeyFields, item: bytes) -> bool:
        """Return whether an absent field may exist in another case: its declared name is not in the record."""
        return any(getattr(glance, role) is None and name not in item for role, name in self.others)

    def decode_key_fields(self, item: bytes) -> DecodedKeyFields:
        """Return the key fields, from the completely decoded record and in any case."""
        record: Mapping[str, Any] = decode(item)
        folded = {key.casefold(): value for key, value in record.items()}
        return DecodedKeyFields(*(_at(record, folded, self.names.get(role)) for role in DecodedKeyFields._fields))


def _at(record: Mapping[str, Any], folded: Mapping[str, Any], name: str | None) -> Any:
    """Return the value of a field, preferably in the declared case."""
    return None if name is None else record.get(name, folded.get(name.casefold()))


@lru_cache(maxsize=128)
def reader_of(resource: Resource) -> RecordReader:
    """Return the reader of a resource's records."""
    declared = {
        "id": None if callable(resource.id) else resource.id,
        "modified": resource.modified,
        "created": resource.created,
    }
    names = {role: name for role, name in declared.items() if name and not name.startswith(FROM_PARENT)}
    distinct = len(set(names.values())) == len(names)
    struct = msgspec.defstruct(
        "Glance",
        [("id", int | str | None, None), *((role, str | None, None) for role in ("modified", "created"))],
        rename={role: names.get(role, _NOWHERE + role) if distinct else _NOWHERE + role for role in declared},
        gc=False,
    )
    return RecordReader(
        names,
        msgspec.json.Decoder(struct),
        distinct,
        suspicions(resource.secrets),
        tuple((role, name.encode()) for role, name in names.items() if role != "id"),
    )
