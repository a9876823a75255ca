"""The data set of the benchmarks: record counts, days, and changes."""

import json
from datetime import timedelta
from typing import Any

import pytest

from benchmarks.book import (
    CHANGED,
    FEEDS,
    FIRST_DAY,
    RECORDS_PER_DAY,
    Day,
    after_change,
    changed_numbers,
    days,
    first_change,
    last_day,
)
from benchmarks.sample import REQUESTED
from etl.api.protocol import Page, make_records
from etl.models.base import fields_of
from etl.models.core import Contact
from etl.models.products import Policy
from etl.record import StagedRecord
from etl.reshape.reshaper import Reshaper
from etl.resources import find_resource

KEYS = {"Contacts": "EntityID", "Policies": "PolicyId"}
NAMES = {"Contacts": "contacts", "Policies": "policies"}


def read(book_days: list[Day]) -> list[dict[str, Any]]:
    return [record for day in book_days for record in json.loads(b"[%b]" % day.text)]


@pytest.mark.parametrize("feed", FEEDS)
@pytest.mark.parametrize("number", [1, RECORDS_PER_DAY - 1, RECORDS_PER_DAY, RECORDS_PER_DAY + 1])
def test_a_data_set_has_the_requested_number_of_distinct_records(feed: str, number: int) -> None:
    prepared = list(days(feed, number))
    assert len({record[KEYS[feed]] for record in read(prepared)}) == sum(map(len, prepared)) == number
    assert prepared[-1].day == last_day(number)


@pytest.mark.parametrize("feed", FEEDS)
def test_a_data_set_is_deterministic(feed: str) -> None:
    assert list(days(feed, 40)) == list(days(feed, 40))


@pytest.mark.parametrize("feed", FEEDS)
def test_records_are_on_the_day_of_their_modification(feed: str) -> None:
    for day_number, day in enumerate(days(feed, RECORDS_PER_DAY + 3)):
        assert day.day == FIRST_DAY + timedelta(days=day_number)
        assert {record["DateLastModified"][:10] for record in read([day])} == {str(day.day)}


@pytest.mark.parametrize("feed", FEEDS)
def test_changed_records_move_to_the_day_of_the_change(feed: str) -> None:
    before = list(days(feed, 2 * RECORDS_PER_DAY))
    after = read(list(after_change(feed, 2 * RECORDS_PER_DAY, 10, before)))
    assert len({record[KEYS[feed]] for record in after}) == len(after) == 2 * RECORDS_PER_DAY
    changed = [record for record in after if CHANGED in (record.get("MiddleName"), record.get("Description"))]
    assert len(changed) == 10
    assert {record["DateLastModified"][:10] for record in changed} == {str(first_change(2 * RECORDS_PER_DAY))}
    assert last_day(2 * RECORDS_PER_DAY) < first_change(2 * RECORDS_PER_DAY)


def test_changes_are_spread_over_all_records() -> None:
    assert changed_numbers(1_000, 4) == [0, 250, 500, 750]


def test_a_part_of_a_day_has_the_records_between_two_positions() -> None:
    texts = [b'{"a":1}', b'{"b":[2,3]}', b'{"c":"},{"}']
    day = Day.from_texts(FIRST_DAY, texts)
    for first in range(len(texts)):
        for last in range(first + 1, len(texts) + 1):
            assert day.part(first, last) == b",".join(texts[first:last])
    assert day.without({1}).text == b",".join([texts[0], texts[2]])


@pytest.mark.parametrize(("feed", "model"), [("Contacts", Contact), ("Policies", Policy)])
def test_the_data_set_has_every_field_of_our_tables(feed: str, model: type[Contact | Policy]) -> None:
    (day,) = days(feed, 1)
    fields = {about.source.partition(".")[0] for about in fields_of(model).values() if isinstance(about.source, str)}
    assert fields <= set(read([day])[0])


@pytest.mark.parametrize("feed", FEEDS)
def test_a_few_records_have_an_invalid_field_and_no_record_is_refused(feed: str) -> None:
    feed_resource = find_resource(NAMES[feed])
    (day,) = days(feed, RECORDS_PER_DAY)
    page = Page([day.part(index, index + 1) for index in range(len(day))])
    parsed = make_records(feed_resource, feed_resource.endpoints[0], page, requested_at=REQUESTED).records
    reshape = Reshaper(feed_resource, "test", zone="UTC", strict=False)
    results = [reshape(StagedRecord("0", record)) for record in parsed]
    assert not any(each.refused for each in results)
    assert (
        0
        < sum(any(finding.severity == "dropped" for finding in each.findings) for each in results)
        < RECORDS_PER_DAY / 10
    )
