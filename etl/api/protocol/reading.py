"""How a record of one resource is looked into without decoding it: its id, its times and what kind it is."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple, Protocol

import msgspec

from etl.api.protocol.jsonb import suspicions
from etl.catalogue import Resource
from etl.record import decode

#: Begins the path of a field that the item around nested records holds.
FROM_PARENT = "_parent."
#: A name that no field has.
_NOWHERE = "(none) "


class Glance(Protocol):
    """What stands in a record where the resource says its id, its times and its kind are; None where nothing does."""

    @property
    def id(self) -> Any:
        """Its id at the source."""

    @property
    def modified(self) -> Any:
        """When it was last modified."""

    @property
    def created(self) -> Any:
        """When it was created."""

    @property
    def kind(self) -> Any:
        """What kind of record it is."""


class Seen(NamedTuple):
    """A glance that took a full decoding."""

    id: Any
    modified: Any
    created: Any
    kind: Any


@dataclass(frozen=True, slots=True)
class Reader:
    """How the records of one resource are read."""

    names: Mapping[str, str]  #: the fields that say id, modified, created and kind
    glance: msgspec.json.Decoder[Any]
    distinct: bool  #: whether no field says two of these at once
    signs: tuple[bytes, ...]  #: of secrets
    kinds: frozenset[str]  #: that become rows; empty: all
    others: tuple[tuple[str, bytes], ...]  #: the fields besides the id

    def suits(self, item: bytes) -> bool:
        """Tell whether the fields have just the case that is declared; the API is not consistent in it."""
        keys = decode(item).keys() if item[:1] == b"{" else ()
        return self.distinct and not self._in_other_case(keys)

    def _in_other_case(self, keys: Iterable[str]) -> bool:
        """Tell whether a field is there in another case only."""
        have = set(keys)
        folded = {key.casefold() for key in have}
        return any(name not in have and name.casefold() in folded for name in self.names.values())

    def may_overlook(self, glance: Glance, item: bytes) -> bool:
        """Tell whether a field that was not seen may be there in another case: its name is nowhere in the record."""
        return any(getattr(glance, role) is None and name not in item for role, name in self.others)

    def look(self, item: bytes) -> Seen:
        """Return what stands in the record, decoding all of it and minding no case."""
        record: Mapping[str, Any] = decode(item)
        folded = {key.casefold(): value for key, value in record.items()}
        return Seen(*(_at(record, folded, self.names.get(role)) for role in Seen._fields))


def _at(record: Mapping[str, Any], folded: Mapping[str, Any], name: str | None) -> Any:
    """Return the value of a field, in the declared case if it can be."""
    return None if name is None else record.get(name, folded.get(name.casefold()))


@lru_cache(maxsize=128)
def reader_of(resource: Resource) -> Reader:
    """Return the reader of a resource's records."""
    named = {
        "id": None if callable(resource.id) else resource.id,
        "modified": resource.modified,
        "created": resource.created,
        "kind": resource.row_filter[0] if resource.row_filter else None,
    }
    names = {role: name for role, name in named.items() if name and not name.startswith(FROM_PARENT)}
    distinct = len(set(names.values())) == len(names)
    struct = msgspec.defstruct(
        "Glance",
        [("id", int | str | None, None), *((role, str | None, None) for role in ("modified", "created", "kind"))],
        rename={role: names.get(role, _NOWHERE + role) if distinct else _NOWHERE + role for role in named},
        gc=False,
    )
    return Reader(
        names,
        msgspec.json.Decoder(struct),
        distinct,
        suspicions(resource.secrets),
        frozenset(resource.row_filter[1] if resource.row_filter else ()),
        tuple((role, name.encode()) for role, name in names.items() if role != "id"),
    )
