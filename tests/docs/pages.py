"""Pages, links, code examples and table rows of the documentation."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])

_FENCE = re.compile(r"^```(?P<info>[^\n]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"!?\[[^\]]*\]\((?P<target>[^)\s]+)\)")
_HEADING = re.compile(r"^#+ +(?P<title>.+)$", re.MULTILINE)
_CODE = re.compile(r"`[^`\n]+`")


@dataclass(frozen=True, slots=True)
class Example:
    """A block of code on a page; the labels after the language say what a test does with it."""

    page: str
    line: int
    language: str
    labels: frozenset[str]
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def name_of(page: Path) -> str:
    """Return a page's path relative to the root."""
    return page.relative_to(ROOT).as_posix()


def examples(language: str) -> list[Example]:
    """Return the code examples in a language, on all pages."""
    return [example for page in PAGES for example in _examples(page) if example.language == language]


def _examples(page: Path) -> Iterator[Example]:
    text = page.read_text()
    for block in _FENCE.finditer(text):
        language, *labels = block["info"].split() or [""]
        line = text.count("\n", 0, block.start()) + 1
        yield Example(name_of(page), line, language, frozenset(labels), block["text"])


def prose(page: Path) -> str:
    """Return a page without its code blocks."""
    return _FENCE.sub("", page.read_text())


def plain(page: Path) -> str:
    """Return a page without code blocks and inline code."""
    return _CODE.sub("", prose(page))


def links(page: Path) -> list[str]:
    """Return the link targets of a page that are in this repository."""
    targets = [link["target"] for link in _LINK.finditer(prose(page))]
    return [target for target in targets if "://" not in target and not target.startswith("mailto:")]


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as Markdown renderers create them."""
    titles = (re.sub(r"[^\w\- ]", "", heading["title"].lower()) for heading in _HEADING.finditer(prose(page)))
    return {title.strip().replace(" ", "-") for title in titles}


def sections(page: Path, level: str = "##") -> dict[str, str]:
    """Return the text below each heading of a level, code blocks included, by title."""
    parts = re.split(rf"^{level} +(.+)$", page.read_text(), flags=re.MULTILINE)
    return {title.strip("` "): text for title, text in zip(parts[1::2], parts[2::2], strict=True)}


def first_cells(text: str) -> list[str]:
    """Return the first cell of each table row in a text, headers included, without backticks."""
    lines = [line for line in text.splitlines() if line.startswith("| ") and not set(line) <= set("|-: ")]
    return [line.strip("| ").split(" | ")[0].strip("` ") for line in lines]
