"""Random histories of changes, faults, stops and kills: after a run without faults, production equals the source.

TEST_HISTORIES is the number of histories, TEST_SEED the seed of the first.
"""

import os

import pytest
from histories import History
from no_pauses import without_pauses

HISTORIES = int(os.environ.get("TEST_HISTORIES", "20"))
FIRST = int(os.environ.get("TEST_SEED", "1"))
BLOCK = 10
BLOCKS = [range(begin, min(begin + BLOCK, FIRST + HISTORIES)) for begin in range(FIRST, FIRST + HISTORIES, BLOCK)]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("seeds", BLOCKS, ids=lambda seeds: f"seeds {seeds.start} to {seeds.stop - 1}")
def test_after_a_run_without_faults_production_equals_the_source(database_url: str, seeds: range) -> None:
    """The histories of a block are tenants of one database, so they also show interference between tenants."""
    failed = []
    for seed in seeds:
        history = History(seed, database_url)
        with without_pauses():
            differing = history.run()
        if differing:
            failed.append(describe_failure(history, differing))
    assert not failed, "\n\n".join(failed)


def describe_failure(history: History, differing: list[str]) -> str:
    """Return the report on a failed history: how to repeat it, the differences, and the events."""
    repeat = f"TEST_SEED={history.seed} TEST_HISTORIES=1 ./run test tests/suites/test_model.py"
    events = [f"resources: {' '.join(history.resources) or 'all'}", *history.events]
    return "\n".join([f"history {history.seed}; repeat with: {repeat}", *differing[:12], "events:", *events])
