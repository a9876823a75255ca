"""An agency that keeps an answer back, so that a test knows who is waiting for it in the middle of his work."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from aiohttp import web

from etl.simulator import Simulator
from etl.simulator.faults import Faults


class Held(Faults):
    """Keeps the answers of calls that begin and end so back until they are let go."""

    def __init__(self, path: str, end: str = "") -> None:
        super().__init__(())
        self.path, self.end = path, end
        self.asked = threading.Event()
        self.let_go = threading.Event()

    async def deliver(self, request: web.Request, response: web.Response) -> web.StreamResponse:
        """Wait before the answer is sent."""
        if request.path.startswith(self.path) and request.path_qs.endswith(self.end):
            self.asked.set()
            await asyncio.to_thread(self.let_go.wait)
        return await super().deliver(request, response)


@contextmanager
def holding(simulator: Simulator, path: str, end: str = "") -> Iterator[Held]:
    """Let an agency keep back the answers of calls that begin and end so, until they are let go or the block ends."""
    held = Held(path, end)
    simulator.server.faults = held
    try:
        yield held
    finally:
        held.let_go.set()
