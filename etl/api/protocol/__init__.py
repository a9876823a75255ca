"""The protocol: requests, the meaning of answers, and their records. Opens no connection, reads no clock."""

from etl.api.protocol.answers import Answer, check_answer
from etl.api.protocol.calls import Call, page_call, parent_call, whole_call
from etl.api.protocol.pages import Page, read_page
from etl.api.protocol.records import BadRecord, ParentFacts, Records, make_records
from etl.api.protocol.waiting import http_date, retry_after

__all__ = [
    "Answer",
    "BadRecord",
    "Call",
    "Page",
    "ParentFacts",
    "Records",
    "check_answer",
    "http_date",
    "make_records",
    "page_call",
    "parent_call",
    "read_page",
    "retry_after",
    "whole_call",
]
