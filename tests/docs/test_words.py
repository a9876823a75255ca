"""The words of the documentation: those of the glossary, one for one thing, and none that belongs elsewhere."""

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from pages import PAGES, ROOT, examples, first_cells, name_of, plain, prose

from etl.render.__main__ import PAGES as RENDERED

every_page = pytest.mark.parametrize("page", PAGES, ids=name_of)
#: Rendered pages hold examples of all that comes, and are as wide as what they show.
every_own_page = pytest.mark.parametrize("page", [page for page in PAGES if name_of(page) not in RENDERED], ids=name_of)

GLOSSARY = ROOT / "docs/glossary.md"
WORDS = [cell for cell in first_cells(GLOSSARY.read_text()) if cell != "word"]

ADDRESS = re.compile(r"\b[a-z][a-z0-9+]*://[^\s`'\")<>]+")
#: Hosts that a reader may be sent to, or that stand for the reader's own.
HOSTS = re.compile(
    r"(?:(?:api|app|login)\.qqcatalyst\.com|(?:\w+\.)?example\.com|127\.0\.0\.1|HOST|TENANT|keepachangelog\.com|semver\.org)?"
)

#: An absolute path; the first folder says whose it is.
PATH = re.compile(r"(?<![\w.}:/~$-])/([a-z]+)/[\w.-]")
#: Folders that mean the same on every machine.
EVERYWHERE = {"etc", "path", "run", "srv", "usr", "var"}

#: The name of a page; those that there are stand in this repository.
PAGE_NAME = re.compile(r"[\w./-]+\.md\b")

#: Words that sell instead of telling, or that put off.
OTHER_WORDS = re.compile(
    r"\b(?:blazing|seamless(?:ly)?|effortless(?:ly)?|robust|world-class|enterprise-grade|powerful|cutting.edge"
    r"|simply|just works|leverag\w+|todo|tbd|coming soon|for now)\b",
    re.IGNORECASE,
)

#: The pages are American.
BRITISH = re.compile(
    r"\b(?:colour|behaviour|neighbour|licence|honour|favour|centre|(?:normal|organ|recogn|initial|serial)is(?:e|a|i))\w*",
    re.IGNORECASE,
)


@every_own_page
def test_it_sends_nobody_to_a_host_that_is_not_meant(page: Path) -> None:
    hosts = [urlsplit(address).hostname or "" for address in ADDRESS.findall(page.read_text())]
    assert [host for host in hosts if not HOSTS.fullmatch(host) and not HOSTS.fullmatch(host.upper())] == []


@every_page
def test_it_names_no_folder_of_somebodys_machine(page: Path) -> None:
    text = ADDRESS.sub("", page.read_text())
    assert {folder for folder in PATH.findall(text) if folder not in EVERYWHERE} == set()


@every_page
def test_it_names_no_page_that_is_not_here(page: Path) -> None:
    known = {name_of(one).rpartition("/")[2] for one in PAGES}
    named = {found.rpartition("/")[2] for found in PAGE_NAME.findall(page.read_text())}
    assert named - known == set()


@every_page
def test_it_has_no_word_for_which_there_is_a_better_one(page: Path) -> None:
    assert OTHER_WORDS.findall(plain(page)) == []


@every_page
def test_it_is_american(page: Path) -> None:
    assert BRITISH.findall(plain(page)) == []


@every_own_page
def test_its_lines_fit_a_screen(page: Path) -> None:
    assert [line for line in prose(page).splitlines() if len(line) > 130 and not line.startswith("|")] == []


def test_the_glossary_is_sorted_and_has_each_word_once() -> None:
    assert sorted(WORDS, key=str.lower) == WORDS
    assert len(set(WORDS)) == len(WORDS)


@pytest.mark.parametrize("word", WORDS)
def test_a_word_of_the_glossary_is_used(word: str) -> None:
    stem = re.compile(rf"\b{re.escape(word.removesuffix('e'))}", re.IGNORECASE)
    assert any(stem.search(plain(page)) for page in PAGES if page != GLOSSARY)


def test_the_words_that_the_code_lives_by_are_explained() -> None:
    wanted = (
        "window batch page record row resource model kind finding road slice set stub placeholder lease mark tenant"
    )
    assert set(wanted.split()) - set(WORDS) == set()


def test_the_words_behind_a_language_are_known() -> None:
    known = {"bash": {"run"}, "sql": {"rows"}, "python": {"run"}}
    wrong = [str(one) for language, words in known.items() for one in examples(language) if one.words - words]
    assert wrong == []
