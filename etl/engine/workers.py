"""The worker pool: writes page groups in parallel, in threads or in processes.

Threads are available at once and suffice for few records. Processes pay off for many new records: parsing and cleaning
then use the second core, which a single interpreter cannot, and do not add to this process's memory. Unchanged pages
need neither parsing nor cleaning and are never sent to a process.
"""

import pickle
import queue
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import wait as readable
from types import TracebackType
from typing import IO, Any, Self, cast

from etl.config.logs import add_log_fields, configure_logging
from etl.config.options import LogOptions
from etl.database.connect import make_engine
from etl.database.deadline import were_calls_canceled_since
from etl.engine.page_writer import PageGroup, PageWriter, WriteResult
from etl.errors import Interrupted, WorkerDied
from etl.ledger.batches import Batch
from etl.ledger.leases import Lease
from etl.ledger.transaction import Ledger

#: Concurrent transactions.
WORKERS = 2

#: How often a wait for a process checks whether it was canceled.
POLL_SECONDS = 0.1

#: New items of one resource up to which no processes are started: starting one takes half a second.
PROCESS_THRESHOLD = 2_500

#: Makes a page writer with its own ledger; must be picklable, for the worker processes.
MakeWriter = Callable[[Ledger], PageWriter]


@dataclass(frozen=True)
class WorkerSetup:
    """What a worker process needs to create its page writer."""

    url: str
    log: LogOptions
    batch: Batch
    lease: Lease | None
    make_writer: MakeWriter

    def __call__(self) -> PageWriter:
        """Configure the log of the process, and return the page writer with its own connection."""
        configure_logging(self.log)
        add_log_fields(batch=str(self.batch.id), tenant=self.batch.tenant)
        engine = make_engine(self.url, application_name="qqetl worker", pool_size=1)
        return self.make_writer(Ledger(engine, self.batch.tenant, self.lease))


class WorkerPool:
    """The workers of one run; processes start when a page group makes them worthwhile."""

    def __init__(self, ledger: Ledger, log: LogOptions, batch: Batch, make_writer: MakeWriter) -> None:
        """Write with the database and the lease of `ledger`."""
        self._writer = make_writer(ledger)
        url = ledger.engine.url.render_as_string(hide_password=False)
        self._setup = WorkerSetup(url, log, batch, ledger.lease, make_writer)
        self.threads = ThreadPoolExecutor(WORKERS, thread_name_prefix="writer")  #: for the calls of `write`
        self._idle: queue.SimpleQueue[WorkerProcess] = queue.SimpleQueue()
        self._processes: list[WorkerProcess] = []
        self._start_lock = threading.Lock()
        self._new_items: Counter[str] = Counter()  # number of items by resource
        self.halted = False  #: whether no further page group is started

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.threads.shutdown(cancel_futures=True)
        for process in self._processes:
            process.close_input()
        for process in self._processes:
            process.wait_for_exit()

    def write(self, group: PageGroup) -> WriteResult:
        """Skip what is unchanged, and write the rest here or in an idle process; there is one process per thread."""
        if self.halted:
            raise Interrupted
        unchanged, others = self._writer.skip_unchanged(group)
        if others is None:
            return unchanged
        self._start_processes_if_worthwhile(others)
        if not self._processes:
            return self._writer.write(others).combine(unchanged)
        process = self._idle.get()
        try:
            return process.write(others).combine(unchanged)
        finally:
            self._idle.put(process)

    def _start_processes_if_worthwhile(self, group: PageGroup) -> None:
        """Count the new items of a resource, and start processes when there are enough of them."""
        with self._start_lock:
            self._new_items[group.resource] += group.items
            while self._new_items[group.resource] > PROCESS_THRESHOLD and len(self._processes) < WORKERS:
                self._processes.append(WorkerProcess(self._setup))
                self._idle.put(self._processes[-1])


class WorkerProcess:
    """A process that writes page groups: it receives them on its input and sends the results on its output.

    It ends when its input ends, so that it never outlives the run. Unlike a pool of `multiprocessing`, it never imports
    the script that called us.
    """

    def __init__(self, setup: WorkerSetup) -> None:
        command = [sys.executable, "-m", "etl.engine.worker"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)
        self._input = cast("IO[bytes]", self._process.stdin)
        self._output = cast("IO[bytes]", self._process.stdout)
        send_pickled(self._input, setup)

    def write(self, group: PageGroup) -> WriteResult:
        """Write a page group in the process; raise what the process raised, WorkerDied when it has exited.

        Raises Interrupted when this process canceled its pending calls meanwhile; the worker process is killed then.
        """
        try:
            send_pickled(self._input, group)
            self._wait_for_result()
            result = pickle.load(self._output)  # noqa: S301 (our own process)
        except (EOFError, BrokenPipeError, ConnectionResetError):
            raise WorkerDied from None
        if isinstance(result, BaseException):
            raise result
        return cast("WriteResult", result)

    def _wait_for_result(self) -> None:
        began = time.monotonic()
        while not readable([self._output.fileno()], POLL_SECONDS):
            if were_calls_canceled_since(began):
                self._process.kill()  # its transaction is rolled back
                raise Interrupted

    def close_input(self) -> None:
        """Let the process end; if it has died, what is still in the pipe's buffer is discarded."""
        with suppress(BrokenPipeError, ConnectionResetError):
            self._input.close()

    def wait_for_exit(self) -> None:
        """Wait until the process has exited."""
        self._output.close()
        self._process.wait()


def send_pickled(stream: IO[bytes], value: Any) -> None:
    """Write a value for the other process to read."""
    pickle.dump(value, stream, protocol=pickle.HIGHEST_PROTOCOL)
    stream.flush()
