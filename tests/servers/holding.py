"""A simulator that holds back responses, so that a test can act while a client waits for one."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from aiohttp import web

from etl.simulator import Simulator
from etl.simulator.faults.faults import Faults


class HeldResponses(Faults):
    """Holds back the responses of calls whose path starts and ends as given, until they are released."""

    def __init__(self, path: str, end: str = "") -> None:
        super().__init__(())
        self.path, self.end = path, end
        self.asked = threading.Event()
        self.released = threading.Event()

    async def deliver(self, request: web.Request, response: web.Response) -> web.StreamResponse:
        """Wait for the release before sending the response."""
        if request.path.startswith(self.path) and request.path_qs.endswith(self.end):
            self.asked.set()
            await asyncio.to_thread(self.released.wait)
        return await super().deliver(request, response)


@contextmanager
def hold_responses(simulator: Simulator, path: str, end: str = "") -> Iterator[HeldResponses]:
    """Hold back the simulator's responses to matching calls until they are released or the block ends."""
    held = HeldResponses(path, end)
    simulator.server.faults = held
    try:
        yield held
    finally:
        held.released.set()
