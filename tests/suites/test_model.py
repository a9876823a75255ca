"""Random histories of upstream changes, faults, stops and deaths: after a last quiet run production equals the source.

TEST_HISTORIES says how many histories are lived through, TEST_SEED with which seed they begin.
"""

import os

import pytest
from histories import History
from pauses import without_pauses

HISTORIES = int(os.environ.get("TEST_HISTORIES", "200"))
FIRST = int(os.environ.get("TEST_SEED", "1"))
BLOCK = 10
BLOCKS = [range(begin, min(begin + BLOCK, FIRST + HISTORIES)) for begin in range(FIRST, FIRST + HISTORIES, BLOCK)]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("seeds", BLOCKS, ids=lambda seeds: f"seeds {seeds.start} to {seeds.stop - 1}")
def test_after_a_last_quiet_run_production_equals_the_source(database_url: str, seeds: range) -> None:
    """The histories of a block are tenants of one database, so that none of them may disturb another."""
    failed = []
    for seed in seeds:
        history = History(seed, database_url)
        with without_pauses():
            differing = history.run()
        if differing:
            failed.append(told(history, differing))
    assert not failed, "\n\n".join(failed)


def told(history: History, differing: list[str]) -> str:
    """Return what a reader needs to look into a failure."""
    repeat = f"TEST_SEED={history.seed} TEST_HISTORIES=1 ./run test tests/suites/test_model.py"
    lived = [f"resources: {' '.join(history.resources) or 'all'}", *history.told]
    return "\n".join([f"history {history.seed}; again with: {repeat}", *differing[:12], "what happened:", *lived])
