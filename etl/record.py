"""Records: one JSON object of the API with its id and times, still as text."""

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec

from etl.copy_text import NULL

_decoder = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal)


def decode(raw: bytes) -> dict[str, Any]:
    """Decode a record's JSON text. A number with a fraction becomes an exact Decimal."""
    return _decoder.decode(raw)


class Record(msgspec.Struct, frozen=True, gc=False):
    """A record as it arrived.

    `version_at` orders the versions of a record: it is the time of change at the source, or the time of the request
    if the record has no such time. In the second case `undated` is true.
    """

    source_id: str
    raw: bytes  #: JSON text without secrets, safe for jsonb
    content_hash: bytes  #: hash of `raw`, 16 bytes
    version_at: datetime
    undated: bool
    modified_at: datetime | None = None
    created_at: datetime | None = None
    set_key: str | None = None  #: `<parent resource>:<parent's source id>` if the records are read as a set
    parent_raw_id: UUID | None = None  #: the raw row of its parent record, or of the record it was made from


class ReadSet(msgspec.Struct, frozen=True, gc=False):
    """A set that was read completely: a record that is no longer in it is missing at the source."""

    key: str
    source_ids: frozenset[str]
    version_at: datetime | None = None  #: version of the item that contains the set, if the item may arrive late


class StagedRecord(msgspec.Struct, gc=False):
    """A record to process, with the id of its raw row, which may not be inserted yet."""

    raw_id: str
    record: Record
    cached_fields: Mapping[str, Any] | None = None
    cached_times: str | None = None

    def decoded(self, decode: Callable[[bytes], Mapping[str, Any]]) -> Mapping[str, Any]:
        """Return the record as `decode` reads it, always the same function; it is decoded at most once."""
        if self.cached_fields is None:
            self.cached_fields = decode(self.record.raw)
        return self.cached_fields

    @property
    def times(self) -> str:
        """The times of creation, modification and version as COPY text, three adjacent columns of all tables."""
        if self.cached_times is None:
            self.cached_times = format_times(self.record)
        return self.cached_times


def format_times(record: Record) -> str:
    """Format the times of creation, modification and version of a record as COPY text."""
    version, modified, created = record.version_at, record.modified_at, record.created_at
    version_text = str(version)
    modified_text = version_text if modified is version else NULL if modified is None else str(modified)
    created_text = version_text if created is version else NULL if created is None else str(created)
    return f"{created_text}\t{modified_text}\t{version_text}"
