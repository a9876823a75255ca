"""The benchmarks' book holds what it is asked for, on the days that it says, and changes what it should."""

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
from etl.api.protocol import Page, records
from etl.models.base import fields_of
from etl.models.core import Contact
from etl.models.products import Policy
from etl.record import StagedRecord
from etl.reshape.reshaper import Reshaper
from etl.resources import resource

KEYS = {"Contacts": "EntityID", "Policies": "PolicyId"}
NAMES = {"Contacts": "contacts", "Policies": "policies"}


def read(some: list[Day]) -> list[dict[str, Any]]:
    return [one for day in some for one in json.loads(b"[%b]" % day.text)]


@pytest.mark.parametrize("feed", FEEDS)
@pytest.mark.parametrize("number", [1, RECORDS_PER_DAY - 1, RECORDS_PER_DAY, RECORDS_PER_DAY + 1])
def test_a_book_has_as_many_records_as_asked_each_once(feed: str, number: int) -> None:
    prepared = list(days(feed, number))
    assert len({one[KEYS[feed]] for one in read(prepared)}) == sum(map(len, prepared)) == number
    assert prepared[-1].day == last_day(number)


@pytest.mark.parametrize("feed", FEEDS)
def test_a_book_is_the_same_every_time(feed: str) -> None:
    assert list(days(feed, 40)) == list(days(feed, 40))


@pytest.mark.parametrize("feed", FEEDS)
def test_records_lie_on_their_day(feed: str) -> None:
    for place, day in enumerate(days(feed, RECORDS_PER_DAY + 3)):
        assert day.day == FIRST_DAY + timedelta(days=place)
        assert {one["DateLastModified"][:10] for one in read([day])} == {str(day.day)}


@pytest.mark.parametrize("feed", FEEDS)
def test_what_changes_leaves_its_old_day(feed: str) -> None:
    before = list(days(feed, 2 * RECORDS_PER_DAY))
    after = read(list(after_change(feed, 2 * RECORDS_PER_DAY, 10, before)))
    assert len({one[KEYS[feed]] for one in after}) == len(after) == 2 * RECORDS_PER_DAY
    changed = [one for one in after if CHANGED in (one.get("MiddleName"), one.get("Description"))]
    assert len(changed) == 10
    assert {one["DateLastModified"][:10] for one in changed} == {str(first_change(2 * RECORDS_PER_DAY))}
    assert last_day(2 * RECORDS_PER_DAY) < first_change(2 * RECORDS_PER_DAY)


def test_changes_are_spread_over_all_records() -> None:
    assert changed_numbers(1_000, 4) == [0, 250, 500, 750]


def test_a_part_of_a_day_is_the_records_between_two_places() -> None:
    texts = [b'{"a":1}', b'{"b":[2,3]}', b'{"c":"},{"}']
    day = Day.from_texts(FIRST_DAY, texts)
    for first in range(len(texts)):
        for last in range(first + 1, len(texts) + 1):
            assert day.part(first, last) == b",".join(texts[first:last])
    assert day.without({1}).text == b",".join([texts[0], texts[2]])


@pytest.mark.parametrize(("feed", "model"), [("Contacts", Contact), ("Policies", Policy)])
def test_the_book_has_every_field_that_our_tables_take(feed: str, model: type[Contact | Policy]) -> None:
    (day,) = days(feed, 1)
    named = {about.source.partition(".")[0] for about in fields_of(model).values() if isinstance(about.source, str)}
    assert named <= set(read([day])[0])


@pytest.mark.parametrize("feed", FEEDS)
def test_a_few_records_have_a_bad_field_and_none_is_refused(feed: str) -> None:
    one = resource(NAMES[feed])
    (day,) = days(feed, RECORDS_PER_DAY)
    page = Page([day.part(place, place + 1) for place in range(len(day))])
    found = records(one, one.endpoints[0], page, requested_at=REQUESTED).records
    reshape = Reshaper(one, "test", zone="UTC", strict=False)
    done = [reshape(StagedRecord("0", record)) for record in found]
    assert not any(each.refused for each in done)
    assert (
        0 < sum(any(finding.severity == "dropped" for finding in each.findings) for each in done) < RECORDS_PER_DAY / 10
    )
