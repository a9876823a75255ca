"""The pace of calls, the patience with failing ones, and the circuit; by a clock that only tests move."""

import asyncio
from random import Random
from statistics import mean

import pytest
from hypothesis import given
from hypothesis import strategies as st
from virtual_time import work

from etl.api.protocol import TooMany
from etl.api.rate_limit.buckets import MemoryBucket
from etl.api.rate_limit.pace import AFTER, CLIMB, DOUBLES, FIRST, HELD, SLOWEST, TOWARDS, Pace
from etl.api.rate_limit.pacer import Pacer
from etl.api.rate_limit.strain import Strain
from etl.api.retry_policy import Circuit, Patience
from etl.api.retry_state import Down, Means, Trial
from etl.api.traffic import Traffic
from etl.errors import ApiUnavailable, QuotaSpent


class Clock:
    """A monotonic clock that sleeping moves."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def means(clock: Clock, patience: Patience | None = None, seed: int = 1) -> Means:
    return Means(patience or Patience(), Circuit(), Traffic(), clock, clock.sleep, Random(seed))


# --- the law ---


def test_the_cap_is_the_pace_while_the_api_does_not_complain() -> None:
    assert Pace().rate(0.0, 7.0) == 7.0
    assert Pace().rate(1e6, 0.0) == 0.0


def test_an_unknown_api_is_met_gently_whatever_the_cap_and_the_sooner_trusted_the_quicker_it_answers() -> None:
    assert [Pace().rate(used, 500.0) for used in (0.0, 1.0, 2.0, 6.0)] == [FIRST, 2 * FIRST, 4 * FIRST, 500.0]
    assert Pace().rate(0.06, 0.0, answer=0.01) == pytest.approx(2 * FIRST)
    assert Pace().rate(1.0, 0.0, answer=0.005) == 0.0


def test_a_complaint_at_the_edge_costs_little_and_the_pace_stays_below_the_edge_for_long() -> None:
    pace = Pace(floor=18.0, ceiling=19.4).after_complaint(rate=20.0, took=20.0, sure=True)
    assert pace.rate(0.0, 50.0) == pytest.approx(20 * AFTER)
    assert pace.rate(CLIMB, 50.0) == pytest.approx(20 * TOWARDS)
    assert pace.rate(1.5 * CLIMB, 50.0) < 20 < pace.rate(2 * CLIMB, 50.0)
    average = sum(pace.rate(step / 10, 50.0) for step in range(int(10 * CLIMB))) / (10 * CLIMB)
    assert average > 0.93 * 20


def test_a_guess_begins_low_and_doubles_until_the_api_says_where_the_edge_is() -> None:
    pace = Pace().after_complaint(rate=50.0, took=20.0, sure=False)
    assert pace.rate(HELD, 50.0) == pytest.approx(20 * AFTER)
    assert pace.rate(HELD + DOUBLES, 50.0) == pytest.approx(40 * AFTER)
    assert pace.rate(1e6, 50.0) == 50.0


def test_a_guess_leaves_a_third_however_little_was_observed() -> None:
    assert Pace().after_complaint(rate=30.0, took=0.0, sure=False).ceiling == pytest.approx(10 * TOWARDS)


def test_without_a_cap_what_was_observed_counts_until_it_is_far_behind() -> None:
    pace = Pace().after_complaint(rate=0.0, took=20.0, sure=False)
    assert pace.rate(0.0, 0.0) == pytest.approx(20 * AFTER)
    assert pace.rate(10.0, 0.0) > 20
    assert pace.rate(10 * CLIMB, 0.0) == 0.0


@given(
    floor=st.floats(0.1, 100), rate=st.floats(0.1, 1000), took=st.floats(0, 1000), sure=st.booleans(),
)  # fmt: skip
def test_no_complaint_raises_the_pace_or_brings_it_to_a_stop(
    floor: float,
    rate: float,
    took: float,
    sure: bool,
) -> None:
    pace = Pace(floor, floor * TOWARDS / AFTER).after_complaint(rate, took, sure=sure)
    assert SLOWEST * AFTER <= pace.rate(0.0, 1000.0) <= max(rate, SLOWEST)
    assert all(pace.rate(at, 1000.0) <= pace.rate(at + 1, 1000.0) + 1e-9 for at in range(0, 100, 7))


# --- workers that share a pace, in virtual time ---


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("cap", [20, 50, 0])
def test_nine_tenths_of_what_an_api_allows_are_used_and_one_call_in_a_hundred_refused(cap: int, workers: int) -> None:
    """Over many runs: below, at and beyond the cap, with what a first meeting costs."""
    done = [work(cap=cap, workers=workers, limit=20, seed=seed) for seed in range(8)]
    assert mean(one.used for one in done) >= 0.9
    assert min(one.used for one in done) >= 0.88
    assert max(one.refused for one in done) < 0.01


@pytest.mark.parametrize("workers", [1, 2, 4])
@pytest.mark.parametrize("limit", [5, 10, 20])
def test_in_the_long_run_few_calls_are_refused_however_few_are_allowed_and_however_many_share_them(
    limit: int, workers: int
) -> None:
    done = work(cap=50, workers=workers, limit=limit, seconds=600)
    assert done.used >= 0.92
    assert done.refused < 0.01


@pytest.mark.parametrize("seed", range(20))
def test_whatever_is_allowed_the_pace_finds_it(seed: int) -> None:
    dice = Random(seed)
    limit, latency, workers = dice.randint(6, 60), dice.uniform(0.03, 0.4), dice.randint(1, 4)
    cap = dice.choice([0, 10, 200])
    done = work(cap=cap, workers=workers, limit=limit, latency=latency, seconds=120, seed=seed)
    wanted = 8 * workers / latency / 1.5  # by callers of which some rest, since they were refused
    reachable = min(1.0, (cap or limit) / limit, wanted / limit)
    assert done.used >= 0.75 * reachable
    assert done.refused < 0.05


# --- the pacer ---


def pacer(clock: Clock, cap: float) -> Pacer:
    return Pacer(cap, MemoryBucket(clock), clock.sleep, clock)


def test_no_second_holds_more_calls_than_the_rate() -> None:
    clock, starts = Clock(), []

    async def call() -> None:
        paced = pacer(clock, 7)
        for step in range(200):
            clock.now += 0.01 * (step % 3)
            await paced.turn()
            starts.append(clock.now)

    asyncio.run(call())
    assert all(sum(start <= other < start + 1 - 1e-9 for other in starts) <= 7 for start in starts)
    assert len(starts) / (starts[-1] - starts[0]) == pytest.approx(7, rel=0.05)


def test_without_a_cap_nobody_waits_once_an_unknown_api_has_taken_some_calls() -> None:
    clock = Clock()

    async def call() -> set[float]:
        paced = pacer(clock, 0)
        await paced.begin()
        await paced.took("contacts", 0.01)
        while paced._rate():
            await paced.turn()
        clock.now += 1  # places that were taken before are behind us
        assert clock.now < 1002, "an API that answers at once is trusted at once"
        clock.slept.clear()
        return {await paced.turn() for _ in range(1000)}

    assert asyncio.run(call()) == {0.0}
    assert clock.slept == []


def test_a_named_wait_holds_every_call_and_the_pace_is_slower_behind_it() -> None:
    clock = Clock()

    async def call() -> tuple[float, float]:
        paced = pacer(clock, 10)
        for _ in range(30):
            await paced.turn()
        await paced.complain(sent=clock.now, retry_after=30.0)
        return await paced.turn(), await paced.turn()

    held, slower = asyncio.run(call())
    assert held == pytest.approx(30, abs=0.01)
    assert slower > 0.105


def test_a_place_that_was_handed_out_before_a_hold_is_given_up() -> None:
    clock = Clock()

    async def call() -> float:
        paced = pacer(clock, 1)
        await paced.turn()

        async def interrupted(seconds: float) -> None:
            clock.now += seconds
            if not clock.slept:
                clock.slept.append(seconds)
                await paced.complain(sent=clock.now, retry_after=20.0)

        paced._sleep = interrupted
        return await paced.turn()

    assert asyncio.run(call()) >= 20


def test_complaints_of_calls_that_were_under_way_together_count_once() -> None:
    clock = Clock()

    async def call() -> tuple[int, int]:
        bucket = MemoryBucket(clock)
        paced = Pacer(10, bucket, clock.sleep, clock)
        await paced.turn()
        for _ in range(8):
            await paced.complain(sent=clock.now, retry_after=None)
        together = (await bucket.look()).changes
        clock.now += 2
        await paced.complain(sent=clock.now, retry_after=None)
        return together, (await bucket.look()).changes

    assert asyncio.run(call()) == (1, 2)


def test_a_wait_beyond_the_longest_ends_every_call_until_a_new_run_asks() -> None:
    clock = Clock()

    async def call() -> None:
        bucket = MemoryBucket(clock)
        paced = Pacer(10, bucket, clock.sleep, clock)
        await paced.complain(sent=clock.now, retry_after=7200.0)
        for _ in range(3):
            with pytest.raises(QuotaSpent) as error:
                await paced.turn()
            assert error.value.retry_after == pytest.approx(7200)
        assert clock.slept == []
        new = Pacer(10, bucket, clock.sleep, clock)
        await new.begin()
        assert await new.turn() < 1

    asyncio.run(call())


def test_callers_that_come_late_do_not_come_in_a_bunch() -> None:
    clock, starts = Clock(), []

    async def call() -> None:
        paced = pacer(clock, 10)

        async def one() -> None:
            await paced.turn()
            starts.append(clock.now)

        async def stalled(seconds: float) -> None:
            clock.now += seconds + (3.0 if len(starts) == 2 else 0.0)

        paced._sleep = stalled
        await asyncio.gather(*(one() for _ in range(6)))

    asyncio.run(call())
    assert all(sum(start <= other < start + 0.5 for other in starts) <= 5 for start in starts)


# --- strain ---


def test_answers_that_take_far_longer_slow_everybody_down_and_faster_ones_do_not() -> None:
    clock = Clock()

    async def call() -> list[float]:
        bucket = MemoryBucket(clock)
        paced = Pacer(10, bucket, clock.sleep, clock)
        floors = []
        for seconds in (0.15, 0.1, 1.5):
            for _ in range(40):
                await paced.turn()
                await paced.took("contacts", seconds)
            floors.append((await bucket.look()).floor)
        return floors

    assert asyncio.run(call()) == [0.0, 0.0, pytest.approx(8.0)]


def test_a_slower_resource_is_no_strain() -> None:
    strain = Strain()
    assert not any(strain.note(name, seconds) for _ in range(100) for name, seconds in (("a", 0.1), ("b", 2.0)))


# --- patience ---


@pytest.mark.parametrize("failures", range(1, 8))
def test_pauses_grow_under_a_cap_and_differ_between_seeds(failures: int) -> None:
    patience = Patience()
    pauses = {patience.pause(failures, Random(seed)) for seed in range(50)}
    assert len(pauses) == 50
    assert all(0 <= pause <= min(30.0, 2.0 ** (failures - 1)) for pause in pauses)


def test_an_obedient_pause_is_never_shorter_than_what_was_asked() -> None:
    pauses = [Patience().obedient(17.0, Random(seed)) for seed in range(50)]
    assert min(pauses) >= 17
    assert max(pauses) <= 18


async def fail(trial: Trial, error: ApiUnavailable) -> int:
    attempts = 0
    while True:
        trial.begin()
        attempts += 1
        try:
            await trial.bear(error)
        except ApiUnavailable:
            return attempts


def test_a_call_is_given_up_after_its_attempts() -> None:
    clock = Clock()
    assert asyncio.run(fail(Trial("x", means(clock)), ApiUnavailable())) == 5
    assert len(clock.slept) == 4


def test_a_call_is_given_up_when_its_time_is_spent() -> None:
    clock = Clock()
    trial = Trial("x", means(clock, Patience(attempts=99, total=10.0)))
    assert asyncio.run(fail(trial, ApiUnavailable())) < 20
    assert clock.now < 1000 + 10 + 30


def test_an_error_that_names_a_time_is_waited_for_up_to_a_cap() -> None:
    clock = Clock()
    trial = Trial("x", means(clock))
    asyncio.run(fail(trial, ApiUnavailable(retry_after=400.0)))
    assert len(clock.slept) == 2
    assert all(400 <= pause <= 401 for pause in clock.slept)


def test_a_wait_beyond_the_cap_ends_the_call_at_once() -> None:
    clock = Clock()
    trial = Trial("x", means(clock))
    with pytest.raises(TooMany) as error:
        asyncio.run(trial.obey(TooMany(retry_after=901.0)))
    assert (error.value.retry_after, clock.slept) == (901.0, [])


def test_complaints_are_no_failures_but_end_too() -> None:
    clock = Clock()
    trial = Trial("x", means(clock))

    async def complain() -> None:
        for _ in range(9):
            await trial.obey(TooMany(retry_after=1.0))
        await trial.bear(ApiUnavailable())  # the first failure: still patient
        await trial.obey(TooMany(retry_after=1.0))

    with pytest.raises(TooMany):
        asyncio.run(complain())
    assert len(clock.slept) == 10


def test_after_failures_in_a_row_the_circuit_opens_and_bounds_every_further_cost() -> None:
    clock = Clock()
    shared = means(clock)
    assert [asyncio.run(fail(Trial(name, shared), ApiUnavailable())) for name in "abc"] == [5, 5, 5]
    with pytest.raises(Down):
        Trial("d", shared).begin()
    clock.now += 31
    assert asyncio.run(fail(Trial("e", shared), ApiUnavailable())) == 1
    with pytest.raises(Down):
        Trial("f", shared).begin()


def test_one_success_closes_the_circuit() -> None:
    circuit = Circuit()
    for name in "abcde":
        circuit.failed(0.0, name)
    assert not circuit.admits(1.0, "f")
    circuit.succeeded("a")
    assert circuit.admits(1.0, "a")
    assert not circuit.is_open("a")


def test_the_failures_of_one_resource_close_no_other() -> None:
    circuit = Circuit()
    for _ in range(5):
        circuit.failed(0.0, "quotes")
    assert not circuit.admits(1.0, "quotes")
    assert circuit.admits(1.0, "drivers")
    circuit.failed(2.0, "drivers")
    assert not circuit.admits(3.0, "vehicles")


def test_answers_for_another_resource_do_not_say_that_a_failing_one_is_well_again() -> None:
    circuit = Circuit()
    for _ in range(3):
        circuit.failed(0.0, "quotes")
        circuit.succeeded("drivers")
    assert not circuit.admits(1.0, "quotes")
    assert circuit.admits(1.0, "drivers")
    circuit.succeeded("quotes")
    assert circuit.admits(1.0, "quotes")


def test_failures_here_and_there_among_answers_are_no_outage() -> None:
    circuit = Circuit()
    for name in ("quotes", "drivers", "claims"):
        circuit.failed(0.0, name)
        circuit.succeeded("contacts")
    assert circuit.admits(1.0, "documents")
