"""Faults inside an answer: pages that drift, repeat or miscount, and bodies that are not valid JSON."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from etl.simulator.answers.envelopes import ActionResult, Answer, PagedAnswer
from etl.simulator.collection import encode
from etl.simulator.faults.spec import fault
from etl.simulator.planned_faults import PlannedFault

#: A key of JSON that names an id (or ids), in either casing; and any key.
NAME_OF_ID = re.compile(rb'"(\w*)(ID|Id)(s?)":')
ANY_NAME = re.compile(rb'"\w+":')
#: The casings of `every`, chosen by the length of a name, so that one name always has the same.
CASINGS_OF_EVERY = (bytes.lower, bytes.swapcase, lambda name: name[:2].lower() + name[2:], bytes.upper)
CASINGS: dict[str, tuple[re.Pattern[bytes], Callable[[re.Match[bytes]], bytes]]] = {
    "swap": (
        NAME_OF_ID,
        lambda match: b'"' + match[1] + (b"Id" if match[2] == b"ID" else b"ID") + match[3] + b'":',
    ),
    "lower": (NAME_OF_ID, lambda match: match[0].lower()),
    "every": (ANY_NAME, lambda match: CASINGS_OF_EVERY[len(match[0]) % len(CASINGS_OF_EVERY)](match[0])),
}
#: Answers the same call for another page number.
Again = Callable[[int], PagedAnswer]


@fault("page", "this many records leave the list between two pages (negative: enter it)", "1")
def page_drift(fault: PlannedFault, key: str, page: PagedAnswer, again: Again) -> PagedAnswer:
    """Shift a page by the records that left the list before it (or entered it, if negative), the first time."""
    count = int(fault.argument)
    if page.number == 1 or not fault.due(key):  # the first page has none before it
        return page
    if count > 0:
        items = page.items[count:] + again(page.number + 1).items[:count]
    else:
        items = (again(page.number - 1).items[count:] + page.items)[: page.size]
    return replace(page, items=items, total=page.total - count)


@fault("page", "the list never ends: its last page repeats")
def repeated_page(_fault: PlannedFault, _key: str, page: PagedAnswer, again: Again) -> PagedAnswer:
    """Repeat the last page forever; the envelope always announces one more page."""
    items = again(max(1, page.pages)).items if page.number > page.pages else page.items
    return replace(page, items=items, pages=page.number + 1, total=(page.number + 1) * page.size)


@fault("page", "a middle page is empty for this many requests", "1")
def empty_middle_page(fault: PlannedFault, key: str, page: PagedAnswer, _again: Again) -> PagedAnswer:
    """Leave out the records of a page between the first and the last, the first times."""
    is_middle = 1 < page.number < page.pages
    return replace(page, items=()) if is_middle and fault.due(key, fault.argument) else page


@fault("page", "the total is off by this number (or `null`, `text`, `negative`)", "7")
def wrong_total(fault: PlannedFault, _key: str, page: PagedAnswer, _again: Again) -> PagedAnswer:
    """Write a wrong total into the envelope."""
    odd: dict[str, Any] = {"null": None, "text": "many", "negative": -1}
    return replace(page, total=odd[fault.argument] if fault.argument in odd else page.total + int(fault.argument))


@fault("page", "this many records at the start of a page are repeated", "1")
def duplicate_records(fault: PlannedFault, _key: str, page: PagedAnswer, _again: Again) -> PagedAnswer:
    """Repeat the first records of a page."""
    return replace(page, items=page.items + page.items[: int(fault.argument)])


@fault("page", "no record has a modification date")
def null_modified(_fault: PlannedFault, _key: str, page: PagedAnswer, _again: Again) -> PagedAnswer:
    """Remove the modification date of every record."""
    return _with_modified(page, None)


@fault("page", "all records were modified at this time", "0001-01-01T00:00:00")
def strange_modified(fault: PlannedFault, _key: str, page: PagedAnswer, _again: Again) -> PagedAnswer:
    """Set the modification date of every record to one value."""
    return _with_modified(page, fault.argument)


def _with_modified(page: PagedAnswer, value: str | None) -> PagedAnswer:
    records = [json.loads(item) for item in page.items]
    return replace(
        page,
        items=tuple(
            encode(record | {"DateLastModified": value} if "DateLastModified" in record else record)
            for record in records
        ),
    )


@fault("answer", "a 200 whose envelope reports a failure, for this many requests", "1")
def is_success_false(fault: PlannedFault, key: str, answer: Answer) -> Answer:
    """Say in a 200 that the call did not succeed, the first times."""
    if not isinstance(answer, PagedAnswer | ActionResult) or not fault.due(key, fault.argument):
        return answer
    return (
        replace(answer, success=False, items=()) if isinstance(answer, PagedAnswer) else replace(answer, success=False)
    )


@fault("body", "names in another casing: swap (Id for ID and the reverse) or lower for ids, every for all keys", "swap")
def id_casing(fault: PlannedFault, _key: str, body: bytes) -> bytes:
    """Write names in another casing: `swap` ID and Id, `lower` for whole names of ids, `every` for all keys."""
    pattern, respell = CASINGS[fault.argument]
    return pattern.sub(respell, body)


@fault("body", "a field has another name: OLD=NEW", "Email=Mail")
def rename_field(fault: PlannedFault, _key: str, body: bytes) -> bytes:
    """Write a field under another name, `OLD=NEW`."""
    old, _, new = fault.argument.partition("=")
    return body.replace(f'"{old}":'.encode(), f'"{new}":'.encode())


@fault("body", "JSON that ends in the middle, for this many requests", "1")
def bad_json(fault: PlannedFault, key: str, body: bytes) -> bytes:
    """End a body in the middle, the first times, though its length is right."""
    return body[: len(body) // 2 + 1] if fault.due(key, fault.argument) else body
