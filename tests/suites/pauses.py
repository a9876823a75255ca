"""Calls that fail are tried again at once: the budget of tries stays, the waiting goes."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import pytest

from etl.api import connection
from etl.api.client import ApiClient
from etl.api.retry_policy import RetryPolicy


@contextmanager
def without_pauses() -> Iterator[None]:
    """Let no call wait for as long as the block runs."""
    hasty = partial(ApiClient, policy=RetryPolicy(first_pause=0.0), sleep=lambda _: asyncio.sleep(0))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connection, "ApiClient", hasty)
        yield
