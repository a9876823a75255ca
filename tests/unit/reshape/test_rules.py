"""The versions of the rules follow the meaning of the code, not its comments or file names."""

import ast
from pathlib import Path

import pytest

import etl
from etl.reshape.rules import CLEANING, READING, counted_files, meaning_of, rules_digest

RULE = '''"""A rule."""

from re import compile


def clean(raw: str) -> str | None:
    """Return the clean value."""
    # Blanks are no value.
    return raw.strip() or None
'''


@pytest.fixture
def meaning(tmp_path: Path) -> "Meaning":
    return Meaning(tmp_path)


class Meaning:
    """Writes sources into files and returns their meaning."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.written = 0

    def __call__(self, source: str) -> str:
        self.written += 1
        file = self.folder / f"rule_{self.written}.py"
        file.write_text(source)
        return meaning_of(file)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Return the clean value.", "Return the value without blanks."),
        ('"""A rule."""', '"""Another label.\n\nAnd a reason.\n"""'),
        ("# Blanks are no value.", "# Blanks mean that the agency left the field empty."),
        ("from re import compile", "from re import compile, match"),
        ("raw.strip() or None", "(\n        raw.strip()\n        or None\n    )"),
    ],
)
def test_comments_imports_and_layout_do_not_change_the_version(meaning: Meaning, before: str, after: str) -> None:
    assert before in RULE

    assert meaning(RULE.replace(before, after)) == meaning(RULE)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("strip()", "lstrip()"),
        ("or None", 'or ""'),
        ("raw: str", "raw: bytes"),
        ("def clean", "def tidy"),
        ("return raw.strip() or None", "return raw.strip() or None\n\n\nLIMIT = 3"),
    ],
)
def test_a_change_of_the_code_changes_the_version(meaning: Meaning, before: str, after: str) -> None:
    assert before in RULE

    assert meaning(RULE.replace(before, after)) != meaning(RULE)


def test_constants_of_different_types_differ(meaning: Meaning) -> None:
    assert len({meaning(f"LIMIT = {value}\n") for value in ("1", "1.0", "True", '"1"', 'b"1"')}) == 5


def test_a_query_counts_without_its_comment_and_layout(tmp_path: Path) -> None:
    files = {
        "before": "-- name: clean_links\nUPDATE public.renewals SET premium = 1\nWHERE id = :id\n",
        "remark": "-- name: clean_links\n-- Another reason.\nUPDATE public.renewals\nSET premium = 1 WHERE id = :id\n",
        "change": "-- name: clean_links\nUPDATE public.renewals SET premium = 2\nWHERE id = :id\n",
    }
    meanings = {}
    for name, queries in files.items():
        (tmp_path / f"{name}.sql").write_text(queries)
        meanings[name] = meaning_of(tmp_path / f"{name}.sql")

    assert meanings["before"] == meanings["remark"] != meanings["change"]


def digest_of(folder: Path, **sources: str) -> str:
    """Write files below a folder, and return the digest of the folder."""
    for name, source in sources.items():
        file = folder / f"{name.replace('__', '/')}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(source)
    return rules_digest((str(folder),))


def test_a_moved_file_keeps_the_version_and_a_new_rule_changes_it(tmp_path: Path) -> None:
    other = RULE.replace("clean", "tidy")
    before = digest_of(tmp_path / "before", clean=RULE, tidy=other)

    assert digest_of(tmp_path / "moved", kinds__text=RULE, tidy=other) == before
    assert digest_of(tmp_path / "fewer", clean=RULE) != before
    assert digest_of(tmp_path / "more", clean=RULE, tidy=other, third="LIMIT = 3") != before


def test_the_settings_that_affect_the_rules_count(tmp_path: Path) -> None:
    (tmp_path / "rule.py").write_text(RULE)

    assert rules_digest((str(tmp_path),), "strict") != rules_digest((str(tmp_path),), "lenient")


def test_declarations_count_for_cleaning_and_for_reading() -> None:
    assert {"values", "resources.py", "catalogue"} <= set(CLEANING) & set(READING)
    assert rules_digest(CLEANING) != rules_digest(READING)


#: What the counted files import that says nothing about a row: settings, errors, which calls are made, storage.
WITHOUT_RULES = {
    "etl",
    "etl.config.options",
    "etl.catalogue.detail_rules",
    "etl.catalogue.facts",
    "etl.docstrings",
    "etl.errors",
    "etl.ledger.quality",
    "etl.ledger.staging.classify",
    "etl.ledger.staging.raw_tables",
    "etl.models.bookkeeping",
    "etl.models.history",
    "etl.queries",
}


def test_every_module_that_cleaning_uses_counts() -> None:
    root = Path(etl.__file__).parent
    counted = counted_files(CLEANING)
    imported = {
        node.module
        for file in counted
        if file.suffix == ".py"
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "etl"
    }
    missing = {
        module
        for module in imported - WITHOUT_RULES
        if (path := root.parent / module.replace(".", "/")).with_suffix(".py") not in counted
        and path / "__init__.py" not in counted
    }
    assert missing == set()


def test_the_programs_own_tables_do_not_count() -> None:
    names = {file.name for file in counted_files(CLEANING)}
    assert names.isdisjoint({"bookkeeping.py", "child_queue.py", "notifications.py"})
    assert "row_views.sql" not in names
    assert {"derived.sql", "core.py", "products.py", "sources.py", "record.py", "copy_text.py"} <= names
