"""Two processes at once, on one window, on overlapping windows, on resources that meet in their tables: one state."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest
from command_line import CommandLine, settings_of
from crashing import Zygote, zygote
from databases import MIGRATED, clone_database
from sites import serve_agency
from snapshots import Digest, differences, digest, value

from etl.database.connect import make_engine
from etl.database.embedded.server import EmbeddedPostgres
from etl.simulator import Simulator

NOW = datetime(2025, 6, 2, 15, 30, tzinfo=UTC)
#: Long enough for two runs to be under way side by side, in seconds an answer.
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
def both() -> Iterator[tuple[Zygote, Zygote]]:
    """Give two processes that fork runs."""
    with ExitStack() as stack:
        folders = [Path(tempfile.mkdtemp(prefix="qqetl-")) for _ in range(2)]
        for folder in folders:
            stack.callback(shutil.rmtree, folder)
        one, other = (stack.enter_context(zygote(folder, CommandLine(folder, {}).environment)) for folder in folders)
        yield one, other


def tables(url: str) -> Digest:
    engine = make_engine(url)
    try:
        return digest(engine)
    finally:
        engine.dispose()


def deadlocks(url: str) -> int:
    """Return how many deadlocks PostgreSQL has had to break up in a database."""
    engine = make_engine(url)
    try:
        return int(value(engine, "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"))
    finally:
        engine.dispose()


@pytest.mark.timeout(240)
@pytest.mark.parametrize("name", PAIRS)
def test_two_at_once_end_in_the_state_of_one_after_the_other(
    server: EmbeddedPostgres, simulator: Simulator, both: tuple[Zygote, Zygote], name: str
) -> None:
    commands = [words.split() for words in PAIRS[name]]
    with clone_database(server.url, MIGRATED) as url, clone_database(server.url, MIGRATED) as other:
        settings = {**settings_of(simulator), "ETL_PAGE_SIZE": "3"}
        at_once, after = ({**settings, "DATABASE_URL": one} for one in (url, other))
        for one, words in zip(both, commands, strict=True):
            one.order(*words, environment=at_once)
        ends = [one.answer() for one in both]
        assert {one.status for one in ends} <= {DONE, HELD}, [one.said[-500:] for one in ends]
        assert DONE in {one.status for one in ends}
        for ended, words in zip(ends, commands, strict=True):
            if ended.status == HELD:
                assert "Another run is active" in ended.said
                assert both[0].run(*words, environment=at_once).status == DONE
        for words in commands:
            assert both[0].run(*words, environment=after).status == DONE
        assert differences(tables(url), tables(other)) == []
        assert deadlocks(url) == 0, "each statement locks rows in the order of their ids"
