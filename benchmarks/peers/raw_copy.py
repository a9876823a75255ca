"""The baseline: COPY of the same bytes into one jsonb table without a key, on one connection; reading is not timed."""

import http.client
import time
from collections.abc import Iterator
from urllib.parse import urlencode, urlsplit

import msgspec
import psycopg

from benchmarks.peers.measured import PAGE, Task, run
from benchmarks.server import TOKEN

FEEDS = ("Contacts", "Policies")
BLOCK = 500  #: records passed to the driver at once


class Page(msgspec.Struct):
    """The parts of a page that are read."""

    Data: list[msgspec.Raw]
    PagesTotal: int


def pages(task: Task, feed: str) -> Iterator[Page]:
    """Yield all pages of a feed."""
    connection = http.client.HTTPConnection(urlsplit(task.api).netloc)
    number, last = 0, 1
    while number < last:
        number += 1
        parameters = {"startDate": task.since, "endDate": task.until, "pageNumber": number, "pageSize": PAGE}
        target = f"/v1/{feed}/LastModifiedCreated?{urlencode(parameters)}"
        connection.request("GET", target, headers={"Authorization": f"Bearer {TOKEN}"})
        page = msgspec.json.decode(connection.getresponse().read(), type=Page)
        last = page.PagesTotal
        yield page
    connection.close()


def work(task: Task) -> float:
    """Copy every record and return the seconds from the first byte to the commit."""
    records = [
        bytes(record).replace(b"\\", rb"\\") for feed in FEEDS for page in pages(task, feed) for record in page.Data
    ]
    with psycopg.connect(task.database, autocommit=True) as connection:
        # In a separate transaction, so that the COPY is logged like the writes of the other candidates.
        connection.execute("CREATE TABLE yardstick (record jsonb NOT NULL)")
        began = time.perf_counter()
        with connection.transaction(), connection.cursor().copy("COPY yardstick FROM STDIN") as copy:
            for first in range(0, len(records), BLOCK):
                copy.write(b"\n".join(records[first : first + BLOCK]) + b"\n")
        return time.perf_counter() - began


if __name__ == "__main__":
    run(work, ["psycopg"])
