"""The page server follows the contract of the API, and the comparison runs end to end."""

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest

from benchmarks.book import FIRST_DAY, first_change, last_day
from benchmarks.server import TOKEN
from benchmarks.servers import ROOT, Server, page_server

RECORDS, CHANGED = 1_203, 12
EVER = (date(2019, 1, 1), date(2099, 1, 1))
FEEDS = {"Contacts": "EntityID", "Policies": "PolicyId"}


@pytest.fixture(scope="module")
def running() -> Iterator[Server]:
    with page_server(RECORDS, CHANGED) as server:
        yield server


@pytest.fixture
def server(running: Server) -> Server:
    running.show_changes(shown=False)
    running.counted()
    return running


def call(server: Server, path: str, query: dict[str, Any] | None = None, token: str = TOKEN) -> tuple[Any, Any]:
    address = f"{server.api}/v1/{path}?{urlencode(query or {})}"
    request = Request(address, headers={"Authorization": f"Bearer {token}"})  # noqa: S310 (our own server)
    with urlopen(request) as answer:  # noqa: S310 (as above)
        return json.load(answer), answer.headers


def page(server: Server, feed: str, window: tuple[date, date], number: int, size: int) -> dict[str, Any]:
    query = {"startDate": window[0], "endDate": window[1], "pageNumber": number, "pageSize": size}
    body, _ = call(server, f"{feed}/LastModifiedCreated", query)
    assert (body["PageNumber"], body["IsSuccess"]) == (number, True)
    return dict(body)


def ids(server: Server, feed: str, window: tuple[date, date] = EVER, size: int = 500) -> list[int]:
    first = page(server, feed, window, 1, size)
    pages = [first, *(page(server, feed, window, number, size) for number in range(2, first["PagesTotal"] + 1))]
    assert {len(body["Data"]) for body in pages[:-1]} <= {size}
    assert {body["TotalItems"] for body in pages} == {sum(len(body["Data"]) for body in pages)}
    return [record[FEEDS[feed]] for body in pages for record in body["Data"]]


@pytest.mark.parametrize("feed", FEEDS)
@pytest.mark.parametrize("size", [7, 499, 500])
def test_pages_of_a_window_hold_each_record_once(server: Server, feed: str, size: int) -> None:
    record_ids = ids(server, feed, size=size)
    assert len(set(record_ids)) == len(record_ids) == RECORDS


@pytest.mark.parametrize("feed", FEEDS)
def test_windows_of_single_days_add_up(server: Server, feed: str) -> None:
    days = [FIRST_DAY + timedelta(days=number) for number in range((last_day(RECORDS) - FIRST_DAY).days + 1)]
    single = [record_id for day in days for record_id in ids(server, feed, (day, day + timedelta(days=1)))]
    assert single == ids(server, feed)


def test_a_window_without_records_is_an_empty_page(server: Server) -> None:
    assert ids(server, "Contacts", (date(2010, 1, 1), date(2010, 2, 1))) == []


def test_a_page_after_the_last_is_empty(server: Server) -> None:
    assert page(server, "Contacts", EVER, 99, 500)["Data"] == []


@pytest.mark.parametrize("feed", FEEDS)
def test_a_window_after_the_last_day_returns_the_changes(server: Server, feed: str) -> None:
    since = (last_day(RECORDS) + timedelta(days=1), EVER[1])
    assert ids(server, feed, since) == []
    server.show_changes(shown=True)
    changed = ids(server, feed, since)
    assert len(changed) == CHANGED
    assert len(set(ids(server, feed))) == RECORDS


def test_the_clock_is_later_than_all_records(server: Server) -> None:
    _, before = call(server, "BusinessLogic/Ping")
    server.show_changes(shown=True)
    _, after = call(server, "BusinessLogic/Ping")
    shown = [parsedate_to_datetime(headers["Date"]).date() for headers in (before, after)]
    assert last_day(RECORDS) < shown[0] < first_change(RECORDS) < shown[1]


@pytest.mark.parametrize(
    ("path", "token", "query", "status"),
    [
        ("BusinessLogic/Ping", "stale", {}, 401),
        ("Contacts/LastModifiedCreated", TOKEN, {"pageSize": 10}, 400),
        (
            "Contacts/LastModifiedCreated",
            TOKEN,
            {"startDate": EVER[0], "endDate": EVER[1], "pageSize": 501},
            400,
        ),
        ("Claims/LastModifiedCreated", TOKEN, {"startDate": EVER[0], "endDate": EVER[1]}, 404),
    ],
)
def test_invalid_calls_are_refused(server: Server, path: str, token: str, query: Any, status: int) -> None:
    with pytest.raises(HTTPError) as refused:
        call(server, path, query, token)
    assert refused.value.code == status
    refused.value.close()


def test_calls_and_bytes_are_counted_between_requests(server: Server) -> None:
    body = json.dumps(call(server, "Policies/5000000/PolicyInfo")[0])
    assert server.counted() == {"calls": 1, "bytes": len(body)}
    assert server.counted() == {"calls": 0, "bytes": 0}


@pytest.mark.timeout(300)
def test_the_comparison_runs_and_counts_rows() -> None:
    command = [sys.executable, "-m", "benchmarks", "compare", "--records", "500", "--rounds", "1"]
    done = subprocess.run([*command, "--only", "ours,copy"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    ours, copy = (line.split("|") for line in done.stdout.splitlines() if line.startswith(("| ours", "| raw COPY")))
    assert [cell.strip() for cell in (ours[9], copy[9])] == ["500", "500"]
    assert ours[3].strip() == "1.00"
    assert copy[5].strip() == "-"
    assert "Bytes read in the full step: the same for all" in done.stdout
    assert "full sync: ours / raw COPY" in done.stdout
