"""Two processes at once, on the same window, overlapping windows or related resources, end with the same tables."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest
from command_line import CommandLine, settings_of
from crash_runner import ForkServer, start_fork_server
from databases import MIGRATED, clone_database
from sites import serve_agency
from snapshots import Digest, differences, digest, value

from etl.database.connect import make_engine
from etl.database.embedded.server import EmbeddedPostgres
from etl.simulator import Simulator

NOW = datetime(2025, 6, 2, 15, 30, tzinfo=UTC)
#: Seconds per response, long enough for two runs to overlap.
LATENCY = 0.01
DONE, HELD = 0, 3

PAIRS: dict[str, tuple[str, str]] = {
    "one window": ("sync", "sync"),
    "overlapping windows": ("sync --from 2019-01-01 --to 2024-06-01", "sync --from 2022-01-01 --to 2025-06-02"),
    "resources that meet in their tables": (
        "sync --resource policies --resource coverages --resource drivers --resource commissions",
        "sync --resource contacts --resource claims --resource billing_records --resource carriers",
    ),
    "a run and its reconciling": ("sync", "reconcile"),
}


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with serve_agency(founded=NOW, now=NOW, latency=LATENCY) as served:
        del served.world.agency_rules[9:]
        yield served


@pytest.fixture(scope="module")
def both() -> Iterator[tuple[ForkServer, ForkServer]]:
    """Give two fork servers."""
    with ExitStack() as stack:
        folders = [Path(tempfile.mkdtemp(prefix="qqetl-")) for _ in range(2)]
        for folder in folders:
            stack.callback(shutil.rmtree, folder)
        first, second = (
            stack.enter_context(start_fork_server(folder, CommandLine(folder, {}).environment)) for folder in folders
        )
        yield first, second


def tables(url: str) -> Digest:
    engine = make_engine(url)
    try:
        return digest(engine)
    finally:
        engine.dispose()


def deadlocks(url: str) -> int:
    """Return the number of deadlocks in a database."""
    engine = make_engine(url)
    try:
        return int(value(engine, "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"))
    finally:
        engine.dispose()


@pytest.mark.timeout(240)
@pytest.mark.parametrize("name", PAIRS)
def test_two_concurrent_runs_end_with_the_tables_of_two_sequential_runs(
    server: EmbeddedPostgres, simulator: Simulator, both: tuple[ForkServer, ForkServer], name: str
) -> None:
    commands = [words.split() for words in PAIRS[name]]
    with clone_database(server.url, MIGRATED) as url, clone_database(server.url, MIGRATED) as other:
        settings = {**settings_of(simulator), "ETL_PAGE_SIZE": "3"}
        concurrent, sequential = ({**settings, "DATABASE_URL": address} for address in (url, other))
        for fork_server, arguments in zip(both, commands, strict=True):
            fork_server.order(*arguments, environment=concurrent)
        results = [fork_server.answer() for fork_server in both]
        assert {result.status for result in results} <= {DONE, HELD}, [result.said[-500:] for result in results]
        assert DONE in {result.status for result in results}
        for result, arguments in zip(results, commands, strict=True):
            if result.status == HELD:
                assert "Another run is active" in result.said
                assert both[0].run(*arguments, environment=concurrent).status == DONE
        for arguments in commands:
            assert both[0].run(*arguments, environment=sequential).status == DONE
        assert differences(tables(url), tables(other)) == []
        assert deadlocks(url) == 0, "each statement locks rows in the order of their ids"
