"""The figures of the benchmark of the call limit."""

import pytest

from benchmarks.pacing import Outcome


def test_what_is_left_is_what_the_other_integration_did_not_take() -> None:
    alone = Outcome(granted=570, refused=0, seconds=60.0, others=0)
    assert alone.used == pytest.approx(570 / 580), "ten windows of our 58 calls"
    shared = Outcome(granted=400, refused=8, seconds=60.0, others=20, served=150)
    assert shared.used == pytest.approx(400 / 450), "ten windows of 60 calls without the 150 of the other one"
    assert shared.share_of_others == "75%"
    assert shared.share == pytest.approx(8 / 408)
    assert shared.row("both", 1)[-1] == "met"
    assert Outcome(granted=300, refused=0, seconds=60.0, others=20, served=200).row("both", 1)[-1] == "**not met**"
