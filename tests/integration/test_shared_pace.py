"""One pace for all workers of a tenant: one schedule, one law, and what one of them is told holds for all."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from client_bench import CREDENTIALS, QUICK, feed
from scripted_api import ScriptedApi, answer, page
from sqlalchemy import Engine, event, text

from etl.api.client import ApiClient
from etl.api.protocol import TooMany
from etl.api.rate_limit.buckets import SharedBucket
from etl.api.rate_limit.pace import AFTER
from etl.api.rate_limit.pacer import Pacer
from etl.api.retry_state import Trial
from etl.config.settings import Settings
from etl.errors import QuotaSpent
from etl.ledger.executor import LedgerExecutor
from etl.ledger.transaction import Ledger

TENANT = "paced"


@contextmanager
def pacers(
    engine: Engine, cap: float, number: int = 2, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
) -> Iterator[list[Pacer]]:
    """Give pacers as clients of their own have them."""
    besides = [LedgerExecutor(Ledger(engine, TENANT)) for _ in range(number)]
    try:
        yield [Pacer(cap, SharedBucket(one), sleep) for one in besides]
    finally:
        for one in besides:
            one.close()


def run(work: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    return asyncio.run(work())


def test_all_workers_take_their_places_in_one_schedule(engine: Engine) -> None:
    with pacers(engine, 20) as (one, other):
        starts: list[float] = []

        async def call(pacer: Pacer) -> None:
            await pacer.turn()
            starts.append(time.monotonic())

        async def work() -> None:
            await asyncio.gather(*(call(pacer) for pacer in (one, other) for _ in range(12)))

        run(work)
    with engine.connect() as connection:
        taken = connection.execute(text("SELECT taken FROM etl.rate_buckets")).scalar_one()
    assert taken >= 24  # places that came too late were given up, and are not among the starts
    assert max(starts) - min(starts) > 0.8


def test_what_one_worker_is_told_slows_the_others_and_holds_them(engine: Engine) -> None:
    with pacers(engine, 10, sleep=lambda _: asyncio.sleep(0)) as (one, other):

        async def work() -> tuple[float, float]:
            await one.turn()
            await other.turn()
            await one.complain(sent=time.monotonic(), retry_after=60.0)
            return await other.turn(), other._rate()

        waited, rate = run(work)
    assert 30 < waited <= 61
    assert rate < 10


def test_complaints_to_all_workers_at_once_count_once(engine: Engine) -> None:
    with pacers(engine, 10, 4) as some:

        async def work() -> None:
            for one in some:
                await one.turn()
            sent = time.monotonic()
            await asyncio.gather(*(one.complain(sent, None) for one in some for _ in range(3)))

        run(work)
    with engine.connect() as connection:
        (changes,) = connection.execute(text("SELECT changes FROM etl.rate_buckets")).scalars()
    assert changes == 1


def test_what_was_learnt_holds_for_the_next_run_and_idle_time_is_no_success(engine: Engine) -> None:
    with pacers(engine, 10, 1) as (one,):

        async def complain() -> None:
            await one.turn()
            await one.complain(time.monotonic(), None)

        run(complain)
    with engine.begin() as connection:
        connection.execute(
            text("UPDATE etl.rate_buckets SET next_at = next_at - interval '1 hour', since = since - interval '1 hour'")
        )
    with pacers(engine, 10, 1) as (later,):

        async def turns() -> float:
            await later.turn()
            return later._rate()

        assert run(turns) < 10 * AFTER


def test_a_spent_quota_is_known_to_all_workers(engine: Engine) -> None:
    with pacers(engine, 10) as (one, other):

        async def work() -> None:
            await other.turn()
            await one.turn()
            await one.complain(time.monotonic(), 7200.0)
            with pytest.raises(QuotaSpent):
                await asyncio.gather(*(other.turn() for _ in range(3)))  # a place that it had already may be used

        run(work)


def test_the_pace_costs_few_statements(engine: Engine) -> None:
    statements: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda _c, _k, statement, *_: statements.append(statement))
    with pacers(engine, 10, 1) as (one,):

        async def caller() -> None:
            for _ in range(4):
                await one.turn()
                await asyncio.sleep(0.15)

        async def work() -> None:
            await asyncio.gather(*(caller() for _ in range(8)))

        begun = time.monotonic()
        run(work)
        seconds = time.monotonic() - begun
    assert sum("rate_buckets" in one for one in statements) < 3 * seconds + 2


def test_without_a_cap_a_place_costs_no_statement(engine: Engine) -> None:
    statements: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda _c, _k, statement, *_: statements.append(statement))
    with pacers(engine, 0, 1) as (one,):

        async def work() -> None:
            await one.begin()
            await one.took("contacts", 0.001)
            begun = time.monotonic()
            while one._rate():  # an API that answers at once is trusted at once
                await one.turn()
            statements.clear()
            for _ in range(1000):
                await one.turn()
            assert time.monotonic() - begun < 10

        run(work)
    assert sum("rate_buckets" in one for one in statements) < 30


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_retry_after_of_one_client_is_kept_by_another(
    engine: Engine, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = "Sat, 31 Jan 2026 12:00:00 GMT"
    asked = "1" if form == "seconds" else "Sat, 31 Jan 2026 12:00:01 GMT"
    api = ScriptedApi([page(1), page(2), answer(429, Retry_After=asked, Date=now), page(3)])

    async def work() -> list[float]:
        async with api:
            settings = Settings(
                _env_file=None,
                etl_tenant=TENANT,
                etl_rate=10,
                qqcatalyst_api_url=f"{api.address}/v1",
                qqcatalyst_token_url=f"{api.address}/oauth/token",
                **CREDENTIALS,
            )
            first = ApiClient(settings, ledger=Ledger(engine, TENANT), limits=QUICK)
            other = ApiClient(settings, ledger=Ledger(engine, TENANT), limits=QUICK)
            async with first, other:
                await first.fetch(feed())
                await other.fetch(feed())
                begun = time.monotonic()
                held = asyncio.Event()
                heed = first._heed

                async def heeded(error: TooMany, trial: Trial) -> None:
                    await first._pacer.complain(trial.sent, error.retry_after)
                    held.set()
                    await heed(error, trial)

                monkeypatch.setattr(first, "_heed", heeded)
                refused = asyncio.create_task(first.fetch(feed()))
                await held.wait()
                await other.fetch(feed())
                ended = time.monotonic() - begun
                await refused
            return [ended]

    assert asyncio.run(work())[0] > 0.9
