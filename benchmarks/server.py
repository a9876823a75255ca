"""The page server of the benchmarks: prepared days, the API's own contract, nothing computed while it is asked."""

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

from benchmarks.book import A_DAY, FEEDS, Day, after_change, days, detail, midnight

#: The most records that the API gives a page, and what it gives when nothing is said.
LARGEST, USUAL = A_DAY, 10
TOKEN = "bench"  # noqa: S105 (a made-up server's)

ENVELOPE = b'{"Data":[%b],"PageNumber":%d,"PagesTotal":%d,"TotalItems":%d,"IsSuccess":true,"ErrorCode":null}'
Endpoint = Callable[[web.Request], Awaitable[web.Response]]


class Feed:
    """The days of one feed."""

    def __init__(self, prepared: list[Day]) -> None:
        self.days = prepared
        self.dates = [one.day for one in prepared]
        self.before = [0, *accumulate(map(len, prepared))]  #: records before each day, and in all

    def window(self, first: date, end: date) -> tuple[int, int]:
        """Return the numbers of the first record of a window and of the first behind it; `end` is exclusive."""
        return self.before[bisect_left(self.dates, first)], self.before[bisect_left(self.dates, max(first, end))]

    def part(self, first: int, last: int) -> bytes:
        """Return the records from number `first` up to but without `last`."""
        parts = []
        while first < last:
            place = bisect_right(self.before, first) - 1
            inside, day = first - self.before[place], self.days[place]
            until = min(len(day), inside + last - first)
            parts.append(day.part(inside, until))
            first += until - inside
        return parts[0] if len(parts) == 1 else b",".join(parts)


@dataclass
class Book:
    """Both feeds before and after the change, and what has been asked for."""

    before: dict[str, Feed]
    after: dict[str, Feed]
    latency: float = 0.0  #: seconds that an answer takes at least
    changed: bool = False
    counted: dict[str, int] = field(default_factory=lambda: {"calls": 0, "bytes": 0})

    @classmethod
    def of(cls, records: int, changed: int) -> "Book":
        """Return the book with so many records of each feed, and so many of them that will change."""
        whole = {feed: list(days(feed, records)) for feed in FEEDS}
        after = {feed: list(after_change(feed, records, changed, whole[feed])) for feed in FEEDS}
        before, changed_to = ({name: Feed(some) for name, some in state.items()} for state in (whole, after))
        return cls(before, changed_to)

    @property
    def feeds(self) -> dict[str, Feed]:
        """The feeds as the API shows them now."""
        return self.after if self.changed else self.before

    @property
    def now(self) -> datetime:
        """The time by the API's clock: the morning after the last change that it shows."""
        return midnight(self.feeds["Contacts"].dates[-1] + timedelta(days=1)) + timedelta(hours=6)

    def page(self, feed: Feed, first: date, end: date, number: int, size: int) -> bytes:
        """Return the body of one page."""
        begin, behind = feed.window(first, end)
        start = min(behind, begin + (number - 1) * size)
        data = feed.part(start, min(behind, start + size))
        return ENVELOPE % (data, number, -(-(behind - begin) // size), behind - begin)

    def answer(self, body: bytes, status: int = 200) -> web.Response:
        """Return an answer with the API's clock, and count it."""
        self.counted["calls"] += 1
        self.counted["bytes"] += len(body)
        date_header = format_datetime(self.now, usegmt=True)
        return web.Response(body=body, status=status, content_type="application/json", headers={"Date": date_header})


def api(book: Book) -> list[web.RouteDef]:
    """Return the API's own calls."""

    async def token(_: web.Request) -> web.Response:
        return book.answer(b'{"access_token":"%b","token_type":"Bearer","expires_in":36000}' % TOKEN.encode())

    async def ping(_: web.Request) -> web.Response:
        return book.answer(b'{"IsSuccess":true}')

    async def feed(request: web.Request) -> web.Response:
        asked = request.query
        try:
            number, size = int(asked.get("pageNumber", 1)), int(asked.get("pageSize", USUAL))
            first, end = (date.fromisoformat(asked[name][:10]) for name in ("startDate", "endDate"))
        except (KeyError, ValueError):
            return book.answer(b'{"Message":"startDate, endDate, pageNumber or pageSize is not right"}', 400)
        if request.match_info["feed"] not in book.feeds:
            return book.answer(b'{"Message":"no such list"}', 404)
        if number < 1 or not 1 <= size <= LARGEST:
            return book.answer(b'{"Message":"pageNumber or pageSize is out of range"}', 400)
        return book.answer(book.page(book.feeds[request.match_info["feed"]], first, end, number, size))

    async def policy_info(request: web.Request) -> web.Response:
        return book.answer(json.dumps([detail(int(request.match_info["id"]))]).encode())

    return [
        web.post("/oauth/token", token),
        web.get("/v1/BusinessLogic/Ping", guarded(book, ping)),
        web.get("/v1/{feed}/LastModifiedCreated", guarded(book, feed)),
        web.get(r"/v1/Policies/{id:\d+}/PolicyInfo", guarded(book, policy_info)),
    ]


def guarded(book: Book, endpoint: Endpoint) -> Endpoint:
    """Return the endpoint behind the latency and the check of the token."""

    async def answer(request: web.Request) -> web.Response:
        if book.latency:
            await asyncio.sleep(book.latency)
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return book.answer(b'{"Message":"Authorization has been denied for this request."}', 401)
        return await endpoint(request)

    return answer


def desk(book: Book) -> list[web.RouteDef]:
    """Return the calls by which a benchmark sets the scene."""

    async def switch(request: web.Request) -> web.Response:
        book.changed = request.match_info["state"] == "on"
        return web.json_response({"changed": book.changed})

    async def latency(request: web.Request) -> web.Response:
        book.latency = int(request.match_info["milliseconds"]) / 1000
        return web.json_response({"seconds": book.latency})

    async def counted(_: web.Request) -> web.Response:
        told = dict(book.counted)
        book.counted.update(calls=0, bytes=0)
        return web.json_response(told)

    return [
        web.get("/switch/{state}", switch),
        web.get(r"/latency/{milliseconds:\d+}", latency),
        web.get("/counted", counted),
    ]


def application(book: Book) -> web.Application:
    """Return the server."""
    served = web.Application()
    served.add_routes([*api(book), *desk(book)])
    return served


async def serve(book: Book) -> None:
    """Serve until cancelled; say on which port."""
    runner = web.AppRunner(application(book), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=100_000, help="of each feed")
    parser.add_argument("--changed", type=int, default=1_000, help="of each feed, shown after /switch/on")
    given = parser.parse_args()
    asyncio.run(serve(Book.of(given.records, given.changed)))


if __name__ == "__main__":
    main()
