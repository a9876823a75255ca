"""The size of a page: as requested, or the next smaller one that the API accepts."""

from collections.abc import Callable
from typing import Protocol

from etl.api.protocol import Answer, Call
from etl.errors import EndpointRefused

#: The sizes that are tried where the API refuses a larger one.
SMALLER_SIZES = (250, 100)


class PageSource(Protocol):
    """The part of the API client that reading needs."""

    async def fetch(self, call: Call) -> Answer:
        """Return the answer to a call."""


def next_smaller_size(size: int) -> int | None:
    """Return the next smaller page size, None if there is none."""
    return next((smaller for smaller in SMALLER_SIZES if smaller < size), None)


async def fetch_sized(api: PageSource, build: Callable[[int], Call], size: int) -> tuple[Answer, int]:
    """Return the answer to the call that `build` makes of the largest accepted page size, and that size.

    Raises what the API client raises, and EndpointRefused where it accepts no size.
    """
    while True:
        try:
            return await api.fetch(build(size)), size
        except EndpointRefused as refusal:
            smaller = next_smaller_size(size) if refusal.may_concern_size else None
            if smaller is None:
                raise
            size = smaller
