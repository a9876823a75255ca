"""The page server of the benchmarks: it follows the API's contract and serves days that are prepared in advance."""

import argparse
import asyncio
import json
from bisect import bisect_left, bisect_right
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from email.utils import format_datetime
from itertools import accumulate

from aiohttp import web

from benchmarks.book import FEEDS, RECORDS_PER_DAY, Day, after_change, days, midnight, policy_detail

#: The maximum and the default number of records per page of the API.
MAX_PAGE_SIZE, DEFAULT_PAGE_SIZE = RECORDS_PER_DAY, 10
TOKEN = "bench"  # noqa: S105 (of a fake server)

ENVELOPE = b'{"Data":[%b],"PageNumber":%d,"PagesTotal":%d,"TotalItems":%d,"IsSuccess":true,"ErrorCode":null}'
Endpoint = Callable[[web.Request], Awaitable[web.Response]]


class Feed:
    """The days of one feed."""

    def __init__(self, prepared: list[Day]) -> None:
        self.days = prepared
        self.dates = [day.day for day in prepared]
        self.before = [0, *accumulate(map(len, prepared))]  #: records before each day, and in all

    def window(self, first: date, end: date) -> tuple[int, int]:
        """Return the number of the first record of a window and of the first one after it; `end` is exclusive."""
        return self.before[bisect_left(self.dates, first)], self.before[bisect_left(self.dates, max(first, end))]

    def part(self, first: int, last: int) -> bytes:
        """Return the records from number `first` to `last` (exclusive)."""
        parts = []
        while first < last:
            index = bisect_right(self.before, first) - 1
            inside, day = first - self.before[index], self.days[index]
            until = min(len(day), inside + last - first)
            parts.append(day.part(inside, until))
            first += until - inside
        return parts[0] if len(parts) == 1 else b",".join(parts)


@dataclass
class Book:
    """Both feeds before and after the change, and the counters of calls."""

    before: dict[str, Feed]
    after: dict[str, Feed]
    latency: float = 0.0  #: minimum seconds of a response
    changed: bool = False
    counted: dict[str, int] = field(default_factory=lambda: {"calls": 0, "bytes": 0})

    @classmethod
    def of(cls, records: int, changed: int) -> "Book":
        """Return the data set with `records` records in each feed, of which `changed` will change."""
        before_days = {feed: list(days(feed, records)) for feed in FEEDS}
        after = {feed: list(after_change(feed, records, changed, before_days[feed])) for feed in FEEDS}
        before, changed_to = (
            {name: Feed(day_list) for name, day_list in state.items()} for state in (before_days, after)
        )
        return cls(before, changed_to)

    @property
    def feeds(self) -> dict[str, Feed]:
        """The feeds as the API currently shows them."""
        return self.after if self.changed else self.before

    @property
    def now(self) -> datetime:
        """The time of the API's clock: the morning after the last change that it shows."""
        return midnight(self.feeds["Contacts"].dates[-1] + timedelta(days=1)) + timedelta(hours=6)

    def page(self, feed: Feed, first: date, end: date, number: int, size: int) -> bytes:
        """Return the body of one page."""
        begin, after_last = feed.window(first, end)
        start = min(after_last, begin + (number - 1) * size)
        data = feed.part(start, min(after_last, start + size))
        return ENVELOPE % (data, number, -(-(after_last - begin) // size), after_last - begin)

    def answer(self, body: bytes, status: int = 200) -> web.Response:
        """Return a response with the API's clock, and count it."""
        self.counted["calls"] += 1
        self.counted["bytes"] += len(body)
        date_header = format_datetime(self.now, usegmt=True)
        return web.Response(body=body, status=status, content_type="application/json", headers={"Date": date_header})


def api_routes(book: Book) -> list[web.RouteDef]:
    """Return the routes of the API."""

    async def token(_: web.Request) -> web.Response:
        return book.answer(b'{"access_token":"%b","token_type":"Bearer","expires_in":36000}' % TOKEN.encode())

    async def ping(_: web.Request) -> web.Response:
        return book.answer(b'{"IsSuccess":true}')

    async def feed(request: web.Request) -> web.Response:
        query = request.query
        try:
            number, size = int(query.get("pageNumber", 1)), int(query.get("pageSize", DEFAULT_PAGE_SIZE))
            first, end = (date.fromisoformat(query[name][:10]) for name in ("startDate", "endDate"))
        except (KeyError, ValueError):
            return book.answer(b'{"Message":"startDate, endDate, pageNumber or pageSize is invalid"}', 400)
        if request.match_info["feed"] not in book.feeds:
            return book.answer(b'{"Message":"no such list"}', 404)
        if number < 1 or not 1 <= size <= MAX_PAGE_SIZE:
            return book.answer(b'{"Message":"pageNumber or pageSize is out of range"}', 400)
        return book.answer(book.page(book.feeds[request.match_info["feed"]], first, end, number, size))

    async def policy_info(request: web.Request) -> web.Response:
        return book.answer(json.dumps([policy_detail(int(request.match_info["id"]))]).encode())

    return [
        web.post("/oauth/token", token),
        web.get("/v1/BusinessLogic/Ping", require_token(book, ping)),
        web.get("/v1/{feed}/LastModifiedCreated", require_token(book, feed)),
        web.get(r"/v1/Policies/{id:\d+}/PolicyInfo", require_token(book, policy_info)),
    ]


def require_token(book: Book, endpoint: Endpoint) -> Endpoint:
    """Return the endpoint with the latency and the check of the token added."""

    async def answer(request: web.Request) -> web.Response:
        if book.latency:
            await asyncio.sleep(book.latency)
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return book.answer(b'{"Message":"Authorization has been denied for this request."}', 401)
        return await endpoint(request)

    return answer


def control_routes(book: Book) -> list[web.RouteDef]:
    """Return the routes by which a benchmark controls the server."""

    async def switch(request: web.Request) -> web.Response:
        book.changed = request.match_info["state"] == "on"
        return web.json_response({"changed": book.changed})

    async def latency(request: web.Request) -> web.Response:
        book.latency = int(request.match_info["milliseconds"]) / 1000
        return web.json_response({"seconds": book.latency})

    async def counted(_: web.Request) -> web.Response:
        counters = dict(book.counted)
        book.counted.update(calls=0, bytes=0)
        return web.json_response(counters)

    return [
        web.get("/switch/{state}", switch),
        web.get(r"/latency/{milliseconds:\d+}", latency),
        web.get("/counted", counted),
    ]


def application(book: Book) -> web.Application:
    """Return the server."""
    served = web.Application()
    served.add_routes([*api_routes(book), *control_routes(book)])
    return served


async def serve(book: Book) -> None:
    """Serve until canceled; print the port."""
    runner = web.AppRunner(application(book), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=100_000, help="of each feed")
    parser.add_argument("--changed", type=int, default=1_000, help="of each feed, visible after /switch/on")
    options = parser.parse_args()
    asyncio.run(serve(Book.of(options.records, options.changed)))


if __name__ == "__main__":
    main()
