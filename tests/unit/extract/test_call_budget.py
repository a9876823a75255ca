"""The call budget: no more calls than it has, and never only some of the calls of a parent."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as some

from etl.extract.details.call_budget import CallBudget, limit_to_whole_parents
from etl.ledger.children.queue import ChildRequest

#: How many calls each parent needs, in the order of the queue.
NEEDS = some.lists(some.integers(1, 4), max_size=12)


def requests_of(needs: list[int]) -> list[ChildRequest]:
    """Return the requests of policies that need some calls each."""
    names = ("adjustments", "policy_details", "quotes", "coverages")
    return [
        ChildRequest(str(number), UUID(int=0), b"{}", name)
        for number, calls in enumerate(needs)
        for name in names[:calls]
    ]


def parents_cut(requests: list[ChildRequest], granted: int) -> set[str]:
    """Return the parents of whom only some calls are among the first ones."""
    taken = {request.parent_id for request in requests[:granted]}
    return taken & {request.parent_id for request in requests[granted:]}


@given(needs=NEEDS, most=some.integers(-1, 60))
def test_a_limit_never_parts_a_parent_and_uses_what_fits(needs: list[int], most: int) -> None:
    requests = requests_of(needs)
    granted = len(limit_to_whole_parents(requests, most))
    assert granted <= max(0, most)
    assert not parents_cut(requests, granted)
    following = [
        request for request in requests if granted < len(requests) and request.parent == requests[granted].parent
    ]
    assert not following or granted + len(following) > most


@given(needs=NEEDS, calls=some.integers(0, 60), size=some.integers(1, 5))
def test_a_run_makes_no_more_calls_than_its_budget_has(needs: list[int], calls: int, size: int) -> None:
    budget, requests, total = CallBudget(calls), requests_of(needs), 0
    while total < len(requests):
        parents = list(dict.fromkeys(request.parent for request in requests[total:]))[:size]
        granted = budget.take([request for request in requests[total:] if request.parent in parents])
        if not granted:
            break
        total += len(granted)
    assert not parents_cut(requests, total)
    first_parent = needs[0] if needs and calls else 0
    assert total <= max(calls, first_parent)
    assert total or not needs or not calls, "a budget that allows a call makes progress"


def test_a_policy_is_read_whole_by_a_budget_that_is_too_small_for_it() -> None:
    budget, requests = CallBudget(1), requests_of([2, 2])
    assert budget.take(requests) == requests[:2]
    assert budget.take(requests[2:]) == []


def test_without_a_budget_every_call_is_granted() -> None:
    requests = requests_of([1] * 50)
    assert CallBudget().take(requests) == requests
