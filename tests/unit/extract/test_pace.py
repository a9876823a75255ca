"""The pace of calls, the patience with failing ones, and the circuit; by a clock that only tests move."""

import asyncio
from random import Random

import pytest

from etl.errors import ApiUnavailable
from etl.extract.pace import RECOVERY, SLOWEST, Pace, Pacer
from etl.extract.patience import Circuit, Patience
from etl.extract.protocol import TooMany
from etl.extract.traffic import Traffic
from etl.extract.trial import Down, Means, Trial


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


def test_calls_are_spaced_evenly() -> None:
    pace = Pace(10)
    assert [round(pace.reserve(0.0), 3) for _ in range(4)] == [0, 0.1, 0.2, 0.3]
    assert pace.reserve(5.0) == 0


def test_no_second_holds_more_calls_than_the_rate() -> None:
    pace, now, starts = Pace(7), 0.0, []
    for step in range(200):
        now += 0.01 * (step % 3)
        starts.append(now + pace.reserve(now))
    for start in starts:
        assert sum(start <= other < start + 1 - 1e-9 for other in starts) <= 7


def test_without_a_cap_nobody_waits() -> None:
    pace = Pace(0)
    assert {pace.reserve(1.0) for _ in range(1000)} == {0.0}


def test_a_complaint_halves_the_pace_and_it_grows_back() -> None:
    pace = Pace(10)
    pace.slow_down(100.0)
    assert pace.rate(100.0) == 5
    assert pace.rate(100.0 + RECOVERY / 2) == pytest.approx(7.5)
    assert pace.rate(100.0 + 10 * RECOVERY) == 10


def test_complaints_that_come_together_count_once_and_later_ones_each() -> None:
    pace = Pace(8)
    for moment in (0.0, 0.1, 0.9):
        pace.slow_down(moment)
    assert pace.rate(0.0) == 4
    pace.slow_down(1.0)
    assert pace.rate(1.0) == pytest.approx(2, rel=0.1)
    for moment in range(2, 40):
        pace.slow_down(float(moment))
    assert pace.rate(40.0) >= SLOWEST


def test_without_a_cap_a_complaint_halves_what_was_observed_until_it_is_forgotten() -> None:
    pace = Pace(0)
    for call in range(40):
        pace.reserve(call / 20)
    pace.slow_down(2.0)
    assert pace.rate(2.0) == pytest.approx(10, rel=0.1)
    assert pace.rate(2.0 + 10 * RECOVERY) == 0


def test_a_named_wait_holds_every_call() -> None:
    clock = Clock()
    pacer = Pacer(Pace(0), clock.sleep, clock)
    pacer.complain(30.0)
    assert asyncio.run(pacer.turn()) == 30
    assert asyncio.run(pacer.turn()) == pytest.approx(2.0)  # one call a second, halved
    assert clock.now == pytest.approx(1000 + sum(clock.slept))


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
    circuit.succeeded()
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
