"""The simulator: served by its own thread for tests and the demo, or blocking."""

import asyncio
import contextlib
import signal
import threading
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from aiohttp import web

from etl.simulator.server import API, TOKEN, LoggedRequest, Server
from etl.simulator.settings import SimulatorSettings
from etl.simulator.world import World

HOST = "127.0.0.1"
SETTLING = 0.01  #: seconds in which connections that came at the last moment are taken up, so that they can be closed


class Simulator:
    """The API of a made-up agency. Inside a `with` block its own thread serves it on 127.0.0.1."""

    def __init__(self, settings: SimulatorSettings | None = None) -> None:
        self.settings = settings or SimulatorSettings()
        self.lock = threading.RLock()
        founded = self.settings.founded or self.settings.now or datetime.now(UTC)
        self.world = World.make(self.settings.seed, self.settings.contacts, founded)
        self.server = Server(self.settings, self.world, self.lock)
        self.port = self.settings.port
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._stop: asyncio.Event | None = None
        self._failure: BaseException | None = None

    @property
    def base_url(self) -> str:
        """The address of the server."""
        return f"http://{HOST}:{self.port}"

    @property
    def api_url(self) -> str:
        """The base address of the API calls."""
        return f"{self.base_url}{API.rstrip('/')}"

    @property
    def token_url(self) -> str:
        """The address of the token endpoint."""
        return f"{self.base_url}{TOKEN}"

    @property
    def requests(self) -> deque[LoggedRequest]:
        """The requests answered so far: method, path, query, status."""
        return self.server.requests

    def change(self, changes: int = 1) -> list[str]:
        """Make changes now, and return what they were."""
        with self.lock:
            return self.world.tick(self.server.now(), changes)

    def expire_tokens(self) -> None:
        """Expire all access tokens issued so far."""
        self.server.tokens.expire()

    def __enter__(self) -> Self:
        ready = threading.Event()
        self._thread = threading.Thread(target=self._serve, args=(ready,), name="simulator", daemon=True)
        self._thread.start()
        ready.wait()
        if self._failure is not None:
            raise self._failure
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._loop is not None and self._stop is not None:
            with contextlib.suppress(RuntimeError):  # the loop has ended by itself
                self._loop.call_soon_threadsafe(self._stop.set)
        if self._thread is not None:
            self._thread.join()

    def _serve(self, ready: threading.Event) -> None:
        try:
            asyncio.run(self.run(lambda _: ready.set()))
        except BaseException as failure:  # noqa: BLE001 - handed to the thread that waits
            self._failure = failure
        finally:
            ready.set()

    async def run(self, on_ready: Callable[[Self], None], *, until_signal: bool = False) -> None:
        """Serve until stopped; `on_ready` is called when the port is open."""
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        runner = web.AppRunner(self.server.application(), access_log=None, shutdown_timeout=0.2)
        await runner.setup()
        try:
            site = web.TCPSite(runner, HOST, self.settings.port, backlog=1024)
            await site.start()
            self.port = runner.addresses[0][1]
            if until_signal:
                for name in (signal.SIGINT, signal.SIGTERM):
                    self._loop.add_signal_handler(name, self._stop.set)
            on_ready(self)
            await self._live(self._stop)
            await asyncio.sleep(SETTLING)
        finally:
            await runner.cleanup()
            await asyncio.sleep(0)  # a fault of the loop, in which connections that were cut off close their sockets

    async def _live(self, stop: asyncio.Event) -> None:
        pause = self.settings.live_seconds if self.settings.live else None
        while not stop.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), pause)
                return
            self.change()


def serve(settings: SimulatorSettings, on_ready: Callable[[Simulator], None] = lambda _: None) -> None:
    """Serve a simulator until SIGINT or SIGTERM; `on_ready` is called when the port is open."""
    asyncio.run(Simulator(settings).run(on_ready, until_signal=True))
