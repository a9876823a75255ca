"""The page of API facts: every fact has an id, a level, and a test that is marked with its id."""

import re
from collections.abc import Iterator

import pytest
from pages import ROOT

PAGE = (ROOT / "docs/reference/api-facts.md").read_text()
HEAD = "| id | fact | level | what this project does |"
MARK = re.compile(r"^@pytest\.mark\.fact\(([^)]*)\)", re.MULTILINE)


def rows() -> Iterator[list[str]]:
    """Yield the cells of each row of a table of facts."""
    for table in re.findall(rf"^{re.escape(HEAD)}\n\|[-|]+\|\n((?:\|.*\n)+)", PAGE, re.MULTILINE):
        for line in table.splitlines():
            yield [cell.strip() for cell in line.strip("|").split(" | ")]


FACTS = {row[0].strip("`"): row for row in rows()}


def marked_facts() -> set[str]:
    """Return the ids with which tests are marked."""
    marks = [mark for file in (ROOT / "tests").rglob("test_*.py") for mark in MARK.findall(file.read_text())]
    return {fact for mark in marks for fact in re.findall(r'"([^"]+)"', mark)}


def test_every_fact_has_an_id_of_its_own() -> None:
    assert len(list(rows())) == len(FACTS)
    assert [fact for fact in FACTS if not re.fullmatch(r"[a-z0-9-]+", fact)] == []
    lines = [line for line in PAGE.splitlines() if line.startswith("| `")]
    assert len(lines) == len(FACTS), "a table of facts has another head"


@pytest.mark.parametrize("fact", FACTS)
def test_every_fact_has_a_level_and_says_what_is_done(fact: str) -> None:
    _, words, level, done = FACTS[fact]
    assert words
    assert level in {"vendor", "integrator", "assumed"}
    assert done


def test_every_fact_is_shown_by_a_test_and_every_mark_names_a_fact() -> None:
    marked = marked_facts()
    assert set(FACTS) - marked == set(), "mark a test that shows what is done about it, or write one"
    assert marked - set(FACTS) == set(), "no such fact"


@pytest.mark.parametrize(
    "words",
    [
        "https://app.qqcatalyst.com/oauth/token", "refresh token", "QQCATALYST_ACCESS_TOKEN", "client_credentials",
        "User cannot be identified", "QQ-Error-Message", "length of a date range", "250", "walkthrough of 2025",
        "Maximum admitted 60 requests per Minute", "invalid_token", "lines of business", "`/v1/`", "QQTenantID",
        "CommissionChange", "AdjustmentReasons", "RelatedPolicyIDs", "W rewrite", "six months", "ISO-8859-1",
        "logindev.qqcatalyst.com", "LocationName", "EntityIDs of contacts", "IsDeleted", "BinderDate",
    ],
)  # fmt: skip
def test_what_is_known_about_the_api_is_on_the_page(words: str) -> None:
    assert words in PAGE
