"""Dates and timestamps: every format, no shifted days, clock changes, and nothing filled in from today."""

from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etl.values import Date, Timestamp, Violation
from etl.values.datetimes import check_year, parse_datetime

DATE, STAMP = Date(), Timestamp()
days = st.dates(date(1900, 1, 1), date(2200, 12, 31))
moments = st.datetimes(datetime(1901, 1, 2), datetime(2199, 12, 30))  # noqa: DTZ001 (as the API writes them)
offsets = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(
    days,
    st.sampled_from(["", "T00:00:00", "T23:59:59.9999999", " 08:30", "T23:30:00-05:00", "T00:30:00+14:00", "T00:00Z"]),
)
@pytest.mark.fact("policy-dates")
def test_a_day_is_never_shifted(day: date, ending: str) -> None:
    """The date is the written one for any time and offset after it."""
    assert DATE.clean(f"{day}{ending}") == day
    assert DATE.clean(f"{day.month}/{day.day}/{day.year} 11:59:59 PM") == day
    assert DATE.clean(f"{day.month:02}/{day.day:02}/{day.year}") == day
    assert DATE.clean(f"{day.year}/{day.month}/{day.day}") == day


@given(moments, offsets)
@pytest.mark.fact("time-formats")
def test_a_timestamp_in_every_format(naive: datetime, offset: timezone) -> None:
    """ISO with and without offset, the US format and .NET's format give the same time in UTC."""
    utc = naive.replace(tzinfo=UTC)
    assert STAMP.clean(naive.isoformat()) == utc
    assert STAMP.clean(naive.isoformat(" ")) == utc
    assert STAMP.clean(f"{naive.isoformat()}Z") == utc
    assert STAMP.clean(utc.astimezone(offset).isoformat()) == utc
    second = utc.replace(microsecond=0)
    assert STAMP.clean(f"{second:%m/%d/%Y %I:%M:%S %p}") == second
    assert STAMP.clean(f"{second.month}/{second.day}/{second.year} {second:%H:%M:%S}") == second
    ticks = (second - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    assert STAMP.clean(f"/Date({ticks})/") == STAMP.clean(f"/Date({ticks}-0500)/") == second


@given(moments, st.text("0123456789", min_size=1, max_size=9))
def test_fractions_of_any_length_are_cut(naive: datetime, fraction: str) -> None:
    """Seven and nine digits are cut to microseconds, and never rounded to the next second."""
    expected = naive.replace(microsecond=int(fraction[:6].ljust(6, "0")), tzinfo=UTC)
    assert STAMP.clean(f"{naive:%Y-%m-%dT%H:%M:%S}.{fraction}") == expected
    assert STAMP.clean(f"{naive:%Y-%m-%d %H:%M:%S}.{fraction}+00:00") == expected


@pytest.mark.parametrize(
    ("zone", "local", "utc"),
    [
        ("America/New_York", "2024-03-10T01:59:59", "2024-03-10T06:59:59+00:00"),
        ("America/New_York", "2024-03-10T02:30:00", "2024-03-10T07:30:00+00:00"),
        ("America/New_York", "2024-03-10T03:30:00", "2024-03-10T07:30:00+00:00"),
        ("America/New_York", "2024-11-03T01:30:00", "2024-11-03T05:30:00+00:00"),
        ("America/New_York", "2024-11-03T02:30:00", "2024-11-03T07:30:00+00:00"),
        ("America/New_York", "7/19/2012 1:41:59 PM", "2012-07-19T17:41:59+00:00"),
        ("America/New_York", "2024-07-01", "2024-07-01T04:00:00+00:00"),
        ("America/New_York", "2024-07-01T12:00:00Z", "2024-07-01T12:00:00+00:00"),
        ("America/New_York", "2024-07-01T12:00:00+02:00", "2024-07-01T10:00:00+00:00"),
        ("Australia/Lord_Howe", "2024-10-06T02:15:00", "2024-10-05T15:45:00+00:00"),
        ("UTC", "2024-03-10T02:30:00", "2024-03-10T02:30:00+00:00"),
    ],
)
def test_times_without_offset_are_read_in_the_zone(zone: str, local: str, utc: str) -> None:
    """A skipped time moves forward by the gap, a repeated time means the first, and an offset decides."""
    assert Timestamp(zone).clean(local) == datetime.fromisoformat(utc)


def test_a_clean_timestamp_is_in_utc() -> None:
    """The time zone is the UTC object itself, not just an equal one."""
    for raw in ("2024-07-01T12:00:00", "2024-07-01T12:00:00-05:00", "7/1/2024 12:00 PM", "/Date(0+0100)/"):
        for kind in (STAMP, Timestamp("America/New_York")):
            cleaned = kind.clean(raw)
            assert isinstance(cleaned, datetime)
            assert cleaned.tzinfo is UTC


@given(st.text("0123456789-T:Z+. W/", min_size=8, max_size=30))
@pytest.mark.parametrize("kind", [STAMP, Timestamp("America/New_York")])
def test_the_fast_path_matches_the_slow_path(kind: Timestamp, raw: str) -> None:
    """For any text, `clean` and the slow path return the same value."""
    careful = parse_datetime(raw, Date)
    assert DATE.clean(raw) == (careful.date() if isinstance(careful, datetime) else careful)
    cleaned = kind.clean(raw)
    assert type(cleaned) is type(parse_datetime(raw, Timestamp)) or isinstance(cleaned, Violation)


near_iso = st.tuples(
    st.sampled_from(["1899", "1900", "1901", "2024", "2200", "2201"]),
    st.sampled_from(["-02-29", "-12-31", "-01-01", "-W01-1", "-13-01"]),
    st.sampled_from(["T", " ", "X", "t"]),
    st.sampled_from(["00:00:00", "23:59:59", "24:00:00", "12:30", "23:59:60", "1:02:03", "120000"]),
    st.sampled_from(["", ".1", ".1234567", ",5", ".123456789123"]),
    st.sampled_from(
        ["", "Z", "z", "+00:00", "-05:00", "+0530", "+05", "+24:00", " ", "-03:99", "+05:30:15", "+00:00:00", "+0099"]
    ),
).map("".join)


@settings(max_examples=400)
@given(near_iso)
def test_near_iso_texts_match_on_both_paths(raw: str) -> None:
    """For texts close to ISO 8601, the fast path and the slow path return the same value."""
    careful = parse_datetime(raw, Timestamp)
    if isinstance(careful, datetime):
        aware = careful if careful.tzinfo else careful.replace(tzinfo=UTC)
        careful = check_year(aware.astimezone(UTC), Timestamp)
    assert STAMP.clean(raw) == careful
    day = parse_datetime(raw, Date)
    assert DATE.clean(raw) == (day.date() if isinstance(day, datetime) else day)


@settings(max_examples=400)
@given(near_iso)
def test_near_iso_texts_match_on_both_paths_in_another_zone(raw: str) -> None:
    """The same for local times without an offset: the slow path adds the zone and converts to UTC."""
    kind, careful = Timestamp("America/New_York"), parse_datetime(raw, Timestamp)
    if isinstance(careful, datetime):
        aware = careful if careful.tzinfo else careful.replace(tzinfo=ZoneInfo("America/New_York"))
        careful = check_year(aware.astimezone(UTC), Timestamp)
    assert kind.clean(raw) == careful


@pytest.mark.parametrize(
    "ending", ["+05:30:15", "+00:00:00", "-03:99", "+24:00", "+0060", "+00:60", "+053015", "+05:30:15.5", "+99"]
)
@pytest.mark.parametrize("kind", [STAMP, Timestamp("America/New_York"), DATE])
def test_an_offset_that_no_clock_shows_is_refused(kind: Timestamp | Date, ending: str) -> None:
    """RFC 3339 5.6: hours to 23, minutes to 59, no seconds; in every format."""
    for raw in (f"2024-05-06T07:08:09{ending}", f"2024-05-06T07:08:09.123{ending}", f"2024-05-06 07:08:09 {ending}"):
        cleaned = kind.clean(raw)
        assert isinstance(cleaned, Violation), raw
        assert cleaned.value is None


@pytest.mark.parametrize("offset", ["+0170", "-0099", "+2400", "+9999"])
def test_an_offset_of_a_dotnet_date_is_refused_likewise(offset: str) -> None:
    for kind in (STAMP, DATE):
        assert isinstance(cleaned := kind.clean(f"/Date(1715000000000{offset})/"), Violation)
        assert cleaned.rule == f"{kind.name}-impossible"


@pytest.mark.parametrize(
    "raw", ["now", "today", "tomorrow", "10am", "10:30", "Sep", "Sep 5", "5", "05", "Monday", "12/31", "31"]
)
def test_nothing_is_filled_in_from_today(raw: str) -> None:
    """A part of a date is not a date."""
    for kind in (DATE, STAMP):
        cleaned = kind.clean(raw)
        assert isinstance(cleaned, Violation)
        assert cleaned.value is None
