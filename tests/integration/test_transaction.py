"""Transactions: retried after transient errors, and committed exactly once when an answer is lost."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from proxy import Proxy, proxied
from sqlalchemy import Connection, Engine, text

from etl.database import connect, deadline, retry
from etl.database.connect import make_engine, with_limits
from etl.database.deadline import cancel_pending_calls
from etl.database.embedded.file_lock import wait_until
from etl.database.retry import with_retries
from etl.database.sqlstate import database_errors
from etl.errors import CommitUnknown, DatabaseUnavailable, Interrupted, InvalidRecord, LeaseLost, TooSlow
from etl.ledger import commit_outcome
from etl.ledger.leases import hold_lease, release_lease, verify_lease
from etl.ledger.transaction import Ledger

INSERT = text("INSERT INTO seen (key) VALUES (:key)")


@pytest.fixture
def ledger(engine: Engine) -> Ledger:
    """Return a ledger with a table that accepts duplicate keys."""
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE seen (key int, place int)"))
    return Ledger(engine, "t")


@pytest.fixture
def proxy(database_url: str) -> Iterator[Proxy]:
    """Yield a proxy in front of the database of this test."""
    with proxied(database_url) as opened_proxy:
        yield opened_proxy


@pytest.fixture
def far(proxy: Proxy) -> Iterator[Engine]:
    """Yield an engine that connects through the proxy."""
    far_engine = make_engine(proxy.url)
    yield far_engine
    far_engine.dispose()


def insert(key: int) -> Callable[[Connection], int]:
    """Return a function that writes a key and returns it."""

    def work(connection: Connection) -> int:
        connection.execute(INSERT, {"key": key})
        return key

    return work


def seen(engine: Engine) -> list[int]:
    """Return the written keys."""
    with engine.connect() as connection:
        return list(connection.execute(text("SELECT key FROM seen ORDER BY key")).scalars())


@pytest.mark.parametrize("reaches_server", [True, False], ids=["committed", "rolled back"])
@pytest.mark.parametrize("loses", [1, 3])
def test_a_commit_with_a_lost_answer_counts_once(
    ledger: Ledger, far: Engine, proxy: Proxy, reaches_server: bool, loses: int
) -> None:
    proxy.loses, proxy.reaches_server = loses, reaches_server
    with hold_lease(ledger.engine, "t", ["contacts"]) as lease:
        assert [Ledger(far, "t", lease).commit(insert(key)) for key in (1, 2, 3, 4)] == [1, 2, 3, 4]
    assert proxy.lost == loses
    assert seen(ledger.engine) == [1, 2, 3, 4]


def test_a_late_commit_on_a_lost_connection_counts_once(ledger: Ledger, far: Engine, proxy: Proxy) -> None:
    """Its transaction is the newest of the server and still open when the client checks the outcome."""
    proxy.loses = 1
    proxy.delivers.clear()
    tries: list[int] = []

    def work(connection: Connection) -> None:
        tries.append(1)
        connection.execute(INSERT, {"key": 1})

    with ThreadPoolExecutor(1) as threads:
        future = threads.submit(Ledger(far, "t").commit, work)
        assert wait_until(lambda: proxy.lost == 1, 30)
        time.sleep(0.5)  # the test is that nothing happens during this time
        assert len(tries) == 1
        proxy.delivers.set()
        future.result(30)
    assert len(tries) == 1
    assert seen(ledger.engine) == [1]


def test_an_unknown_commit_is_not_retried(
    ledger: Ledger, far: Engine, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The retries of the check end before the retries of the work, which must not run again without an answer."""
    monkeypatch.setattr(commit_outcome, "with_retries", partial(with_retries, retry_seconds=0.3))
    proxy.loses = 1
    proxy.delivers.clear()
    with pytest.raises(CommitUnknown):
        Ledger(far, "t").commit(insert(1))
    proxy.delivers.set()
    assert wait_until(lambda: bool(seen(ledger.engine)), 30)
    assert seen(ledger.engine) == [1]


def test_a_lease_is_held_when_the_answer_was_lost(engine: Engine, far: Engine, proxy: Proxy) -> None:
    proxy.loses = 1
    with hold_lease(far, "t", ["contacts"]) as lease, engine.begin() as connection:
        verify_lease(connection, lease)
    assert proxy.lost == 1


def test_a_deadlock_is_retried(ledger: Ledger) -> None:
    for key in (1, 2):
        ledger.commit(insert(key))
    both_hold_one = threading.Barrier(2)
    tries: list[int] = []

    def cross(first: int, second: int) -> Callable[[Connection], None]:
        def work(connection: Connection) -> None:
            tries.append(first)
            connection.execute(text("SET LOCAL deadlock_timeout = '50ms'"))
            connection.execute(text("UPDATE seen SET place = :first WHERE key = :first"), {"first": first})
            if len(tries) <= 2:
                both_hold_one.wait(10)
            connection.execute(text("UPDATE seen SET place = :first WHERE key = :second"),
                               {"first": first, "second": second})  # fmt: skip

        return work

    with ThreadPoolExecutor(2) as threads:
        for future in [threads.submit(ledger.commit, cross(*order)) for order in ((1, 2), (2, 1))]:
            future.result(30)
    assert len(tries) == 3
    with ledger.engine.connect() as connection:
        assert len(connection.execute(text("SELECT DISTINCT place FROM seen")).all()) == 1


