"""The rules for details in SQL agree with the rules in Python, for dates and codes of every form."""

import json
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from sqlalchemy import Connection, Engine, text

from etl.catalogue.detail_rules import ContactValue, IfChanged, NearStart, Need, Priority, TermValue, read_day
from etl.ledger.children.parent_conditions import build_conditions
from etl.resources import CATALOGUE, find_resource
from etl.spelling import spelling_of

TODAY = date(2026, 3, 1)
POLICIES, CONTACTS = find_resource("policies"), find_resource("contacts")

DAYS = [
    None, "", "N/A", "0001-01-01T00:00:00", "9999-12-31T23:59:59", "2026-03-01", "2026-03-01T00:00:00",
    "2026-05-30T00:00:00", "2026-05-31", "2026-02-30", "2026-02-29T00:00:00", "2026-04-31", "2025-01-29", "2025-01-28",
    "3/1/2026", "5/30/2026 12:00:00 AM", "13/1/2026", "2/30/2026", "02/29/2027", "/Date(1772323200000)/",
    "/Date(-62135596800000)/", "/Date(99999999999999999)/", "2026/3/1", "2026-13-01", "2026-00-10", "0000-00-00",
    "20260301", "today", "infinity", "2026-03-011", "2026-03-01\n", "\uff12\uff10\uff12\uff16-03-01",
]  # fmt: skip
RECORDS = some.fixed_dictionaries(
    {},
    optional={
        "Status": some.sampled_from(["A", "P", "C", "E", "D", "V", " a ", "", None, 5]),
        "STATUS": some.sampled_from(["A", "E"]),
        "effectiveDate": some.sampled_from(DAYS),
        "EffectiveDate": some.sampled_from(DAYS),
        "ExpirationDate": some.sampled_from(DAYS),
        "HasBeenModified": some.sampled_from([True, False, None, "true", "TRUE", 1, "yes", " Y "]),
        "ContactType": some.sampled_from(["C", "P", "R", " p", None]),
        "ContactSubType": some.sampled_from(["C", "P", "E", None]),
        "CONTACTTYPE": some.sampled_from(["P", "p\u200b", "C"]),
    },
)


@pytest.fixture
def connection(engine: Engine) -> Iterator[Connection]:
    """Yield a connection inside a transaction."""
    with engine.begin() as opened:
        yield opened


def evaluate(connection: Connection, child: str, record: Mapping[str, Any]) -> tuple[str, int]:
    """Return the need and the priority of a record by the rules in SQL."""
    entry = find_resource(child)
    assert entry.parent is not None
    conditions = build_conditions(entry, find_resource(entry.parent.resource), TODAY)
    statement = f"""
        SELECT {conditions.need} AS need, {conditions.priority} AS priority
        FROM (SELECT CAST(:record AS jsonb) AS raw_data, CAST(NULL AS timestamptz) AS source_modified_at,
                     CAST(NULL AS timestamptz) AS source_created_at) AS parent
    """
    row = connection.execute(text(statement), {"record": json.dumps(record), **conditions.values}).one()
    return row.need, row.priority


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(record=RECORDS)
def test_sql_and_python_agree(connection: Connection, record: dict[str, Any]) -> None:
    for child in (entry for entry in CATALOGUE if entry.parent is not None):
        declared = child.parent
        assert declared is not None
        parent = find_resource(declared.resource)
        read = spelling_of(parent).respell(record)
        need = declared.need.find_need(read, TODAY) if declared.need is not None else Need.YES
        priority = declared.value.find_priority(read, TODAY)
        assert evaluate(connection, child.name, record) == (need, priority), child.name


@pytest.mark.parametrize(
    ("value", "day"),
    [
        ("2026-05-30T00:00:00", date(2026, 5, 30)),
        (" 2026-05-30 08:30", date(2026, 5, 30)),
        ("2026/5/3", date(2026, 5, 3)),
        ("5/3/2026 1:41:59 PM", date(2026, 5, 3)),
        ("/Date(1342662119000)/", date(2012, 7, 19)),
        ("2026-02-30", date(2026, 3, 2)),
        ("0001-01-01T00:00:00", None),
        ("9999-12-31", None),
        ("13/1/2025", None),
        ("now", None),
        ("", None),
        (None, None),
        (20260530, None),
    ],
)
def test_a_day_is_read_in_each_form_of_the_api(value: object, day: date | None) -> None:
    assert read_day(value) == day


