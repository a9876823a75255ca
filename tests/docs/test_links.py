"""Every link leads somewhere, and every file that the documentation names is there."""

import re
from pathlib import Path

import pytest
from pages import PAGES, ROOT, anchors, links, name_of, prose

every_page = pytest.mark.parametrize("page", PAGES, ids=name_of)

#: A path of this repository in code marks.
NAMED = re.compile(r"`((?:etl|tests|docs|requirements|\.ci)/[\w./-]*|\.env\.example|alembic\.ini|pyproject\.toml)`")


@every_page
def test_every_link_leads_somewhere(page: Path) -> None:
    dead = []
    for target in links(page):
        path, _, anchor = target.partition("#")
        place = (page.parent / path).resolve() if path else page
        if not place.exists() or (anchor and anchor not in anchors(place)):
            dead.append(target)
    assert dead == [], f"{name_of(page)} links to what is not there"


@every_page
def test_no_link_leaves_the_repository(page: Path) -> None:
    assert [target for target in links(page) if not (page.parent / target).resolve().is_relative_to(ROOT)] == []


@every_page
def test_every_file_that_is_named_is_there(page: Path) -> None:
    named = NAMED.findall(prose(page))
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_every_page_is_reached_from_the_readme() -> None:
    reached: set[Path] = set()
    waiting = [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        reached.add(page)
        found = {(page.parent / target.partition("#")[0]).resolve() for target in links(page)}
        waiting += sorted(one for one in found if one.suffix == ".md" and one.is_file() and one not in reached)
    assert [name_of(page) for page in PAGES if page not in reached] == []


@every_page
def test_it_begins_with_a_heading_and_has_one_of_the_first_level(page: Path) -> None:
    headings = re.findall(r"^# .+$", prose(page), re.MULTILINE)
    assert len(headings) == 1
    assert page.read_text().startswith(headings[0])
