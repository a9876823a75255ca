"""The call budget: every resource gets its fair share in any order, and no more calls are granted than exist."""

from math import ceil
from random import Random

from hypothesis import given
from hypothesis import strategies as some

from etl.extract.call_budget import CallBudget

WANTED = some.lists(some.integers(0, 60), min_size=1, max_size=8)


@given(calls=some.integers(0, 200), wanted=WANTED, dice=some.randoms(use_true_random=False))
def test_grants_stay_within_the_budget_and_every_resource_gets_its_share(
    calls: int, wanted: list[int], dice: Random
) -> None:
    budget = CallBudget(calls, [str(number) for number in range(len(wanted))])
    left, granted = dict(enumerate(wanted)), [0] * len(wanted)
    while left:
        number = dice.choice(list(left))
        some_calls = budget.acquire(str(number), min(left[number], dice.choice([3, 1000])))
        granted[number] += some_calls
        left[number] -= some_calls
        if not left[number] or not some_calls:
            del left[number]
            budget.release(str(number))
    assert sum(granted) <= calls
    fair = calls // len(wanted)
    assert all(
        granted_calls >= min(fair, wanted_calls) for granted_calls, wanted_calls in zip(granted, wanted, strict=True)
    )


@given(calls=some.integers(0, 200), wanted=WANTED)
def test_sequential_resources_leave_unused_calls_to_later_ones(calls: int, wanted: list[int]) -> None:
    names = [str(number) for number in range(len(wanted))]
    budget, left = CallBudget(calls, names), calls
    for number, (name, granted_calls) in enumerate(zip(names, wanted, strict=True)):
        granted = budget.acquire(name, granted_calls)
        budget.release(name)
        assert granted == min(granted_calls, ceil(left / (len(names) - number)))
        left -= granted


def test_the_last_resources_use_what_others_left() -> None:
    budget = CallBudget(10, ["a", "b"])
    assert budget.acquire("b", 3) == 3
    assert budget.acquire("a", 1) == 1
    assert budget.acquire("b", 100) == 2, "a may still use its share"
    budget.release("a")
    assert budget.acquire("b", 100) == 4


def test_without_a_budget_every_call_is_granted() -> None:
    budget = CallBudget()
    assert budget.acquire("documents", 10**9) == 10**9
    budget.release("documents")
