"""One JSON object of the API on its way to staging: its text, its id and its times, and nothing decoded yet."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import Any
from uuid import UUID

import msgspec

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


@dataclass(frozen=True)
class Candidate:
    """A record that is to be judged, with the id that its raw row has or will have."""

    raw_id: str
    record: Record

    @cached_property
    def decoded(self) -> Mapping[str, Any]:
        """The record as a decoded JSON object; decoded at most once."""
        return decode(self.record.raw)
