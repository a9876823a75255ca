"""The versions of the rules for cleaning and reading: they change when the meaning of a rule changes, not its prose."""

import ast
import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import etl
from etl.config.settings import Settings

#: What decides how a raw record becomes a row: the kinds, the models, the catalogue, the reshaping.
CLEANING = ("values", "models", "reshape", "resources.py", "catalogue.py")
#: What decides how an item of an answer becomes a raw record: its id, its times, its text without secrets.
READING = ("api/protocol", "record.py", "values", "resources.py", "catalogue.py")
#: Parts of the syntax tree that say nothing about what the code does, or differ between versions of Python.
WITHOUT_MEANING = frozenset({"ctx", "kind", "type_comment", "type_ignores", "type_params"})


def rules_version(settings: Settings) -> str:
    """Return the version of the cleaning rules: raw rows that were loaded under another version are checked again."""
    return digest(CLEANING, settings.etl_validation, settings.etl_api_timezone)


def reading_rules() -> bytes:
    """Return the version of the reading rules: a page that was read under another version counts as a new page."""
    return digest(READING).encode()


@cache
def digest(packages: tuple[str, ...], *settings: str) -> str:
    """Return the digest of the meaning of the rules' code and of the settings that affect them.

    Files count by what they contain, not by their names, so that moving one changes nothing.
    """
    root = Path(etl.__file__).parent
    meanings = sorted(meaning_of(file) for package in packages for file in source_files(root / package))
    return hashlib.blake2b("\x1f".join([*settings, *meanings]).encode(), digest_size=8).hexdigest()


def source_files(path: Path) -> Iterator[Path]:
    """Yield the Python files of a package, or the file itself."""
    yield from path.rglob("*.py") if path.is_dir() else [path]


@cache
def meaning_of(file: Path) -> str:
    """Return a digest of what the code of a file does: without comments, docstrings, imports and layout."""
    words: list[str] = []
    add_words(ast.parse(file.read_bytes()), words)
    return hashlib.blake2b("\x1e".join(words).encode(errors="surrogatepass"), digest_size=16).hexdigest()


def add_words(node: object, words: list[str]) -> None:
    """Add the types, names and constants of a syntax tree that decide what the code does, in order."""
    if isinstance(node, list):
        words.append("[")
        for member in node:
            if not is_without_meaning(member):
                add_words(member, words)
        words.append("]")
    elif isinstance(node, ast.AST):
        words.append(type(node).__name__)
        for field in node._fields:
            if field not in WITHOUT_MEANING:
                words.append(field)
                add_words(getattr(node, field, None), words)
    else:
        words.append(repr(node))


def is_without_meaning(node: object) -> bool:
    """Return whether a statement says nothing about what the code does: an import, a docstring, a text by itself."""
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    return isinstance(node, ast.Import | ast.ImportFrom)
