"""The protocol: what to ask, what an answer means, which records it holds. Opens no connection, reads no clock."""

from etl.extract.protocol.answers import (
    Answer,
    Refusal,
    Refused,
    TooMany,
    Vanished,
    decipher,
)
from etl.extract.protocol.calls import Call, page_call, parent_call, whole_call
from etl.extract.protocol.pages import Page, read
from etl.extract.protocol.records import BadRecord, ParentFacts, Records, records
from etl.extract.protocol.waiting import http_date, retry_after

__all__ = [
    "Answer",
    "BadRecord",
    "Call",
    "Page",
    "ParentFacts",
    "Records",
    "Refusal",
    "Refused",
    "TooMany",
    "Vanished",
    "decipher",
    "http_date",
    "page_call",
    "parent_call",
    "read",
    "records",
    "retry_after",
    "whole_call",
]
