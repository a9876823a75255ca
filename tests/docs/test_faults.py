"""The page of faults names tests that there are, and each of its lines names one."""

import re

import pytest
from pages import ROOT, sections

FAULTS = sections(ROOT / "docs/reference/faults.md")
NAMED = re.compile(r"`(test_\w+)`")
DEFINED = re.compile(r"^(?:async )?def (test_\w+)", re.MULTILINE)


def names_of_tests() -> set[str]:
    """Return the names of all tests."""
    return {name for file in (ROOT / "tests").rglob("test_*.py") for name in DEFINED.findall(file.read_text())}


def lines(text: str) -> list[str]:
    """Return the lines of the tables in a section, without their heads."""
    rows = [line for line in text.splitlines() if line.startswith("|")]
    return [line for line in rows if not re.match(r"\| *(fault|-)", line) and not line.startswith("|-")]


@pytest.mark.parametrize("heading", [name for name, text in FAULTS.items() if lines(text)])
def test_every_fault_names_tests_that_exist(heading: str) -> None:
    known, rows = names_of_tests(), lines(FAULTS[heading])
    assert rows
    assert [line for line in rows if not NAMED.search(line)] == [], "a fault without a test"
    assert {name for line in rows for name in NAMED.findall(line)} - known == set()


def test_every_fault_of_token_and_http_is_there() -> None:
    numbers = re.findall(r"^\| H(\d+): ", FAULTS["Token and HTTP"], re.MULTILINE)
    assert numbers == [str(number) for number in range(1, 23)]
