"""Commits of coroutines: each blocks a thread instead of the event loop."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from sqlalchemy import Connection

from etl.ledger.transaction import Ledger

T = TypeVar("T")

#: One for the token, one for the call limit.
_THREADS = 2


class LedgerExecutor:
    """Lets coroutines commit. Close it after the last coroutine has ended."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="ledger")

    @property
    def tenant(self) -> str:
        """The tenant whose rows are written."""
        return self._ledger.tenant

    async def commit(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in one transaction as the ledger does, and return what it returned once that is committed."""
        return await self.work(lambda: self._ledger.commit(work))

    async def work(self, work: Callable[[], T]) -> T:
        """Run what takes a while, and return what it returned."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def close(self) -> None:
        """Wait for what is under way, and end the threads."""
        self._threads.shutdown()
