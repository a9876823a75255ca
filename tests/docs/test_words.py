"""The words of the documentation: glossary terms, US English, no machine-specific names; see also .ci/words.py."""

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from pages import PAGES, ROOT, examples, first_cells, name_of, plain, prose

from etl.render.__main__ import PAGES as RENDERED

every_page = pytest.mark.parametrize("page", PAGES, ids=name_of)
#: Rendered pages contain examples of any input and have long lines.
every_own_page = pytest.mark.parametrize("page", [page for page in PAGES if name_of(page) not in RENDERED], ids=name_of)

GLOSSARY = ROOT / "docs/glossary.md"
MOST_TERMS = 30
TERMS = [cell for cell in first_cells(GLOSSARY.read_text()) if cell != "term"]

ADDRESS = re.compile(r"\b[a-z][a-z0-9+]*://[^\s`'\")<>]+")
#: Hosts that a page may name: the vendor's, standards, and examples.
HOSTS = re.compile(
    r"(?:(?:api|login)\.qqcatalyst\.com|(?:\w+\.)?example\.com|127\.0\.0\.1|HOST|TENANT|keepachangelog\.com|semver\.org)?"
)

#: An absolute path; group 1 is its first folder.
PATH = re.compile(r"(?<![\w.}:/~$-])/([a-z]+)/[\w.-]")
#: Folders that exist on every machine.
EVERYWHERE = {"etc", "path", "run", "srv", "usr", "var"}

#: The file name of a page.
PAGE_NAME = re.compile(r"[\w./-]+\.md\b")

#: Marketing words, and promises.
OTHER_WORDS = re.compile(
    r"\b(?:blazing|seamless(?:ly)?|effortless(?:ly)?|robust|world-class|enterprise-grade|powerful|cutting.edge"
    r"|simply|just works|leverag\w+|todo|tbd|coming soon|for now)\b",
    re.IGNORECASE,
)

#: British spellings.
BRITISH = re.compile(
    r"\b(?:colour|behaviour|neighbour|licence|honour|favour|centre|(?:normal|organ|recogn|initial|serial)is(?:e|a|i))\w*",
    re.IGNORECASE,
)


@every_own_page
def test_a_page_names_only_allowed_hosts(page: Path) -> None:
    hosts = [urlsplit(address).hostname or "" for address in ADDRESS.findall(page.read_text())]
    assert [host for host in hosts if not HOSTS.fullmatch(host) and not HOSTS.fullmatch(host.upper())] == []


@every_page
def test_a_page_names_no_machine_specific_folder(page: Path) -> None:
    text = ADDRESS.sub("", page.read_text())
    assert {folder for folder in PATH.findall(text) if folder not in EVERYWHERE} == set()


@every_page
def test_a_page_names_only_existing_pages(page: Path) -> None:
    existing = {name_of(other).rpartition("/")[2] for other in PAGES}
    mentioned = {name.rpartition("/")[2] for name in PAGE_NAME.findall(page.read_text())}
    assert mentioned - existing == set()


@every_own_page
def test_a_page_has_no_marketing_word(page: Path) -> None:
    assert OTHER_WORDS.findall(plain(page)) == []


@every_page
def test_a_page_is_in_us_english(page: Path) -> None:
    assert BRITISH.findall(plain(page)) == []


@every_own_page
def test_the_lines_of_a_page_fit_a_screen(page: Path) -> None:
    assert [line for line in prose(page).splitlines() if len(line) > 130 and not line.startswith("|")] == []


def test_the_glossary_is_short_sorted_and_without_repetition() -> None:
    assert sorted(TERMS, key=str.lower) == TERMS
    assert len(set(TERMS)) == len(TERMS)
    assert len(TERMS) <= MOST_TERMS


@pytest.mark.parametrize("term", TERMS)
def test_a_glossary_term_is_used(term: str) -> None:
    stem = re.compile(rf"\b{re.escape(term.removesuffix('e'))}", re.IGNORECASE)
    assert any(stem.search(plain(page)) for page in PAGES if page != GLOSSARY)


def test_the_terms_of_the_code_are_in_the_glossary() -> None:
    terms = "window batch page record row resource model kind finding slice chunk placeholder lease watermark tenant"
    assert set(terms.split()) - set(TERMS) == set()


def test_the_labels_of_code_blocks_are_valid() -> None:
    allowed = {"bash": {"run"}, "sql": {"rows"}, "python": {"run"}}
    invalid = [
        str(block) for language, labels in allowed.items() for block in examples(language) if block.labels - labels
    ]
    assert invalid == []
