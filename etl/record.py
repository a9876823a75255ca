"""One JSON object of the API on its way to staging: its text, its id and its times, and nothing decoded yet."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec

from etl.copy_text import NULL

_decoder = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal)


def decode(raw: bytes) -> dict[str, Any]:
    """Return a record's JSON text as a decoded object; numbers with a fraction become Decimal, exactly."""
    return _decoder.decode(raw)


class Record(msgspec.Struct, frozen=True, gc=False):
    """A record as it arrived.

    `version_at` says which of two records of one id is the newer: the time at the source, else the time of the
    request that read it; `undated` tells the latter.
    """

    source_id: str
    raw: bytes  #: its JSON text, secrets removed, safe for jsonb
    content_hash: bytes  #: of that text, 16 bytes
    version_at: datetime
    undated: bool
    modified_at: datetime | None = None
    created_at: datetime | None = None
    set_key: str | None = None  #: `<parent resource>:<parent's source id>` where records are read as a set
    parent_raw_id: UUID | None = None  #: the raw row of the record it was asked for or made from


class ReadSet(msgspec.Struct, frozen=True, gc=False):
    """A set that was read completely: what is no longer in it has vanished at the source."""

    key: str
    source_ids: frozenset[str]
    version_at: datetime | None = None  #: of the item that lists it, where the list may arrive late


class StagedRecord(msgspec.Struct, gc=False):
    """A record that is to be judged, with the id that its raw row has or will have."""

    raw_id: str
    record: Record
    cached_fields: dict[str, Any] | None = None
    cached_times: str | None = None

    @property
    def decoded(self) -> Mapping[str, Any]:
        """The record as a decoded JSON object; decoded at most once."""
        if self.cached_fields is None:
            self.cached_fields = decode(self.record.raw)
        return self.cached_fields

    @property
    def times(self) -> str:
        """When it was created and modified and which version it is, as COPY text: all tables have these in a row."""
        if self.cached_times is None:
            self.cached_times = format_times(self.record)
        return self.cached_times


def format_times(record: Record) -> str:
    """Return when a record was created and modified and which version it is, as COPY text."""
    version, modified, created = record.version_at, record.modified_at, record.created_at
    when = str(version)
    changed = when if modified is version else NULL if modified is None else str(modified)
    made = when if created is version else NULL if created is None else str(created)
    return f"{made}\t{changed}\t{when}"
