"""Constant SQL is in the `.sql` file beside its module, and every query in it is used."""

import ast
import re
from pathlib import Path

import pytest
from test_names import docstrings

from etl.queries import Queries, read_queries

ETL = Path(__file__).parents[2] / "etl"
DOCUMENT = "docs/decisions/0017-named-queries-by-hand.md"

#: Files of published queries, which people run by hand: one query each, without a name.
PUBLISHED = ("checks/sql/", "reports/expiring_policies.sql")

FILES = sorted(path for path in ETL.rglob("*.sql") if not path.relative_to(ETL).as_posix().startswith(PUBLISHED))
MODULES = sorted(path for path in ETL.rglob("*.py") if path.relative_to(ETL).parts[0] != "alembic")

#: How a statement begins, perhaps after a parenthesis or a comment.
STATEMENT = re.compile(
    r"\s*(?:--.*\n\s*|\(\s*)*(?:SELECT|INSERT|UPDATE|DELETE|WITH|CREATE|ALTER|DROP|MERGE|TRUNCATE)\b"
)
#: A place of a template, which makes a statement a built one.
PLACE = re.compile(r"\{\w*\}")


def relative(path: Path) -> str:
    """Return the path below `etl`."""
    return path.relative_to(ETL).as_posix()


def texts(path: Path) -> set[str]:
    """Return every string of a Python file."""
    nodes = ast.walk(ast.parse(path.read_text()))
    return {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def keys(path: Path) -> list[ast.expr]:
    """Return what a Python file looks for in its queries."""
    nodes = ast.walk(ast.parse(path.read_text()))
    found = [node for node in nodes if isinstance(node, ast.Subscript) and ast.unparse(node.value) == "SQL"]
    return [node.slice for node in found]


def used_queries(path: Path) -> set[str]:
    """Return the names that a Python file looks for in its queries."""
    return {str(key.value) for key in keys(path) if isinstance(key, ast.Constant)}


def named_queries(path: Path) -> set[str]:
    """Return the names of queries that a Python file uses; if it computes some, each of its strings may be one."""
    return used_queries(path) if all(isinstance(key, ast.Constant) for key in keys(path)) else texts(path)


def constant_statements(source: str) -> list[int]:
    """Return the lines of the constant SQL statements of a module that take more than one line."""
    tree = ast.parse(source)
    other = docstrings(tree)
    parts = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in ast.walk(node)}
    return sorted(
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in other | parts
        if (node.end_lineno or 0) > node.lineno and STATEMENT.match(node.value) and not PLACE.search(node.value)
    )


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_a_module_holds_no_constant_statement_of_several_lines(path: Path) -> None:
    lines = constant_statements(path.read_text())
    assert lines == [], (
        f"{relative(path)}: move the SQL of these lines to {path.stem}.sql beside it, below a line `-- name: NAME`; "
        'use it as SQL["NAME"] with `SQL = Queries(__file__)` from etl.queries. Only SQL that is built from names '
        f"stays in Python. See {DOCUMENT}."
    )


@pytest.mark.parametrize("path", FILES, ids=relative)
def test_every_query_of_a_file_is_used_by_the_module_beside_it(path: Path) -> None:
    unused = read_queries(path).keys() - named_queries(path.with_suffix(".py"))
    assert unused == set(), f"Delete these queries of {relative(path)}, or use them."


@pytest.mark.parametrize("path", [path for path in MODULES if used_queries(path)], ids=relative)
def test_every_query_that_a_module_uses_exists(path: Path) -> None:
    missing = used_queries(path) - read_queries(path.with_suffix(".sql")).keys()
    assert missing == set(), f"Add these queries to {relative(path.with_suffix('.sql'))}."


@pytest.mark.parametrize("path", FILES, ids=relative)
def test_a_file_names_each_query_once_and_holds_nothing_else(path: Path) -> None:
    content = path.read_text()
    assert len(re.findall(r"^-- name:", content, re.MULTILINE)) == len(read_queries(path))
    assert content.startswith("-- name: ")
    assert all(STATEMENT.match(query.text) for query in read_queries(path).values())
    assert ";" not in "".join(query.text for query in read_queries(path).values())


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ('A = text("""\n    SELECT 1\n""")', [1]),
        ('A = (\n    "UPDATE public.contacts"\n    " SET name = 1"\n)', [2]),
        ('def f():\n    """Select\n    SELECT 1."""', []),
        ('A = "SELECT 1"', []),
        ('A = f"""\n    SELECT 1 FROM {table}\n"""', []),
        ('A = """\n    SELECT 1 FROM raw.{table}\n"""', []),
        ('A = """\n    Select a person,\n    or none\n"""', []),
    ],
)
def test_the_search_finds_constant_statements(source: str, lines: list[int]) -> None:
    assert constant_statements(source) == lines


def test_a_query_is_read_without_its_comments(tmp_path: Path) -> None:
    (tmp_path / "letters.sql").write_text(
        "-- name: open_letters\n-- The letters: all of them, by :day.\nSELECT 'a:b', 5 % 2\n  -- a remark\n"
        "FROM public.letters WHERE day = :day AND at::date > now()\n\n"
        "-- name: close_letter\nDELETE FROM public.letters\n"
    )
    queries = Queries(str(tmp_path / "letters.py"))

    assert queries["open_letters"].text == (
        "SELECT 'a:b', 5 % 2\nFROM public.letters WHERE day = :day AND at::date > now()"
    )
    assert set(queries["open_letters"].compile().params) == {"day"}
    assert queries["close_letter"].text == "DELETE FROM public.letters"
    assert queries["close_letter"] is queries["close_letter"]
    with pytest.raises(KeyError):
        queries["write_letter"]
