"""The calls from the command to an HTTP request and to an INSERT: few enough that a reader can follow them."""

import asyncio
import sys
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import pytest
from sites import environment_of, open_site, serve_agency

import etl
from etl.api.transport import Transport
from etl.cli.main import main
from etl.database import bulk_copy
from etl.simulator import Simulator

ROOT = f"{Path(etl.__file__).parent}/"
#: The longest road, in calls from the command.
MOST_CALLS = 15
COMMAND = "cli/commands/sync.py:command"

#: What the next layer is handed: the steps of a sync for the page writer, and the thread that runs a reader's calls.
HANDED_IN = ("pipeline/stream.py", "api/event_loop.py")

#: The functions that have led to this thread or task.
leading: ContextVar[tuple[str, ...]] = ContextVar("leading", default=())


def current_road() -> tuple[str, ...]:
    """Return the functions of the product that led here, through threads and tasks.

    A nested function belongs to the one that contains it. `run_in_order` only starts what its caller made.
    """
    functions: list[str] = []
    frame = sys._getframe(2)
    while frame is not None:
        code = frame.f_code
        name = f"{code.co_filename.removeprefix(ROOT)}:{code.co_qualname.partition('.<locals>')[0]}"
        if code.co_filename.startswith(ROOT) and not name.endswith(":run_in_order"):
            functions.append(name)
        frame = frame.f_back  # type: ignore[assignment]
    road = (*leading.get(), *reversed(functions))
    return tuple(name for index, name in enumerate(road) if index == 0 or name != road[index - 1])


@pytest.fixture
def roads(monkeypatch: pytest.MonkeyPatch) -> dict[str, tuple[str, ...]]:
    """Give the longest road to each target of the block's calls."""
    longest: dict[str, tuple[str, ...]] = {}

    def note(target: str) -> None:
        road = current_road()
        after = road[road.index(COMMAND) + 1 :] if COMMAND in road else ()
        longest[target] = max(longest.get(target, ()), after, key=len)

    def joined(begin: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function that begins a coroutine as the continuation of this road."""

        def begun(coroutine: Coroutine[Any, Any, Any], *rest: Any, **options: Any) -> Any:
            road = current_road()

            async def continued() -> Any:
                leading.set(road)
                return await coroutine

            return begin(continued(), *rest, **options)

        return begun

    submit, send, copy = ThreadPoolExecutor.submit, Transport.send, bulk_copy.encode_blocks

    def submit_joined(pool: ThreadPoolExecutor, work: Any, *arguments: Any) -> Any:
        road = current_road()

        def continued() -> Any:
            leading.set(road)
            # A run in a copied context begins without a road.
            return work(*arguments) if not arguments or not callable(arguments[0]) else arguments[0](*arguments[1:])

        return submit(pool, continued)

    async def send_noted(transport: Transport, what: str, method: str, url: str, *rest: Any) -> Any:
        if "/v1/" in url:
            note(f"request {what.partition(' ')[0]}")
        return await send(transport, what, method, url, *rest)

    def copy_noted(lines: Any) -> Any:
        note("insert")
        return copy(lines)

    monkeypatch.setattr(ThreadPoolExecutor, "submit", submit_joined)
    monkeypatch.setattr(asyncio, "run_coroutine_threadsafe", joined(asyncio.run_coroutine_threadsafe))
    monkeypatch.setattr(asyncio, "create_task", joined(asyncio.create_task))
    create_task = asyncio.TaskGroup.create_task
    monkeypatch.setattr(
        asyncio.TaskGroup,
        "create_task",
        lambda group, coroutine, **options: joined(lambda inner, **more: create_task(group, inner, **more))(
            coroutine, **options
        ),
    )
    monkeypatch.setattr(Transport, "send", send_noted)
    monkeypatch.setattr(bulk_copy, "encode_blocks", copy_noted)
    return longest


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    """Give an agency with several pages of contacts."""
    with serve_agency() as served:
        yield served


def test_few_calls_lead_from_the_command_to_each_request_and_insert(
    simulator: Simulator, database_url: str, roads: dict[str, tuple[str, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_site(simulator, database_url) as site:
        for name, value in environment_of(site).items():
            monkeypatch.setenv(name, value)
        assert main(["db", "upgrade"]) == 0
        for _ in range(2):  # rows are copied the first time, and merged when their details come again
            assert main(["sync", "--full"]) == 0
    assert {"request contacts,", "request account_info", "insert"} <= set(roads), "lists, details and rows were seen"
    too_long = {target: " > ".join(road) for target, road in roads.items() if len(road) > MOST_CALLS}
    assert too_long == {}, (
        f"At most {MOST_CALLS} calls, so that a reader can follow them (docs/explanation/architecture.md)."
    )
    assert [road for road in roads.values() if has_climb(road)] == []


def has_climb(road: tuple[str, ...]) -> bool:
    """Return whether a road comes back to a package that it had left."""
    packages = [name.partition("/")[0] for name in road if not name.startswith(HANDED_IN)]
    visits = [package for index, package in enumerate(packages) if index == 0 or package != packages[index - 1]]
    return len(visits) != len(set(visits))
