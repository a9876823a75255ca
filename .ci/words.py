"""Plain US English: a check of docstrings, comments, messages and pages against a list of words not to use.

`python .ci/words.py [PATH ...]` prints every word with what to say instead; the exit status is 1 if there is any.
`--count` prints the number for each package or folder instead. Without paths it checks all sources and pages.
"""

import argparse
import ast
import io
import re
import sys
import tokenize
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

REASON = "Messages and docs are plain US English: the reader is an agency's manager or a data engineer from outside."

#: The sources and pages that are checked by default.
CHECKED = (
    *("etl/**/*.py", "etl/**/*.sql", "tests/**/*.py", "benchmarks/**/*.py", "requirements/bootstrap.py"),
    *(".ci/*", "run", "pyproject.toml", ".env.example", "docs/**/*.yml"),
    *("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "benchmarks/README.md", "docs/**/*.md"),
)
#: Paths that are not checked, each with the reason.
SKIPPED = {
    "benchmarks/.venvs": "the environments of other tools",
    ".ci/words.py": "it lists the words",
    "etl/alembic/versions": "migrations that have run are not edited",
    "tests/declarations/test_word_list.py": "it quotes the words",
}


#: How a string literal with SQL is recognized.
SQL = re.compile(r"\b(?:SELECT|INSERT INTO|UPDATE|DELETE FROM|CREATE|ALTER TABLE|JOIN)\s")


@dataclass(frozen=True)
class Rule:
    """A word or phrase that must not be used, with examples for the tests."""

    words: str  #: regular expression of the word or phrase
    instead: str  #: what to say instead
    wrong: str  #: a sentence that the rule catches
    right: str  #: a similar sentence that the rule allows
    #: Regular expressions of contexts in which the word is meant, each with the reason.
    allowed: tuple[tuple[str, str], ...] = ()

    @property
    def pattern(self) -> re.Pattern[str]:
        """The compiled expression, which matches whole words in any case."""
        return re.compile(rf"(?<![\w-])(?:{self.words})(?![\w-])", re.IGNORECASE)

    def find(self, text: str) -> Iterator[re.Match[str]]:
        """Yield the matches in a text outside of allowed contexts."""
        spans = [match.span() for context, _ in self.allowed for match in re.finditer(context, text, re.IGNORECASE)]
        for match in self.pattern.finditer(text):
            if not any(start <= match.start() and match.end() <= end for start, end in spans):
                yield match


RULES = (
    Rule(
        r"who(?:so|m)?ever|what(?:so)?ever",
        '"anyone who", "anything that" or the noun',
        "Whoever runs it needs a token.",
        "Anyone who runs it needs a token.",
    ),
    Rule(
        r"alone",
        '"only"',
        "Ids alone are passed.",
        "Only ids are passed; existing files are left alone.",
        ((r"\b(?:leave|leaves|left|let) (?:\w+ ){0,2}alone\b", "a phrase of its own"),),
    ),
    Rule(
        r"anew|afresh",
        '"again" or "new"',
        "The tables are made anew.",
        "The tables are created again.",
    ),
    Rule(
        r"of late|by now|hitherto|whence|whither|thence|thereof|therein|wherein",
        '"recently", "already", "from which" or another plain word',
        "Whence the row came.",
        "Where the row came from.",
    ),
    Rule(
        r"behind (?:an?|the|each|every|it|its|them)",
        '"after", "under" or what follows from what',
        "A comma behind the name.",
        "A comma after the name; the clock is 2 s behind, and the server is behind a firewall.",
        ((r"\bbehind (?:an?|the) (?:firewall|proxy|load balancer)\b", "usual English"),),
    ),
    Rule(
        r"mend(?:s|ed|ing)?",
        '"fix"',
        "Mend the file.",
        "Fix the file and amend the entry.",
    ),
    Rule(
        r"besides",
        '"also" or "in addition to"',
        "The schemas besides public.",
        "The schemas in addition to public.",
    ),
    Rule(
        r"(?:is|are|was|were) (?-i:none)",
        '"does not exist", "is not one" or "there is no ..."',
        "The text is none.",
        "It is None when there is none.",
        ((r"\bthere (?:is|are|was|were) none\b", "usual English"),),
    ),
    Rule(
        r"told",
        '"reported", "notified", "passed" or "distinguished"',
        "A person is told of it.",
        "A person is notified.",
    ),
    Rule(
        r"stands? (?-i:for|in|on|at|there|above|below|beside|behind|before)|stood (?:in|there|beside)",
        '"means", "is in" or "is at"',
        "The code stands in the first column.",
        "The code is in the first column; a standby takes over.",
    ),
    Rule(
        r"(?:in )?so many(?: words)?",
        '"this many", "the number of ..." or "explicitly"',
        "Return so many records.",
        "Return this many records; there are so many that it takes minutes.",
        ((r"\bso many (?:\w+ )?that\b", "it states a consequence"),),
    ),
    Rule(
        r"in words",
        '"as text" or "spelled out"',
        "Return the error in words.",
        "Return the error as text, in other words its message.",
    ),
    Rule(
        r"let(?:s|ting)? go",
        '"cancel" or "release"',
        "The calls are let go.",
        "The calls are canceled.",
    ),
    Rule(
        r"com(?:e|es|ing) of age|came of age",
        '"is due"',
        "Details have come of age.",
        "Details are due for a refresh.",
    ),
    Rule(
        r"for ever|for good",
        '"forever" or "permanently"',
        "It waits for ever.",
        "It waits forever, for good reasons.",
        ((r"\bfor good (?:reason|measure)s?\b", "another meaning"),),
    ),
    Rule(
        r"side by side",
        '"in parallel" or "next to each other"',
        "They are read side by side.",
        "They are read in parallel.",
    ),
    Rule(
        r"(?:is|are|was|were) at work|being at work",
        '"is running" or "is active"',
        "Another run is at work.",
        "Another run is active; they met at work.",
    ),
    Rule(
        r"(?:the|their|its|our) books|closed? the book",
        '"the ledger" or "the batch"',
        "The run closes the books.",
        "The run closes the batch of the agency's book of business.",
    ),
    Rule(
        r"lanes?|portions?|(?:main|side) roads?|stand-ins?|strangers?",
        '"worker", "chunk", "source", "fallback" or "new ids"',
        "Each lane takes a portion.",
        "Each worker of Lois Lane takes a chunk in proportion.",
        ((r"(?-i:\bLane\b)", "a surname"),),
    ),
    Rule(
        r"e-mail(?:s|ed|ing)?",
        '"email"',
        "An e-mail address.",
        "An email address, redacted as [e-mail].",
        ((r"\[e-mail\]", "the marker in logs is a public name"),),
    ),
    Rule(
        r"lower floors?|(?:pure )?rooms? (?:opens?|imports?)|rooms? and floors?",
        '"package" or "layer"',
        "A room imports lower floors.",
        "A package imports lower layers; there is room for more.",
    ),
    Rule(
        r"(?:colou|behaviou|neighbou|honou|favou)r\w*|licen[c]e|cent[r]e|grey|cancelling|cancelled(?![-_(])"
        r"|(?:normal|organ|recogn|initial|serial|final|parallel)is(?:e|ed|es|ing|ation)",
        "the US spelling",
        "Its behaviour is normalised.",
        "Its behavior is normalized.",
        (
            (r"(?:drivers|\*\*\*) licence", "the vendor spells it so"),
            (r"cancelled without termination", "the name of a check is public"),
        ),
    ),
    Rule(
        r"lately|once more|all the same|go(?:es)? on",
        '"recently", "again", "anyway" or "continues"',
        "It was read lately, and is read once more.",
        "It was read recently, and is read again, once more than before; the page goes on the list.",
        (
            (r"\bonce more than\b", "it is a number"),
            (r"\bgoes on (?:the|a)\b", "it is placed"),
        ),
    ),
    Rule(
        r"brought|bring(?:s|ing)? (?:an? |any |no |the |some )?(?:answers?|records?|rows?|parents|401)",
        '"returned", "delivered" or "has had"',
        "A resource that has brought records.",
        "A resource that has returned records brings the account closer to its limit.",
    ),
    Rule(
        r"(?:say|said|prove|know|tell)(?:s|ing)? nothing of",
        '"nothing about"',
        "The answer says nothing of its parent.",
        "The answer says nothing about its parent.",
    ),
    Rule(
        r"hand(?:s|ed)? (?:in|over)",
        '"passes"',
        "The caller hands in the names.",
        "The caller passes the names.",
    ),
    Rule(
        r"(?:leave|leaves|left) and (?:return|returns|come back)",
        '"are deleted and revived"',
        "Fees leave and return with the quote.",
        "Fees are deleted and revived with the quote.",
    ),
    Rule(
        r"(?:no|not|none|nothing|nobody)\b[^.;:]{0,60} any more",
        '"no longer"',
        "It is not read any more.",
        "It is no longer read, and does not cost any more calls.",
        ((r"\b(?:no|not|none|nothing|nobody)\b[^.;:]{0,60} any more (?:than|of|\w+s)\b", "it is a quantity"),),
    ),
    Rule(
        r"sweeps?|in (?:a )?circles?|makes? (?:them|both) equal",
        '"full scan", "batch", "cycle" or "compares"',
        "The sweep makes them equal.",
        "The full scan compares them.",
    ),
)


@dataclass(frozen=True)
class Hit:
    """A word that must not be used, and where it is."""

    path: str
    line: int
    word: str
    rule: Rule

    def __str__(self) -> str:
        return f'{self.path}:{self.line}: "{self.word}": say {self.rule.instead}. {REASON}'

    @property
    def package(self) -> str:
        """The package or folder of the file."""
        parts = Path(self.path).parts
        return "/".join(parts[:2]) if len(parts) > 2 else parts[0] if len(parts) > 1 else self.path  # noqa: PLR2004


def texts_of(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the texts of a file that people read, each with its first line."""
    content = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        yield from _python_texts(content)
    elif path.suffix == ".md":
        yield 1, _markdown_text(path.name, content)
    elif path.suffix == ".sql":
        yield from ((number, line.partition("--")[2]) for number, line in enumerate(content.splitlines(), 1))
    else:
        yield 1, content


def _python_texts(source: str) -> Iterator[tuple[int, str]]:
    """Yield comments, docstrings, names of functions, and string literals that contain a space: keys contain none."""
    lines = io.StringIO(source).readline
    for token in tokenize.generate_tokens(lines):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.lineno, re.sub(r"_|(?<=[a-z])(?=[A-Z])", " ", node.name)
    yield from _strings(tree)


def _strings(node: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield the string literals below a node, f-strings in one piece; SQL is code."""
    for child in ast.iter_child_nodes(node):
        text = ""
        if isinstance(child, ast.Constant) and isinstance(child.value, str):
            text = child.value
        elif isinstance(child, ast.JoinedStr):
            text = "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in child.values)
        else:
            yield from _strings(child)
        if " " in text and not SQL.search(text):
            yield getattr(child, "lineno", 0), text


def _markdown_text(name: str, page: str) -> str:
    """Return a page without names in code, its line breaks kept; of the changelog, only the newest section."""
    if name == "CHANGELOG.md":
        second = [match.start() for match in re.finditer(r"^## ", page, re.MULTILINE)][1:2]
        page = page[: second[0]] if second else page
    return re.sub(r"`[^`\n]+`", "``", page)


def check_file(path: Path, root: Path = ROOT) -> list[Hit]:
    """Return the words in a file that must not be used."""
    name = path.relative_to(root).as_posix()
    return [
        Hit(name, line + text.count("\n", 0, match.start()), " ".join(match[0].split()), rule)
        for line, text in texts_of(path)
        for rule in RULES
        for match in rule.find(text)
    ]


def find_files(arguments: Iterable[str], root: Path = ROOT) -> list[Path]:
    """Return the files to check: those of the arguments (folders with all files below), or all by default."""
    given = [path for name in arguments for path in _below(root / name)]
    files = given or [path for glob in CHECKED for path in root.glob(glob)]
    skipped = tuple(SKIPPED)
    return sorted({path for path in files if path.is_file() and not _is_skipped(path.relative_to(root), skipped)})


def _below(path: Path) -> Iterable[Path]:
    """Return a file, or the text files below a folder."""
    return [file for kind in ("py", "sql", "md") for file in path.rglob(f"*.{kind}")] if path.is_dir() else [path]


def _is_skipped(path: Path, skipped: tuple[str, ...]) -> bool:
    """Return whether a path is not checked."""
    return "__pycache__" in path.parts or path.as_posix().startswith(skipped)


def main(arguments: list[str] | None = None) -> int:
    """Print the words that must not be used, and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="*", help="files and folders; all sources and pages by default")
    parser.add_argument("--count", action="store_true", help="print the number for each package or folder")
    options = parser.parse_args(arguments)
    hits = [hit for path in find_files(options.paths) for hit in check_file(path)]
    if options.count:
        counts = Counter(hit.package for hit in hits)
        print(*(f"{count:5} {package}" for package, count in counts.most_common()), f"{len(hits):5} in all", sep="\n")
    else:
        print(*hits, sep="\n", end="\n" if hits else "")
    return 1 if hits else 0


if __name__ == "__main__":
    sys.exit(main())
