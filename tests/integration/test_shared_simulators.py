"""A simulator that the tests of a module share is the same at the beginning of each of them."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from etl.simulator import Simulator, SimulatorSettings
from etl.simulator.faults.faults import Faults

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with Simulator(SimulatorSettings(contacts=5, now=NOW, faults=("token-errors:1",))) as served:
        yield served


@pytest.fixture(scope="module")
def book(simulator: Simulator) -> dict[str, Any]:
    """Change the agency for all tests of this module, and return its book."""
    simulator.world.contacts.change(next(iter(simulator.world.contacts)), None, Line1="changed by the fixture")
    return simulator.world.book()


@pytest.mark.parametrize("order", ["one test", "another test"])
def test_what_a_test_changes_ends_with_it(simulator: Simulator, book: dict[str, Any], order: str) -> None:
    """Whichever runs second would see what the other has changed."""
    world, server = simulator.world, simulator.server
    assert world.book() == book
    assert (len(world.locations), world.changes, world.kept_details) == (3, 0, {})
    assert (server.now(), server.settings.max_page, list(simulator.requests)) == (NOW, 500, [])
    with pytest.raises(HTTPError, match="50"):  # the fault of the fixture, which strikes once
        urlopen(simulator.token_url, b"grant_type=password")  # noqa: S310 (the simulator)

    simulator.change(5)
    world.contacts.drop(next(iter(world.contacts)))
    world.locations.clear()
    world.keep("documents", 1, [])
    server.faults = Faults(("slow:1",))
    server.settings = replace(server.settings, max_page=1)
    server.clock = lambda: datetime(2030, 1, 1, tzinfo=UTC)
