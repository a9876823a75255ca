"""The budget of calls: whatever the order in which resources come, each has a fair share and none too much is spent."""

from math import ceil
from random import Random

from hypothesis import given
from hypothesis import strategies as some

from etl.extract.call_budget import CallBudget

WANTED = some.lists(some.integers(0, 60), min_size=1, max_size=8)


@given(calls=some.integers(0, 200), wanted=WANTED, dice=some.randoms(use_true_random=False))
def test_no_more_is_granted_than_there_is_and_everyone_has_a_share(calls: int, wanted: list[int], dice: Random) -> None:
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
    assert all(mine >= min(fair, mine_wanted) for mine, mine_wanted in zip(granted, wanted, strict=True))


@given(calls=some.integers(0, 200), wanted=WANTED)
def test_one_after_the_other_they_leave_over_what_they_do_not_need(calls: int, wanted: list[int]) -> None:
    names = [str(number) for number in range(len(wanted))]
    budget, left = CallBudget(calls, names), calls
    for number, (name, mine) in enumerate(zip(names, wanted, strict=True)):
        granted = budget.acquire(name, mine)
        budget.release(name)
        assert granted == min(mine, ceil(left / (len(names) - number)))
        left -= granted


def test_the_last_ones_share_what_others_left_over() -> None:
    budget = CallBudget(10, ["a", "b"])
    assert budget.acquire("b", 3) == 3
    assert budget.acquire("a", 1) == 1
    assert budget.acquire("b", 100) == 2, "a may still want its share"
    budget.release("a")
    assert budget.acquire("b", 100) == 4


def test_without_a_budget_everything_is_granted() -> None:
    budget = CallBudget()
    assert budget.acquire("documents", 10**9) == 10**9
    budget.release("documents")
