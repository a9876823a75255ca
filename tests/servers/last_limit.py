"""A pytest plugin that shows each failure at once and ends test processes that hang.

The timeout of pytest-timeout interrupts a test once. A test that then hangs in its teardown, or ignores the
interruption, would block the run forever. A process that exceeds a last limit therefore prints the stacks of its
threads and exits; the run reports that the worker crashed in this test, and continues with another worker.
"""

import faulthandler
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

#: Seconds beyond its own timeout after which a test's process is ended.
GRACE = 90.0
#: Seconds that the end of a test run may take.
FAREWELL = 180.0
#: Lines of a failure that are shown at once; pytest shows all of them at its end.
LINES = 60
ERRORS = pytest.StashKey[int]()


def pytest_configure(config: pytest.Config) -> None:
    """Keep the file descriptor of the terminal, which pytest captures during tests, and limit the whole run."""
    config.stash[ERRORS] = os.dup(2)
    begin(float(config.getini("session_timeout")) + 2 * FAREWELL, config, "the test run")


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Show a failure when it happens, so that it is visible even if the run is killed."""
    if report.failed and "PYTEST_XDIST_WORKER" not in os.environ:
        last = "\n".join(report.longreprtext.splitlines()[-LINES:])
        os.write(2, f"\n{report.nodeid} failed ({report.when}):\n{last}\n".encode())


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """End the process of a test that exceeds its last limit."""
    with ending_after(limit_of(item) + GRACE, item.config, item.nodeid):
        return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> Iterator[None]:
    """End a process that hangs at the end of the run."""
    with ending_after(FAREWELL, session.config, "the end of the test run"):
        return (yield)


def limit_of(item: pytest.Item) -> float:
    """Return the timeout of a test in seconds."""
    marker = item.get_closest_marker("timeout")
    return float(marker.args[0] if marker else item.config.getini("timeout"))


@contextmanager
def ending_after(seconds: float, config: pytest.Config, what: str) -> Iterator[None]:
    """End this process when the block takes longer."""
    timer = begin(seconds, config, what)
    try:
        yield
    finally:
        timer.cancel()


def begin(seconds: float, config: pytest.Config, what: str) -> threading.Timer:
    """Return a timer that ends this process unless it is canceled in time."""
    timer = threading.Timer(seconds, end, [config.stash[ERRORS], f"{what} hangs; its process is ended."])
    timer.daemon = True
    timer.start()
    return timer


def end(errors: int, why: str) -> None:
    """Print the stacks of all threads, and end this process."""
    os.write(errors, f"\n{why}\n".encode())
    faulthandler.dump_traceback(errors)
    os._exit(70)
