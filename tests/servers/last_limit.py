"""A test run shows each failure at once, and comes to an end though something in it hangs.

The limit of pytest-timeout interrupts a test once. What then hangs in a tear-down, or never hears of the interruption,
would hold up the run for ever. So a process that is past a last limit says where its threads stand, and ends; the run
reports the test as the one that a worker ended with, and goes on with another worker.
"""

import faulthandler
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

#: Seconds beyond its own limit after which the process of a test is ended.
GRACE = 90.0
#: Seconds that the end of a test run may take.
FAREWELL = 180.0
#: Lines of a failure that are shown at once; pytest shows all of them at its end.
LINES = 60
ERRORS = pytest.StashKey[int]()


def pytest_configure(config: pytest.Config) -> None:
    """Keep the way to the terminal, which pytest takes away while tests run, and set a limit for the whole run."""
    config.stash[ERRORS] = os.dup(2)
    begin(float(config.getini("session_timeout")) + 2 * FAREWELL, config, "the test run")


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Show a failure when it happens: whoever ends a run that hangs would never see it otherwise."""
    if report.failed and "PYTEST_XDIST_WORKER" not in os.environ:
        last = "\n".join(report.longreprtext.splitlines()[-LINES:])
        os.write(2, f"\n{report.nodeid} failed ({report.when}):\n{last}\n".encode())


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """End the process of a test that goes on beyond its limit."""
    with ending_after(limit_of(item) + GRACE, item.config, item.nodeid):
        return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> Iterator[None]:
    """End a process that hangs at the end of the run."""
    with ending_after(FAREWELL, session.config, "the end of the test run"):
        return (yield)


def limit_of(item: pytest.Item) -> float:
    """Return the seconds that a test may take."""
    own = item.get_closest_marker("timeout")
    return float(own.args[0] if own else item.config.getini("timeout"))


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
    """Say where all threads stand, and end this process."""
    os.write(errors, f"\n{why}\n".encode())
    faulthandler.dump_traceback(errors)
    os._exit(70)
