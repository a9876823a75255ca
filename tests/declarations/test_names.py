"""Only declarations, checks, reports and the simulator name a table or an API field; the engine does not."""

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

#: The packages and files that may: they declare, check, migrate, report, or simulate the API. Kinds show API fields as
#: examples. The names for Airflow are rendered from the declarations. The page on sizing describes an agency's book.
ALLOWED = (
    "models",
    "checks",
    "alembic",
    "reports",
    "simulator",
    "values",
    "resources.py",
    "catalogue",
    "dags/names.py",
    "pipeline/forecast/book_calls.py",
    "render/sizing.py",
)

#: Fields whose names also occur in the envelopes of the API.
COMMON_WORDS = {"ErrorMessage"}

#: A field name that no prose contains: at least two capitals, as in EntityID.
CAMEL_CASE = re.compile(r"[a-z]*[A-Z][a-zA-Z]*[a-z][A-Z]")


def field_names() -> set[str]:
    """Return the API names of all declared fields."""
    steps: set[str] = set()
    for resource in CATALOGUE:
        sources = [field.source for field in fields_of(resource.model, resource.data_source).values()]
        for source in (*sources, resource.id, *resource.changes.times):
            paths = source.paths if isinstance(source, FirstOf) else (source,)
            steps |= {step for path in paths if isinstance(path, str) for step in path.split(".")}
    return {name for name in steps if CAMEL_CASE.match(name)} - COMMON_WORDS


def docstrings(tree: ast.AST) -> set[int]:
    """Return the `id()` of each constant that is a docstring."""
    holders = (node for node in ast.walk(tree) if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef))
    firsts = (node.body[0] for node in holders if node.body)
    return {
        id(first.value) for first in firsts if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    }


def strings(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the line and text of every string of a file, without docstrings; of SQL, every line without comments."""
    if path.suffix == ".sql":
        yield from ((number, line) for number, line in enumerate(path.read_text().splitlines(), 1) if line[:2] != "--")
        return
    tree = ast.parse(path.read_text())
    docstring_ids = docstrings(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstring_ids:
            yield node.lineno, node.value


def find_names(path: Path) -> list[str]:
    """Return the places where a file names a table or a field, as `line: name`."""
    tables = "|".join([*(model.__tablename__ for model in PRODUCTION), *(table.name for table in links.LINKS)])
    in_sql = re.compile(rf"\b(?:public\.|raw\.raw_)(?:{tables})\b")
    fields = field_names()
    places = []
    for line, string in sorted(strings(path)):
        names = set(re.findall(r"\w+", string)) & fields | set(in_sql.findall(string))
        if string in tables.split("|"):
            names.add(string)
        places += [f"{line}: {name}" for name in sorted(names)]
    return places


ENGINE = sorted(
    path
    for path in ETL.rglob("*")
    if path.suffix in {".py", ".sql"}
    and not {path.relative_to(ETL).parts[0], path.relative_to(ETL).as_posix()} & set(ALLOWED)
)


@pytest.mark.parametrize("path", ENGINE, ids=lambda path: str(path.relative_to(ETL)))
def test_the_engine_names_no_table_and_no_field(path: Path) -> None:
    assert find_names(path) == [], (
        "The engine works the same for every resource: declare the name in etl/models or etl/resources.py."
    )


def test_the_search_finds_table_and_field_names(tmp_path: Path) -> None:
    path = tmp_path / "engine.py"
    path.write_text(
        '"""EntityID."""\nA = "EntityID"\nB = f"FROM public.contacts {A}"\nC = "policies"\nD = "all policies"\n'
    )
    assert find_names(path) == ["2: EntityID", "3: public.contacts", "4: policies"]
    (tmp_path / "engine.sql").write_text(
        "-- name: a\n-- EntityID\nSELECT raw_data -> 'EntityID'\nFROM public.contacts\n"
    )
    assert find_names(tmp_path / "engine.sql") == ["3: EntityID", "4: public.contacts"]
    assert len(field_names()) > 150
    assert len(ENGINE) > 20
