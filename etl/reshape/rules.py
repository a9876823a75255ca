"""Versions of the cleaning and reading rules: they change with the meaning of the code, not with its comments."""

import ast
import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import etl
from etl.config.options import CleaningOptions
from etl.queries import read_queries

#: What resources have, and how their fields are spelled, hidden and cleaned.
DECLARATIONS = ("catalogue", "resources.py", "read_paths.py", "spelling.py", "sensitive.py", "values")
#: Code that decides how a raw record becomes a row: the kinds, the models, the catalogue, the reshaping.
CLEANING = (*DECLARATIONS, "models", "reshape", "record.py", "copy_text.py")
#: Files of these packages that no record passes through: order of the calls, levels of facts, own tables and views.
OTHERS = frozenset(
    {"catalogue/detail_rules.py", "catalogue/facts.py"}
    | {
        f"models/{name}.py"
        for name in (
            "api_access",
            "bookkeeping",
            "child_queue",
            "commits",
            "history",
            "notifications",
            "row_views",
            "staging",
        )
    }
)
#: Code that decides how an item of an answer becomes a raw record: its id, its times, its text without secrets.
READING = (*DECLARATIONS, "api/protocol", "record.py")
#: Parts of the syntax tree that do not affect the meaning, or differ between versions of Python.
WITHOUT_MEANING = frozenset({"ctx", "kind", "type_comment", "type_ignores", "type_params"})


def rules_version(options: CleaningOptions) -> str:
    """Return the version of the cleaning rules; raw rows loaded under another version are cleaned again."""
    return rules_digest(CLEANING, options.validation, options.zone)


def reading_rules() -> bytes:
    """Return the version of the reading rules; a page read under another version counts as new."""
    return rules_digest(READING).encode()


@cache
def rules_digest(paths: tuple[str, ...], *settings: str) -> str:
    """Return the digest of the meaning of the rules' code and of the settings that affect them.

    Files count by their content, not their name, so that moving a file changes nothing.
    """
    meanings = sorted(map(meaning_of, counted_files(paths)))
    return hashlib.blake2b("\x1f".join([*settings, *meanings]).encode(), digest_size=8).hexdigest()


def counted_files(paths: tuple[str, ...]) -> set[Path]:
    """Return the files that decide about a version: those of packages and single ones, without the others."""
    root = Path(etl.__file__).parent
    others = {root / name for name in OTHERS}
    return {file for path in paths for file in source_files(root / path) if file.with_suffix(".py") not in others}


def source_files(path: Path) -> Iterator[Path]:
    """Yield the Python and SQL files of a package, or the file itself."""
    yield from (file for kind in ("py", "sql") for file in path.rglob(f"*.{kind}")) if path.is_dir() else [path]


@cache
def meaning_of(file: Path) -> str:
    """Return a digest of what the code of a file does: without comments, docstrings, imports and layout."""
    tokens: list[str] = []
    if file.suffix == ".sql":
        tokens = [f"{name} {' '.join(query.text.split())}" for name, query in read_queries(file).items()]
    else:
        add_tokens(ast.parse(file.read_bytes()), tokens)
    return hashlib.blake2b("\x1e".join(tokens).encode(errors="surrogatepass"), digest_size=16).hexdigest()


def add_tokens(node: object, tokens: list[str]) -> None:
    """Add the types, names and constants of a syntax tree that decide what the code does, in order."""
    if isinstance(node, list):
        tokens.append("[")
        for member in node:
            if not is_without_meaning(member):
                add_tokens(member, tokens)
        tokens.append("]")
    elif isinstance(node, ast.AST):
        tokens.append(type(node).__name__)
        for field in node._fields:
            if field not in WITHOUT_MEANING:
                tokens.append(field)
                add_tokens(getattr(node, field, None), tokens)
    else:
        tokens.append(repr(node))


def is_without_meaning(node: object) -> bool:
    """Return whether a statement has no effect: an import, a docstring, a text by itself."""
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    return isinstance(node, ast.Import | ast.ImportFrom)
