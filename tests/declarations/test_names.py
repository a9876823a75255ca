"""Who may name a table or a field of the API: the declarations, and the reports and tests that speak of them."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from etl.models import PRODUCTION, links
from etl.models.base import fields_of
from etl.models.sources import FirstOf
from etl.resources import CATALOGUE

ETL = Path(__file__).parents[2] / "etl"

#: The rooms that may: they declare, check, migrate, report, or play the API. Kinds show API fields as examples. The
#: names that Airflow sees are written from the declarations.
MAY = ("models", "checks", "alembic", "reports", "simulator", "values", "resources.py", "catalogue.py", "dags/names.py")

#: Fields whose names are also words of the API's envelopes, or of anybody.
COMMON_WORDS = {"ErrorMessage"}

#: A field's name that no prose contains: two capitals at least, as in EntityID.
HUMPS = re.compile(r"[a-z]*[A-Z][a-zA-Z]*[a-z][A-Z]")


def field_names() -> set[str]:
    """Return the API's names of all fields that are declared."""
    found: set[str] = set()
    for one in CATALOGUE:
        sources = [about.source for about in fields_of(one.model, one.data_source).values()]
        for source in (*sources, one.id, one.modified, one.created):
            paths = source.paths if isinstance(source, FirstOf) else (source,)
            found |= {step for path in paths if isinstance(path, str) for step in path.split(".")}
    return {name for name in found if HUMPS.match(name)} - COMMON_WORDS


def docstrings(tree: ast.AST) -> set[int]:
    """Return the identities of the constants that are docstrings."""
    holders = (node for node in ast.walk(tree) if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef))
    firsts = (node.body[0] for node in holders if node.body)
    return {
        id(first.value) for first in firsts if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    }


def texts(path: Path) -> Iterator[tuple[int, str]]:
    """Yield line and text of every string of a file that is no docstring."""
    tree = ast.parse(path.read_text())
    explained = docstrings(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in explained:
            yield node.lineno, node.value


def offences(path: Path) -> list[str]:
    """Return where a file names a table or a field, as `line: name`."""
    tables = "|".join([*(model.__tablename__ for model in PRODUCTION), *(table.name for table in links.LINKS)])
    in_sql = re.compile(rf"\b(?:public\.|raw\.raw_)(?:{tables})\b")
    fields = field_names()
    found = []
    for line, words in sorted(texts(path)):
        named = set(re.findall(r"\w+", words)) & fields | set(in_sql.findall(words))
        if words in tables.split("|"):
            named.add(words)
        found += [f"{line}: {name}" for name in sorted(named)]
    return found


ENGINE = sorted(
    path
    for path in ETL.rglob("*.py")
    if not {path.relative_to(ETL).parts[0], path.relative_to(ETL).as_posix()} & set(MAY)
)


@pytest.mark.parametrize("path", ENGINE, ids=lambda path: str(path.relative_to(ETL)))
def test_the_engine_names_no_table_and_no_field(path: Path) -> None:
    assert offences(path) == [], (
        "the engine works for every resource alike: say it in etl/models or etl/resources.py, and read it from there"
    )


def test_the_question_finds_what_it_asks_for(tmp_path: Path) -> None:
    path = tmp_path / "engine.py"
    path.write_text(
        '"""EntityID."""\nA = "EntityID"\nB = f"FROM public.contacts {A}"\nC = "policies"\nD = "all policies"\n'
    )
    assert offences(path) == ["2: EntityID", "3: public.contacts", "4: policies"]
    assert len(field_names()) > 150
    assert len(ENGINE) > 20
