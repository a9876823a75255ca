"""Faults inside the records of a page: changed ids, times, fields and links."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, timedelta, timezone
from typing import Any

from etl.simulator.answers.envelopes import PagedAnswer
from etl.simulator.book import dates
from etl.simulator.collection import encode
from etl.simulator.faults.spec import fault
from etl.simulator.planned_faults import PlannedFault

#: Answers the same call for another page number.
Again = Callable[[int], PagedAnswer]

#: One id in other forms than a number.
FORMS: dict[str, Callable[[Any], Any]] = {
    "text": str, "padded": lambda key: f" {key} ", "float": float, "list": lambda key: [key],
}  # fmt: skip
#: One moment in other forms than ISO without a zone.
TIMES: dict[str, Callable[[Any], str]] = {
    "z": lambda at: f"{at:%Y-%m-%dT%H:%M:%S}Z",
    "offset": lambda at: at.astimezone(timezone(-timedelta(hours=5))).isoformat(),
    "seven": lambda at: f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond:06d}0+00:00",
    "us": lambda at: f"{at:%m/%d/%Y %I:%M:%S %p}",
    "ticks": lambda at: f"/Date({int(at.timestamp() * 1000)})/",
}


def changed(page: PagedAnswer, change: Callable[[dict[str, Any]], dict[str, Any]]) -> PagedAnswer:
    """Return a page with changed records."""
    return replace(page, items=tuple(encode(change(json.loads(item))) for item in page.items))


@fault("page", "ids of every second page are text, padded, float or list instead of numbers", "text")
def id_form(fault: PlannedFault, _key: str, page: PagedAnswer, _again: Again) -> PagedAnswer:
    """Write the ids of every second page, beginning with the first, in another form."""
    if page.number % 2 == 0:
        return page
    return changed(
        page, lambda record: record | {name_of_id(record): FORMS[fault.argument](record[name_of_id(record)])}
    )


def name_of_id(record: dict[str, Any]) -> str:
    """Return the name of a record's id, which is its first field."""
    return next(iter(record))


@fault("page", "this many records at the start of a page have no id", "1")
def no_id(fault: PlannedFault, _key: str, page: PagedAnswer, _again: Again) -> PagedAnswer:
    """Remove the id of the first records of a page."""
    count = int(fault.argument)
    first = changed(replace(page, items=page.items[:count]), lambda record: record | {name_of_id(record): None})
    return replace(page, items=first.items + page.items[count:])


@fault("page", "times are written as z, offset, seven (digits), us or ticks", "z")
def time_form(fault: PlannedFault, _key: str, page: PagedAnswer, _again: Again) -> PagedAnswer:
    """Write the creation and modification times in another form."""
    write = TIMES[fault.argument]

    def rewritten(record: dict[str, Any]) -> dict[str, Any]:
        times = {name: record[name] for name in ("CreatedOn", "DateLastModified") if record.get(name)}
        return record | {name: write(dates.read(value).replace(tzinfo=UTC)) for name, value in times.items()}

    return changed(page, rewritten)


@fault("page", "a field of every record has this value: NAME=JSON", "Email=null")
def set_field(fault: PlannedFault, _key: str, page: PagedAnswer, _again: Again) -> PagedAnswer:
    """Set a field of every record to one value, `NAME=JSON`; the field is added where it is missing."""
    name, _, value = fault.argument.partition("=")
    return changed(page, lambda record: record | {name: json.loads(value or "null")})


@fault("page", "no record has this field", "Email")
def lost_field(fault: PlannedFault, _key: str, page: PagedAnswer, _again: Again) -> PagedAnswer:
    """Remove a field of every record."""
    return changed(page, lambda record: {name: value for name, value in record.items() if name != fault.argument})


@fault("page", "every second enterprise row is of another tenant")
def second_tenant(_fault: PlannedFault, _key: str, page: PagedAnswer, _again: Again) -> PagedAnswer:
    """Give every second enterprise row to another tenant, as a credential for two agencies receives them."""

    def shared(record: dict[str, Any]) -> dict[str, Any]:
        is_other = record.get("PolicyId", 0) % 2 and record.get("QQTenantID") is not None
        return record | {"QQTenantID": record["QQTenantID"] + 1} if is_other else record

    return changed(page, shared)


@fault("page", "the links of a page lead to another address", "http://localhost:9/v1/")
def foreign_links(fault: PlannedFault, _key: str, page: PagedAnswer, _again: Again) -> PagedAnswer:
    """Point the links of the envelope to another host."""
    return replace(page, href=fault.argument)


@fault("page", "the first record of a page has this many mebibytes, for the first request", "11")
def large_record(fault: PlannedFault, key: str, page: PagedAnswer, _again: Again) -> PagedAnswer:
    """Make the first record of a page this many mebibytes large, the first time."""
    if not page.items or not fault.due(key):
        return page
    weight = {"Ballast": "x" * (int(fault.argument) * 2**20)}
    return replace(page, items=(encode(json.loads(page.items[0]) | weight), *page.items[1:]))
