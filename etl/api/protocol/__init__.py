"""The protocol: requests, the meaning of answers, and their records. Opens no connection, reads no clock."""

from etl.api.protocol.answers import Answer, EndpointRefused, NotFound, RateLimited, Refusal, decipher
from etl.api.protocol.calls import Call, page_call, parent_call, whole_call
from etl.api.protocol.pages import CallFailed, Page, read
from etl.api.protocol.records import BadRecord, ParentFacts, Records, records
from etl.api.protocol.waiting import http_date, retry_after

__all__ = [
    "Answer",
    "BadRecord",
    "Call",
    "CallFailed",
    "EndpointRefused",
    "NotFound",
    "Page",
    "ParentFacts",
    "RateLimited",
    "Records",
    "Refusal",
    "decipher",
    "http_date",
    "page_call",
    "parent_call",
    "read",
    "records",
    "retry_after",
    "whole_call",
]