def test_a_serialization_failure_is_retried(ledger: Ledger) -> None:
    ledger.commit(insert(1))
    tries: list[int] = []
    count_up = text("UPDATE seen SET place = coalesce(place, 0) + 1")

    strict = Ledger(ledger.engine.execution_options(isolation_level="REPEATABLE READ"), "t")

    def disturbed(connection: Connection) -> None:
        connection.execute(text("SELECT count(*) FROM seen")).scalar_one()
        tries.append(1)
        if len(tries) == 1:
            with ledger.engine.begin() as other:
                other.execute(count_up)
        connection.execute(count_up)

    strict.commit(disturbed)
    assert len(tries) == 2
    with ledger.engine.connect() as connection:
        assert connection.execute(text("SELECT place FROM seen")).scalar_one() == 2


def test_a_lock_timeout_is_retried(ledger: Ledger) -> None:
    ledger.commit(insert(1))
    tries: list[int] = []
    taken = ledger.engine.connect()
    taken.execute(text("SELECT 1 FROM seen FOR UPDATE"))

    def work(connection: Connection) -> None:
        tries.append(1)
        if len(tries) == 2:
            taken.rollback()
        connection.execute(text("SET LOCAL lock_timeout = '50ms'"))
        connection.execute(text("UPDATE seen SET place = 7"))

    ledger.commit(work)
    taken.close()
    assert len(tries) == 2


def test_a_slow_statement_is_retried_once(ledger: Ledger) -> None:
    tries: list[int] = []

    def work(connection: Connection) -> None:
        tries.append(1)
        connection.execute(text("SET LOCAL statement_timeout = '50ms'"))
        connection.execute(text("SELECT pg_sleep(30)"))

    with pytest.raises(TooSlow):
        ledger.commit(work)
    assert len(tries) == retry.MAX_SLOW_TRIES == 2


def test_an_idle_timeout_is_retried(ledger: Ledger) -> None:
    tries: list[int] = []

    def work(connection: Connection) -> None:
        tries.append(1)
        connection.execute(INSERT, {"key": 1})
        if len(tries) == 1:
            connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = '20ms'"))
            time.sleep(0.3)  # the test is that no statement runs during this time
            connection.execute(text("SELECT 1"))

    ledger.commit(work)
    assert len(tries) == 2
    assert seen(ledger.engine) == [1]


def test_a_terminated_session_is_retried(ledger: Ledger) -> None:
    end_myself = text("SELECT pg_terminate_backend(pg_backend_pid())")
    tries: list[int] = []

    def work(connection: Connection) -> None:
        tries.append(1)
        connection.execute(INSERT, {"key": 1})
        if len(tries) < 3:
            connection.execute(end_myself)

    ledger.commit(work)
    assert seen(ledger.engine) == [1]
    assert len(tries) == 3


def test_a_read_is_retried(ledger: Ledger) -> None:
    tries: list[int] = []

    def read_five(connection: Connection) -> int:
        tries.append(1)
        if len(tries) == 1:
            connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
        return int(connection.execute(text("SELECT 5")).scalar_one())

    assert ledger.read(read_five) == 5
    assert ledger.dry_run(read_five) == 5


def test_an_invalid_record_is_not_retried(ledger: Ledger) -> None:
    tries: list[int] = []

    def work(connection: Connection) -> None:
        tries.append(1)
        connection.execute(text("SELECT 1 / 0"))

    with pytest.raises(InvalidRecord):
        ledger.commit(work)
    assert len(tries) == 1


def test_retries_are_limited(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "MAX_PAUSE", 0.05)
    nowhere = make_engine("postgresql://nobody@127.0.0.1:1/none")
    tries: list[int] = []

    def work() -> None:
        tries.append(1)
        with database_errors(), nowhere.connect():
            pass

    began = time.monotonic()
    with pytest.raises(DatabaseUnavailable):
        retry.with_retries(work, 0.5)
    assert 0.3 < time.monotonic() - began < 10
    assert len(tries) > 5
    nowhere.dispose()


def test_pauses_grow_to_a_limit_and_differ() -> None:
    for tries in range(1, 20):
        pauses = [retry.backoff(tries) for _ in range(20)]
        longest = min(retry.MAX_PAUSE, 0.02 * 4**tries)
        assert all(longest / 2 <= pause <= longest for pause in pauses)
        assert len(set(pauses)) > 10


