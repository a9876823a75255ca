"""Lanes: where groups of answers are taken into the database, side by side, in threads or in processes.

Threads are at hand at once and are enough for a little. Much that is new is worth processes: parsing and cleaning then
use the second core, which one interpreter cannot, and what they need of memory is not this process's. Pages that are
known need neither parsing nor cleaning and never get there.
"""

import pickle
import queue
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from contextvars import copy_context
from multiprocessing.connection import wait as readable
from types import TracebackType
from typing import IO, Any, Self, cast

from etl.database.deadline import let_go_since
from etl.engine.page_writer import Consumption, Group, Taker
from etl.errors import Interrupted, TryAgain

#: Transactions under way at once.
LANES = 2

#: How soon a process is let go that does not answer.
LOOK_EVERY_SECONDS = 0.1

#: Items of one resource in pages with news for which no processes are begun: each takes half a second to begin.
LITTLE = 2_500

#: Makes the taker of a lane; it must be possible to send it to another process.
MakeTaker = Callable[[], Taker]


class LaneLost(TryAgain):
    """A process that cleans and loads ended by itself, perhaps for want of memory. What it had committed is kept."""


class Lanes:
    """The lanes of one run; those in processes begin with the first group that asks for them."""

    def __init__(self, here: Taker, make: MakeTaker) -> None:
        self._here = here
        self._make = make
        self._threads = ThreadPoolExecutor(LANES, thread_name_prefix="lane")
        self._idle: queue.SimpleQueue[ProcessLane] = queue.SimpleQueue()
        self._begun: list[ProcessLane] = []
        self._beginning = threading.Lock()
        self._news: Counter[str] = Counter()  # items by resource
        self.halted = False  #: whether no group is to be begun any more

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._threads.shutdown(cancel_futures=True)
        for lane in self._begun:
            lane.end()
        for lane in self._begun:
            lane.wait()

    def submit(self, group: Group) -> "Future[Consumption]":
        """Let a lane take a group."""
        return self._threads.submit(copy_context().run, self._take, group)

    def _take(self, group: Group) -> Consumption:
        """Take what is known of a group here, and the rest in whichever process is idle; there is one a thread."""
        if self.halted:
            raise Interrupted
        known, rest = self._here.take_known(group)
        if rest is None:
            return known
        self._note_news(rest)
        if not self._begun:
            return self._here.take_unknown(rest).joined(known)
        lane = self._idle.get()
        try:
            return lane.take(rest).joined(known)
        finally:
            self._idle.put(lane)

    def _note_news(self, group: Group) -> None:
        """Count what is new of a resource, and begin processes as soon as it makes them worth having."""
        with self._beginning:
            self._news[group.resource] += group.items
            while self._news[group.resource] > LITTLE and len(self._begun) < LANES:
                self._begun.append(ProcessLane(self._make))
                self._idle.put(self._begun[-1])


class ProcessLane:
    """A process of our own that takes groups: sent over its input, answered over its output.

    It ends when its input does, so that none outlives its run; and unlike a pool's, it never imports the script that
    called us.
    """

    def __init__(self, make: MakeTaker) -> None:
        command = [sys.executable, "-m", "etl.engine.worker"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)
        self._to = cast("IO[bytes]", self._process.stdin)
        self._from = cast("IO[bytes]", self._process.stdout)
        send(self._to, make)

    def take(self, group: Group) -> Consumption:
        """Let the process take a group; raises what it raised there, LaneLost when it has ended.

        Raises Interrupted when this process let go of its calls meanwhile; the one that was asked is ended.
        """
        try:
            send(self._to, group)
            self._await_answer()
            outcome = pickle.load(self._from)  # noqa: S301 (our own process)
        except (EOFError, BrokenPipeError, ConnectionResetError):
            raise LaneLost from None
        if isinstance(outcome, BaseException):
            raise outcome
        return cast("Consumption", outcome)

    def _await_answer(self) -> None:
        began = time.monotonic()
        while not readable([self._from.fileno()], LOOK_EVERY_SECONDS):
            if let_go_since(began):
                self._process.kill()  # its transaction is rolled back
                raise Interrupted

    def end(self) -> None:
        """Let the process end; one that has died meanwhile leaves what it was sent in our buffer, which is let go."""
        with suppress(BrokenPipeError, ConnectionResetError):
            self._to.close()

    def wait(self) -> None:
        """Wait for the end of the process."""
        self._from.close()
        self._process.wait()


def send(to: IO[bytes], what: Any) -> None:
    """Write a value for the other side to read."""
    pickle.dump(what, to, protocol=pickle.HIGHEST_PROTOCOL)
    to.flush()
