"""What counts as a wait in the traffic of a run."""

import asyncio
from random import Random

import pytest

from etl.api.retry_policy import CircuitBreaker, RetryPolicy
from etl.api.retry_state import SHORTEST_WAIT, RetryContext, RetryState
from etl.api.traffic import Traffic


@pytest.mark.parametrize(("seconds", "shown"), [(SHORTEST_WAIT / 2, 0.0), (SHORTEST_WAIT, SHORTEST_WAIT), (3.0, 3.0)])
def test_the_time_to_get_a_free_permit_is_no_wait(seconds: float, shown: float) -> None:
    traffic = Traffic()
    context = RetryContext(RetryPolicy(), CircuitBreaker(), traffic, lambda: 0.0, asyncio.sleep, Random(1))
    RetryState("contacts", context).waited(seconds)
    assert traffic.waited_seconds == shown
