"""The page server of the benchmarks: prepared pages, the API's own contract, nothing computed while it is asked."""

import argparse
import asyncio
import bisect
from datetime import date

from aiohttp import web

from benchmarks.book import A_DAY, FEEDS, days


class Book:
    """The pages of both feeds; `changed` is shown once it is switched on."""

    def __init__(self, records: int, changed: int) -> None:
        self.pages: dict[str, list[tuple[date, bytes, int]]] = {}
        self.ones: dict[str, list[bytes]] = {}
        for feed in FEEDS:
            made = list(days(feed, records, changed))
            sizes = [A_DAY] * (len(made)) if made else []
            whole, rest = divmod(records, A_DAY)
            if rest:
                sizes[whole] = rest
            tail = len(made) - -(-records // A_DAY)
            for place in range(tail):
                sizes[len(made) - tail + place] = min(A_DAY, changed - place * A_DAY)
            self.pages[feed] = [(day, body, size) for (day, body), size in zip(made, sizes, strict=True)]
            self.ones[feed] = [body[: body.index(b"},{") + 1] if b"},{" in body else body for _, body in made]
        self.first_changed = -(-records // A_DAY)
        self.shows_changes = False

    def visible(self, feed: str) -> list[tuple[date, bytes, int]]:
        """Return the days of a feed that the API would show now."""
        pages = self.pages[feed]
        return pages if self.shows_changes else pages[: self.first_changed]


def application(book: Book, latency: float) -> web.Application:
    """Return the server."""

    async def token(_: web.Request) -> web.Response:
        return web.json_response({"access_token": "bench", "token_type": "Bearer", "expires_in": 36000})

    async def ping(_: web.Request) -> web.Response:
        return web.json_response({"IsSuccess": True})

    async def switch(request: web.Request) -> web.Response:
        book.shows_changes = request.match_info["state"] == "on"
        return web.json_response({"changes": book.shows_changes})

    async def feed(request: web.Request) -> web.Response:
        if latency:
            await asyncio.sleep(latency)
        name = request.match_info["feed"]
        query = request.query
        size, number = int(query.get("pageSize", 10)), int(query.get("pageNumber", 1))
        pages = book.visible(name)
        dates = [day for day, _, _ in pages]
        first = bisect.bisect_left(dates, date.fromisoformat(query["startDate"][:10]))
        last = bisect.bisect_left(dates, date.fromisoformat(query["endDate"][:10]))
        found = pages[first:last]
        total = sum(count for _, _, count in found)
        place = first + number - 1
        inside = place < last
        data = b"" if not inside else book.ones[name][place] if size < A_DAY else pages[place][1]
        body = b'{"Data":[%b],"PageNumber":%d,"PagesTotal":%d,"TotalItems":%d,"IsSuccess":true,"ErrorCode":null}' % (
            data, number, len(found) if size >= A_DAY else total, total)  # fmt: skip
        return web.Response(body=body, content_type="application/json")

    served = web.Application()
    served.router.add_post("/oauth/token", token)
    served.router.add_get("/v1/BusinessLogic/Ping", ping)
    served.router.add_get("/switch/{state}", switch)
    served.router.add_get("/v1/{feed}/LastModifiedCreated", feed)
    return served


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=100_000, help="of each feed")
    parser.add_argument("--changed", type=int, default=1_000, help="of each feed, shown after /switch/on")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds an answer takes at least")
    parser.add_argument("--port", type=int, default=8765)
    given = parser.parse_args()
    book = Book(given.records, given.changed)
    web.run_app(application(book, given.latency), host="127.0.0.1", port=given.port, access_log=None,
                print=lambda *_: print("ready", flush=True))  # fmt: skip


if __name__ == "__main__":
    main()