@pytest.mark.parametrize("waits_for", ["the server", "another try"])
def test_a_canceled_call_ends_at_once_in_any_thread(ledger: Ledger, waits_for: str) -> None:
    under_way = threading.Event()

    def work(connection: Connection) -> None:
        under_way.set()
        if waits_for == "another try":
            raise DatabaseUnavailable
        connection.execute(text("SELECT pg_sleep(60)"))

    with ThreadPoolExecutor(1) as threads:
        future = threads.submit(ledger.commit, work)
        assert under_way.wait(10)
        cancel_pending_calls()
        with pytest.raises(Interrupted):
            future.result(15)
    assert ledger.commit(insert(1)) == 1, "later calls are not canceled"


#: Calls that can wait for a server that stops answering, in addition to those in test_connect.py.
CALLS: dict[str, Callable[[Engine, Connection], object]] = {
    "commit": lambda _, connection: connection.commit(),
    "rollback": lambda _, connection: connection.rollback(),
    "connect": lambda far, _: far.connect(),
}


@pytest.mark.parametrize("call", CALLS)
def test_no_call_waits_for_a_silent_server_beyond_its_deadline(
    far: Engine, proxy: Proxy, call: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("etl.database.connect.CLIENT_GRACE_SECONDS", 0.2)
    monkeypatch.setattr("etl.database.connect._CONNECT_OPTIONS", {"connect_timeout": 2})
    monkeypatch.setattr(deadline, "_CANCEL_SECONDS", 0.1)
    impatient = with_limits(far, statement_s=0.2)
    connection = impatient.connect()
    connection.execute(text("SELECT 1"))
    proxy.swallows.set()
    began = time.monotonic()
    with pytest.raises(Exception, match=r"did not answer|timeout expired"):
        CALLS[call](make_engine(proxy.url, pool_size=1), connection)
    assert time.monotonic() - began < 5
    connection.invalidate()
    connection.close()


def test_a_renewal_without_an_answer_ends_before_the_next_one(
    engine: Engine, far: Engine, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("etl.database.connect.CLIENT_GRACE_SECONDS", 0.1)
    monkeypatch.setattr(deadline, "_CANCEL_SECONDS", 0.1)
    monkeypatch.setattr("etl.ledger.leases.HEARTBEAT", 0.3)
    monkeypatch.setattr("etl.ledger.leases.RELEASE_SECONDS", 0.3)
    monkeypatch.setattr("etl.database.connect._CONNECT_SECONDS", 0.3)
    with pytest.raises(LeaseLost), hold_lease(far, "t", ["contacts"]) as lease:  # noqa: PT012 (a fault in the middle)
        proxy.swallows.set()
        time.sleep(1)  # some renewals get no answer
        proxy.swallows.clear()
        started = time.monotonic()
        while expiry(engine) < 50:
            assert time.monotonic() - started < 20
            time.sleep(0.05)
        release_lease(engine, lease)
        with hold_lease(engine, "t", ["contacts"]), engine.begin() as connection:
            verify_lease(connection, lease)


def expiry(engine: Engine) -> float:
    """Return the seconds until a lease expires."""
    with engine.connect() as connection:
        return float(
            connection.execute(text("SELECT extract(epoch FROM expires_at - now()) FROM etl.leases")).scalar_one()
        )


@contextmanager
def fixed_after_tries(ledger: Ledger, statement: str, after_tries: list[int]) -> Iterator[None]:
    """Run a statement after the second try."""

    def fix() -> None:
        assert wait_until(lambda: len(after_tries) >= 2, 30)
        with ledger.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text(statement))

    with ThreadPoolExecutor(1) as threads:
        future = threads.submit(fix)
        yield
        future.result(30)


def insert_counting_tries(engine: Engine, tries: list[int]) -> None:
    """Insert a row in one transaction, and count its tries."""
    for attempt in retry.Attempts():
        tries.append(1)
        with attempt, Ledger(engine, "t").transaction() as connection:
            insert(1)(connection)


def test_a_read_only_server_is_retried(ledger: Ledger, database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connect, "is_primary", lambda _: False)
    name = urlsplit(database_url).path.lstrip("/")
    tries: list[int] = []
    with ledger.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f"ALTER DATABASE {name} SET default_transaction_read_only = on"))
    during = make_engine(database_url)
    with fixed_after_tries(ledger, f"ALTER DATABASE {name} RESET default_transaction_read_only", tries):
        insert_counting_tries(during, tries)
    during.dispose()
    assert seen(ledger.engine) == [1]


def test_a_full_server_is_retried(ledger: Ledger, database_url: str) -> None:
    role = f"crowded_{uuid4().hex[:8]}"
    tries: list[int] = []
    with ledger.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f"CREATE ROLE {role} LOGIN PASSWORD 'p' CONNECTION LIMIT 0"))
    parts = urlsplit(database_url)
    crowded = make_engine(parts._replace(netloc=f"{role}:p@{parts.hostname}:{parts.port}").geturl())
    with fixed_after_tries(ledger, f"ALTER ROLE {role} CONNECTION LIMIT 5", tries):
        for attempt in retry.Attempts():
            tries.append(1)
            with attempt, database_errors(), crowded.connect() as connection:
                assert connection.execute(text("SELECT 7")).scalar() == 7
    crowded.dispose()
    with ledger.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f"DROP ROLE {role}"))
