"""The calls of a book of business, held against the facts of the API and the targets for calls."""

from dataclasses import replace
from math import ceil

from etl.config.rate_limit import parse_rate_limit
from etl.pipeline.forecast.book_calls import count_day, count_first_sync
from etl.render.sizing import BEFORE, BOOKS, MIDDLE, NOW, explain_first_sync, sizing_parts

LIMIT = parse_rate_limit("58/60s")
MINUTE = 60


def test_the_book_is_that_of_the_targets() -> None:
    assert (MIDDLE.customers, MIDDLE.policies, MIDDLE.in_force + MIDDLE.recent, MIDDLE.changed) == (
        5_000,
        12_000,
        8_000,
        0.5,
    )


def test_the_targets_of_a_first_sync_are_met() -> None:
    calls = count_first_sync(MIDDLE, 500)
    assert LIMIT.seconds_for(calls.useful) <= 5 * MINUTE
    assert calls.current <= 25_000
    assert calls.complete <= 35_000
    everything = count_first_sync(MIDDLE, 500, everything=True)
    assert 46_000 <= everything.complete <= 50_000, "as measured before"


def test_a_first_sync_adds_up() -> None:
    """By hand: the pages, one call of each list, and the details that the rules ask for."""
    contacts, policies, billing = 12, 24, 120  # 5,800, 12,000 and 60,000 records in pages of 500
    others = 1 + 1 + 4  # sign-in, offices; and the calls for totals and for the day that has not ended
    calls = count_first_sync(MIDDLE, 500)
    assert 0 <= calls.useful - (contacts + policies + billing + others) <= 8
    details = 5_000 * 2 + 12_000 + (6_000 + 20) + 2_400
    assert 0 <= calls.complete - details - calls.useful <= 10
    current = 5_000 * 2 + 8_000 + (4_000 + 20) + 2_400
    assert calls.complete - calls.current == details - current


def test_a_quiet_day_is_within_its_target() -> None:
    assert count_day(MIDDLE, NOW).calls <= 1_500
    assert 4_000 <= count_day(MIDDLE, BEFORE).calls <= 5_500
    assert NOW.lists_a_run <= 8, "an hourly run without changes"


def test_a_day_adds_up() -> None:
    """By hand: 24 runs of four calls, offices once, 1 % of the details, and the others after 30 and 180 days."""
    day = count_day(MIDDLE, NOW)
    active = 5_000 * 2 + 4_300 + 2_400 + (2_150 + 20) + 2  # customers, in force: details, quotes, adjustments; staff
    others = (12_000 - 4_300) + (6_000 - 2_150)
    assert (day.runs, day.lists) == (24 * 4, 1)
    assert day.changed == ceil((active + others) / 100)
    assert (day.active, day.others) == (ceil(active / 30), ceil(others / 180))
    assert day.calls == 24 * 4 + 1 + day.changed + day.active + day.others


def test_more_changes_and_smaller_pages_cost_more() -> None:
    calls = count_first_sync(MIDDLE, 500)
    assert count_first_sync(replace(MIDDLE, changed=0.9), 500).complete == calls.complete + 4_800
    assert count_first_sync(MIDDLE, 100).useful > 4 * calls.useful
    assert [count_first_sync(book, 500).complete for book in BOOKS.values()] == sorted(
        count_first_sync(book, 500).complete for book in BOOKS.values()
    )


def test_with_pages_of_100_all_but_billing_is_read_within_five_minutes() -> None:
    """By hand: 58 pages of 5,800 contacts, 120 pages of 12,000 policies, the offices, and the calls for totals."""
    calls = count_first_sync(MIDDLE, 100)
    assert LIMIT.seconds_for(calls.without_billing) <= 5 * MINUTE
    assert 0 <= calls.without_billing - (58 + 120 + 2) <= 8
    assert 0 <= calls.useful - calls.without_billing - 600 <= 15, "60,000 records of billing"


def test_the_page_shows_these_figures() -> None:
    calls = count_first_sync(MIDDLE, 500)
    table = sizing_parts()["first"]
    for number in (calls.useful, calls.current, calls.complete, count_first_sync(MIDDLE, 100).complete):
        assert f"| {number:,}: " in table
    assert "8 h 47 min" in table, "30,587 calls are 528 windows of 58"


def test_the_page_shows_sums_of_what_it_lists() -> None:
    """Each table of calls by what they are for: its last rows are the sum and the time of the rows above."""
    parts_of_page = sizing_parts()
    for table in (parts_of_page["first_parts"], parts_of_page["day_parts"]):
        assert "small, now" in table
        rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]
        *parts, sums, times = ([cell.replace(",", "") for cell in row] for row in rows)
        assert (sums[0], times[0]) == ("**calls**", "**time**")
        for column in range(1, 7):
            assert sum(int(row[column]) for row in parts) == int(sums[column])


def test_before_is_a_call_for_every_detail_of_every_record() -> None:
    """By hand: five kinds of detail, of 5,800 contacts and of 12,000 policies, as performance was measured before."""
    parts = explain_first_sync(MIDDLE, everything=True)
    contacts = parts["accounts of customers"] + parts["documents of customers"]
    policies = parts["details of policies"] + parts["adjustments of policies"] + parts["quotes of policies"]
    assert (contacts, policies) == (2 * 5_800, 3 * 12_000)
