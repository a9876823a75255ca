"""Every row of the page of faults names a test that exists."""

import re

import pytest
from pages import ROOT, sections

FAULTS = sections(ROOT / "docs/reference/faults.md")
TEST_NAME = re.compile(r"`(test_\w+)`")
DEFINED = re.compile(r"^(?:async )?def (test_\w+)", re.MULTILINE)


def defined_tests() -> set[str]:
    """Return the names of all tests."""
    return {name for file in (ROOT / "tests").rglob("test_*.py") for name in DEFINED.findall(file.read_text())}


def table_rows(text: str) -> list[str]:
    """Return the table rows of a section, without headers."""
    rows = [line for line in text.splitlines() if line.startswith("|")]
    return [line for line in rows if not re.match(r"\| *(fault|-)", line) and not line.startswith("|-")]


@pytest.mark.parametrize("heading", [name for name, text in FAULTS.items() if table_rows(text)])
def test_every_fault_names_tests_that_exist(heading: str) -> None:
    rows = table_rows(FAULTS[heading])
    assert rows
    assert [row for row in rows if not TEST_NAME.search(row)] == [], "a fault without a test"
    assert {name for row in rows for name in TEST_NAME.findall(row)} - defined_tests() == set()


def test_every_fault_of_token_and_http_that_is_promised_is_listed() -> None:
    assert len(table_rows(FAULTS["Token and HTTP"])) >= 22 + 1  # those of the API, and a firewall at the token address
