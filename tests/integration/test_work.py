"""The amount of work of a sync of a small agency, counted and not timed: an increase is reported on any machine.

A page is a page group of its own here, so that the counts do not depend on how many pages happen to wait at a time.
"""

import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event, text

from benchmarks.servers import Server, page_server
from etl.config.settings import Settings
from etl.database import bulk_copy
from etl.database.connect import make_engine
from etl.extract import read_resource
from etl.pipeline import Options, sync
from etl.pipeline.stream import Stream

RECORDS, CHANGED = 2_000, 20
FEEDS = ("contacts", "policies")
#: The limits for each sync of this many contacts and policies: ten percent above the measured values.
#: Lower them after an improvement; explain an increase in the commit.
CEILINGS: Mapping[str, Mapping[str, int]] = {
    "full": {
        "calls": 15, "statements": 715, "round trips": 862, "transactions": 43, "copies": 32,
        "rows copied": 11_000, "bytes copied": 7_900_000, "rows written": 12_800,
    },
    "unchanged": {
        "calls": 14, "statements": 336, "round trips": 433, "transactions": 45, "copies": 0,
        "rows copied": 0, "bytes copied": 0, "rows written": 228,
    },
    "changed": {
        "calls": 6, "statements": 391, "round trips": 469, "transactions": 34, "copies": 5,
        "rows copied": 90, "bytes copied": 67_000, "rows written": 384,
    },
}  # fmt: skip
OPTIONS = {"full": Options(FEEDS), "unchanged": Options(FEEDS, full=True), "changed": Options(FEEDS)}
#: Rows written, as PostgreSQL counts them in each schema.
ROWS = """
    SELECT CAST(sum(n_tup_ins + n_tup_upd + n_tup_del) AS bigint) FROM pg_stat_user_tables
    WHERE schemaname IN ('public', 'raw', 'etl', 'history')
"""
OTHERS = """
    SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
      AND backend_type = 'client backend'
"""
END_SECONDS = 30


@pytest.fixture(scope="module")
def book() -> Iterator[Server]:
    with page_server(RECORDS, CHANGED) as served:
        yield served


@contextmanager
def counted() -> Iterator[Counter[str]]:
    """Count the statements in the block, except those that depend on time: heartbeats and call limits."""
    counts: Counter[str] = Counter()
    encode_blocks = bulk_copy.encode_blocks

    def note(what: str, number: int = 1) -> None:
        if not threading.current_thread().name.startswith(("lease", "ledger")):
            counts[what] += number

    def on_statement(*arguments: Any) -> None:
        note("statements")
        note("round trips", len(arguments[3]) if arguments[5] else 1)

    def on_turn(*_: Any) -> None:
        note("round trips")

    def on_commit(*_: Any) -> None:
        note("transactions")
        note("round trips")

    def weighed(lines: Any) -> Iterator[bytes]:
        note("copies")
        note("round trips")
        for block in encode_blocks(lines):
            note("bytes copied", len(block))
            note("rows copied", block.count(b"\n"))
            yield block

    hooks = {
        "before_cursor_execute": on_statement, "commit": on_commit, "rollback": on_turn, "savepoint": on_turn,
        "release_savepoint": on_turn, "rollback_savepoint": on_turn,
    }  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bulk_copy, "encode_blocks", weighed)
        for name, hook in hooks.items():
            event.listen(Engine, name, hook)
        try:
            yield counts
        finally:
            for name, hook in hooks.items():
                event.remove(Engine, name, hook)


def rows_written(url: str) -> int:
    """Return how many rows PostgreSQL has written in this database, after all other sessions have reported."""
    engine = make_engine(url)
    deadline = time.monotonic() + END_SECONDS
    try:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            while connection.execute(text(OTHERS)).scalar_one() and time.monotonic() < deadline:
                time.sleep(0.01)
            return int(connection.execute(text(ROWS)).scalar_one())
    finally:
        engine.dispose()


def settings_of(book: Server, url: str) -> Settings:
    return Settings(
        _env_file=None, database_url=url, qqcatalyst_api_url=f"{book.api}/v1",
        qqcatalyst_token_url=f"{book.api}/oauth/token", qqcatalyst_client_id="demo",
        qqcatalyst_client_secret="demo-secret", qqcatalyst_username="demo", qqcatalyst_password="demo-password",
        etl_rate=0,
    )  # fmt: skip


def work_of(book: Server, url: str, step: str) -> dict[str, int]:
    """Run one sync and return its counts."""
    book.show_changes(shown=step == "changed")
    book.counted()
    before = rows_written(url)
    engine = make_engine(url)
    with counted() as counts, pytest.MonkeyPatch.context() as patch:
        patch.setattr(read_resource, "PAGES_PER_GROUP", 1)
        summary = sync(engine, settings_of(book, url), options=OPTIONS[step])
        engine.dispose()
    assert summary.exit_status == 0, summary.batch.error
    return {**counts, "calls": book.counted()["calls"], "rows written": rows_written(url) - before}


def beyond(step: str, work: Mapping[str, int]) -> list[str]:
    """Return messages for the counts above their limits."""
    ceilings = CEILINGS[step]
    return [
        f"{step} sync: {work[name]:,} {name}, at most {ceilings[name]:,}"
        for name in ceilings
        if work.get(name, 0) > ceilings[name]
    ]


def test_no_sync_takes_more_work_than_before(book: Server, database_url: str) -> None:
    done = {step: work_of(book, database_url, step) for step in OPTIONS}
    assert {step: set(work) - set(CEILINGS[step]) for step, work in done.items()} == {step: set() for step in done}
    assert [message for step, work in done.items() for message in beyond(step, work)] == []


def test_a_query_per_record_is_detected_and_reported(
    book: Server, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = Stream.process_records

    def asking(self: Stream, connection: Connection, resource: Any, incoming: Any, *rest: Any) -> Any:
        for _ in incoming:
            connection.execute(text("SELECT 1"))
        return process(self, connection, resource, incoming, *rest)

    monkeypatch.setattr(Stream, "process_records", asking)
    messages = beyond("full", work_of(book, database_url, "full"))
    assert [message.partition(", at most ")[0].split(" ", 3)[3] for message in messages] == [
        "statements",
        "round trips",
    ]
