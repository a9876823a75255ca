"""Every link has a target, and every file that the documentation names exists."""

import re
from pathlib import Path

import pytest
from pages import PAGES, ROOT, anchors, links, name_of, prose

every_page = pytest.mark.parametrize("page", PAGES, ids=name_of)

#: A path of this repository in backticks.
FILE_PATH = re.compile(r"`((?:etl|tests|docs|requirements|\.ci)/[\w./-]*|\.env\.example|alembic\.ini|pyproject\.toml)`")


@every_page
def test_every_link_has_a_target(page: Path) -> None:
    dead = []
    for target in links(page):
        path, _, anchor = target.partition("#")
        linked = (page.parent / path).resolve() if path else page
        if not linked.exists() or (anchor and anchor not in anchors(linked)):
            dead.append(target)
    assert dead == [], f"{name_of(page)} has links without a target"


@every_page
def test_no_link_leads_outside_the_repository(page: Path) -> None:
    assert [target for target in links(page) if not (page.parent / target).resolve().is_relative_to(ROOT)] == []


@every_page
def test_every_named_file_exists(page: Path) -> None:
    paths = FILE_PATH.findall(prose(page))
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_every_page_is_linked_from_the_readme() -> None:
    reached: set[Path] = set()
    waiting = [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        reached.add(page)
        linked = {(page.parent / target.partition("#")[0]).resolve() for target in links(page)}
        waiting += sorted(path for path in linked if path.suffix == ".md" and path.is_file() and path not in reached)
    assert [name_of(page) for page in PAGES if page not in reached] == []


@every_page
def test_a_page_has_one_title_at_its_beginning(page: Path) -> None:
    headings = re.findall(r"^# .+$", prose(page), re.MULTILINE)
    assert len(headings) == 1
    assert page.read_text().startswith(headings[0])
