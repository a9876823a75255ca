"""The benchmarks' numbers: medians, targets, and the candidates that can be compared."""

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import __main__ as command
from benchmarks.candidates import CANDIDATES, COPY, DLT, FULL, NAIVE, OURS, UNCHANGED
from benchmarks.compare import FULL_COPY, FULL_DLT, compare_bytes, ratios, target_values
from benchmarks.prepare import environment_names, lock, missing_environments
from benchmarks.steps import Book, StepOutcome
from benchmarks.table import markdown, spread
from benchmarks.targets import Target

ROUND = {
    (OURS.name, FULL): StepOutcome(2.0, (90.0, 60.0), 1, 1_000, {}, (5, 5)),
    (DLT.name, FULL): StepOutcome(8.0, (), 1, 1_001, {}, (5, 5)),
    (COPY.name, FULL): StepOutcome(1.0, (), 1, 1_000, {}, (5, 5)),
}
SLOWER = {**ROUND, (OURS.name, FULL): replace(ROUND[OURS.name, FULL], seconds=4.0)}


def test_a_spread_is_the_median_with_minimum_and_maximum() -> None:
    assert spread([3.0, 1.0, 2.0]) == "2.00 (1.00-3.00)"
    assert spread([1234.5]) == "1,234"
    assert spread([]) == "-"


def test_ratios_are_taken_inside_a_round() -> None:
    assert ratios(DLT, OURS, FULL, [ROUND, SLOWER]) == [4.0, 2.0]
    assert ratios(DLT, OURS, UNCHANGED, [ROUND, SLOWER]) == []


def test_targets_use_the_median_and_may_have_no_measurement() -> None:
    values = dict(target_values([ROUND, ROUND, SLOWER]))
    assert values[FULL_DLT] == [4.0, 4.0, 2.0]
    assert FULL_DLT.row(values[FULL_DLT])[-1] == "met"
    assert FULL_COPY.row(values[FULL_COPY])[-1] == "met"
    assert FULL_COPY.row([3.1])[-1] == "**not met**"
    assert FULL_COPY.row([1.9])[-1] == "better than hoped"
    assert [target.what for target, figures in values.items() if not figures] == [
        "full sync: Singer / ours",
        "unchanged sync: dlt / ours",
        "1 % changed sync of ours, s",
    ]


def test_a_target_for_larger_values_is_missed_from_below() -> None:
    rising = Target("speed", 3, 5)
    assert [rising.row([value])[-1] for value in (2.9, 3.0, 5.0)] == ["**not met**", "met", "better than hoped"]


def test_candidates_that_read_different_amounts_are_rejected() -> None:
    assert compare_bytes([OURS, DLT], Book(5, 1), ROUND).endswith("within 0.10%.")
    less = {**ROUND, (DLT.name, FULL): replace(ROUND[DLT.name, FULL], bytes=500)}
    with pytest.raises(SystemExit, match="did not read the same amount"):
        compare_bytes([OURS, DLT], Book(5, 1), less)


def test_a_scaled_candidate_need_not_have_read_the_whole_book() -> None:
    part = {**ROUND, (NAIVE.name, FULL): StepOutcome(1.0, (), 1, 10, {}, (5, 5))}
    assert compare_bytes([OURS, NAIVE], Book(100_000, 1), part)


def test_a_table_is_markdown_and_aligned_in_a_terminal() -> None:
    assert markdown(["", "calls", "note"], [["contacts", "12,000", "a"], ["all", "", "bc"]]).splitlines() == [
        "|          |  calls | note |",
        "| -------- | -----: | ---- |",
        "| contacts | 12,000 | a    |",
        "| all      |        | bc   |",
    ]


def test_an_unknown_candidate_is_rejected_with_the_known_names() -> None:
    with pytest.raises(SystemExit, match=r"No such candidate: airbyte\. There are: ours, copy"):
        command.select_candidates("ours,airbyte")


def test_a_peer_without_its_environment_is_rejected_with_the_fix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "missing_environments", lambda _: ["dlt"])
    with pytest.raises(SystemExit, match=r"No environment for dlt yet\. Run: python -m benchmarks prepare"):
        command.select_candidates("dlt")


def test_our_candidate_always_comes_first() -> None:
    assert command.select_candidates("copy,ours") == ["ours", "copy"]


def test_an_environment_is_missing_until_it_has_an_interpreter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.candidates.VENVS", tmp_path)
    assert missing_environments([OURS, DLT]) == ["dlt"]
    python = tmp_path / "dlt/bin/python"
    python.parent.mkdir(parents=True)
    python.touch()
    assert missing_environments([OURS, DLT]) == []


@pytest.mark.parametrize("name", environment_names())
def test_every_environment_has_a_lock_with_hashes_and_without_urls(name: str) -> None:
    text = lock(name).read_text()
    assert text.count("==") <= text.count("--hash=sha256:")
    assert "://" not in text


def test_half_of_an_even_number_of_records_belongs_to_each_feed() -> None:
    assert command.parse_arguments(["compare", "--records", "20_000"]).records == 20_000
    with pytest.raises(SystemExit):
        command.parse_arguments(["compare", "--records", "3"])


def test_every_candidate_has_a_program() -> None:
    folder = Path(command.__file__).parent / "peers"
    assert [
        candidate.name for candidate in CANDIDATES.values() if not (folder / f"{candidate.module}.py").is_file()
    ] == []
