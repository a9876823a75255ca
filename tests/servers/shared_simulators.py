"""A pytest plugin: each test begins with the simulators of its module as the fixtures of the module left them.

What a test changes in such an agency, its faults or its clock ends with the test, so that no test depends on another.
"""

import pickle
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest

from etl.simulator import Simulator, SimulatorSettings
from etl.simulator.server import LoggedRequest

#: The running simulators that tests share, by identity.
_shared: dict[int, Simulator] = {}


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest) -> Iterator[None]:
    """Note a simulator that a fixture gives to several tests, by itself or inside of what it gives."""
    result = yield
    simulator = getattr(result, "simulator", result)
    if isinstance(simulator, Simulator) and fixturedef.scope != "function" and id(simulator) not in _shared:
        _shared[id(simulator)] = simulator
        fixturedef.addfinalizer(lambda: _shared.pop(id(simulator)))
    return result


@pytest.fixture(autouse=True)
def simulators_of_earlier_tests() -> Iterator[None]:
    """Set the shared simulators back after a test."""
    before = [(simulator, state_of(simulator)) for simulator in _shared.values()]
    yield
    for simulator, state in before:
        set_back(simulator, state)


@dataclass(frozen=True)
class State:
    """What tests can change in a simulator."""

    data: bytes  #: the book of the agency, and how often each fault has struck
    requests: list[LoggedRequest]
    settings: SimulatorSettings
    clock: Callable[[], datetime] | None


def state_of(simulator: Simulator) -> State:
    """Return the state of a simulator."""
    server = simulator.server
    with simulator.lock:
        data = pickle.dumps((vars(simulator.world), server.faults))
    return State(data, list(server.requests), server.settings, server.clock)


def set_back(simulator: Simulator, state: State) -> None:
    """Give a simulator an earlier state."""
    server = simulator.server
    with simulator.lock:
        book, server.faults = pickle.loads(state.data)  # noqa: S301 (pickled above)
        vars(simulator.world).update(book)
    server.settings, server.clock = state.settings, state.clock
    server.requests.clear()
    server.requests.extend(state.requests)
