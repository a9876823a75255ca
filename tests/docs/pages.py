"""The documentation as its tests see it: pages, links, code examples, lines of tables."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])

_FENCE = re.compile(r"^```(?P<kind>[^\n]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"!?\[[^\]]*\]\((?P<target>[^)\s]+)\)")
_HEADING = re.compile(r"^#+ +(?P<words>.+)$", re.MULTILINE)
_CODE = re.compile(r"`[^`\n]+`")


@dataclass(frozen=True, slots=True)
class Example:
    """A block of code on a page; the words behind the language say what a test does with it."""

    page: str
    line: int
    language: str
    words: frozenset[str]
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def name_of(page: Path) -> str:
    """Return a page's path below the root."""
    return page.relative_to(ROOT).as_posix()


def examples(language: str) -> list[Example]:
    """Return the code examples in a language, on all pages."""
    return [one for page in PAGES for one in _examples(page) if one.language == language]


def _examples(page: Path) -> Iterator[Example]:
    text = page.read_text()
    for block in _FENCE.finditer(text):
        language, *words = block["kind"].split() or [""]
        line = text.count("\n", 0, block.start()) + 1
        yield Example(name_of(page), line, language, frozenset(words), block["text"])


def prose(page: Path) -> str:
    """Return a page without its code blocks."""
    return _FENCE.sub("", page.read_text())


def plain(page: Path) -> str:
    """Return a page without code blocks and without code inside a line."""
    return _CODE.sub("", prose(page))


def links(page: Path) -> list[str]:
    """Return the targets of a page's links that lie in this repository."""
    found = [link["target"] for link in _LINK.finditer(prose(page))]
    return [target for target in found if "://" not in target and not target.startswith("mailto:")]


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as renderers of Markdown make them."""
    kept = (re.sub(r"[^\w\- ]", "", heading["words"].lower()) for heading in _HEADING.finditer(prose(page)))
    return {words.strip().replace(" ", "-") for words in kept}


def sections(page: Path, level: str = "##") -> dict[str, str]:
    """Return the text below each heading of a level, code blocks included, by the heading's words."""
    parts = re.split(rf"^{level} +(.+)$", page.read_text(), flags=re.MULTILINE)
    return {words.strip("` "): text for words, text in zip(parts[1::2], parts[2::2], strict=True)}


def first_cells(text: str) -> list[str]:
    """Return the first cell of each line of the tables in a text, heads included, without code marks."""
    lines = [line for line in text.splitlines() if line.startswith("| ") and not set(line) <= set("|-: ")]
    return [line.strip("| ").split(" | ")[0].strip("` ") for line in lines]
