"""Retries without waiting: the number of attempts stays the same."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import pytest

from etl.api import connection
from etl.api.client import ApiClient
from etl.api.retry_policy import Patience


@contextmanager
def without_pauses() -> Iterator[None]:
    """Remove the waits between retries for the duration of the block."""
    hasty = partial(ApiClient, patience=Patience(first_pause=0.0), sleep=lambda _: asyncio.sleep(0))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connection, "ApiClient", hasty)
        yield