VALUE = TermValue("EffectiveDate", "ExpirationDate", active=("Status", ("A", "P")))


def iso(days: int) -> str:
    """Return a day relative to today as the API sends it."""
    return f"{TODAY + timedelta(days=days)}T00:00:00"


@pytest.mark.parametrize(
    ("status", "begins", "ends", "priority"),
    [
        ("A", -275, 90, Priority.EXPIRING),
        ("P", 0, 0, Priority.EXPIRING),
        ("A", -275, 91, Priority.IN_FORCE),
        ("P", 10, 375, Priority.IN_FORCE),
        ("A", -3000, None, Priority.IN_FORCE),
        ("A", -366, -1, Priority.ENDED),
        ("E", -366, -1, Priority.ENDED),
        ("C", -100, 265, Priority.ENDED),
        ("E", -761, -396, Priority.ENDED),
        ("E", -762, -397, Priority.LONG_ENDED),
        ("A", -762, -397, Priority.LONG_ENDED),
        ("E", None, None, Priority.LONG_ENDED),
    ],
)
@pytest.mark.fact("expiry")
def test_dates_decide_what_a_policy_is_worth(
    status: str, begins: int | None, ends: int | None, priority: Priority
) -> None:
    record = {
        "Status": status,
        "EffectiveDate": None if begins is None else iso(begins),
        "ExpirationDate": None if ends is None else iso(ends),
    }
    assert VALUE.find_priority(record, TODAY) is priority


@pytest.mark.parametrize(
    ("status", "begins", "need"),
    [("A", 120, Need.YES), ("A", -120, Need.YES), ("A", 121, Need.NO), ("E", -121, Need.NO), ("P", -999, Need.YES)],
)
def test_quotes_are_asked_for_while_a_policy_is_placed(status: str, begins: int, need: Need) -> None:
    declared = find_resource("quotes").parent
    assert declared is not None
    assert isinstance(declared.need, NearStart)
    assert declared.need.find_need({"Status": status, "EffectiveDate": iso(begins)}, TODAY) is need


@pytest.mark.parametrize(
    ("record", "need"),
    [
        ({"HasBeenModified": True}, Need.YES),
        ({"HasBeenModified": False}, Need.IF_SAMPLE_HAS_ANY),
        ({}, Need.IF_SAMPLE_HAS_ANY),
        ({"CreatedOn": "2025-01-09T16:20:31.7", "DateLastModified": "2025-01-28T13:02:55.553"}, Need.YES),
        ({"CreatedOn": "2025-01-09T16:20:31.7", "DateLastModified": "2025-01-09T16:20:31.7"}, Need.IF_SAMPLE_HAS_ANY),
        ({"CreatedOn": "2025-01-09T16:20:31.7", "DateLastModified": None}, Need.IF_SAMPLE_HAS_ANY),
        ({"HasBeenModified": False, "Status": "C"}, Need.YES),
    ],
)
@pytest.mark.fact("adjustments")
def test_adjustments_are_asked_for_where_a_policy_was_changed(record: Mapping[str, Any], need: Need) -> None:
    declared = find_resource("adjustments").parent
    assert declared is not None
    assert isinstance(declared.need, IfChanged)
    assert declared.need.find_need(record, TODAY) is need


def test_customers_come_before_other_contacts() -> None:
    declared = find_resource("documents").parent
    assert declared is not None
    assert isinstance(declared.value, ContactValue)
    rank = {
        (status, kind): declared.value.find_priority({"Status": status, "ContactType": kind}, TODAY)
        for status in ("A", "I")
        for kind in ("C", "P")
    }
    assert rank == {
        ("A", "C"): Priority.CUSTOMER,
        ("I", "C"): Priority.OTHER_CONTACT,
        ("A", "P"): Priority.OTHER_CONTACT,
        ("I", "P"): Priority.OTHER_CONTACT,
    }
