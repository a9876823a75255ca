"""The check of words: each rule catches its example and allows its counterexample, in every kind of file."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


def load_script() -> ModuleType:
    """Return the check as a module."""
    spec = importlib.util.spec_from_file_location("words_check", ROOT / ".ci/words.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["words_check"] = module
    spec.loader.exec_module(module)
    return module


WORDS = load_script()
each_rule = pytest.mark.parametrize("rule", WORDS.RULES, ids=lambda rule: rule.wrong)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a folder for files to check."""
    return tmp_path


@each_rule
def test_a_rule_catches_its_example(rule: object) -> None:
    assert list(rule.find(rule.wrong))  # type: ignore[attr-defined]


@each_rule
def test_no_rule_catches_a_counterexample(rule: object) -> None:
    assert [
        match[0]
        for each in WORDS.RULES
        for match in each.find(rule.right)  # type: ignore[attr-defined]
    ] == []


@each_rule
def test_every_exception_has_a_reason(rule: object) -> None:
    assert all(reason for _, reason in rule.allowed)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("name", "content", "line"),
    [
        ("a.py", '"""Label."""\n\nx = 1  # whatever comes\n', 3),
        ("a.py", '"""Label.\n\nMade anew.\n"""\n', 3),
        ("a.py", 'x = 1\ny = f"{x} records besides"\n', 2),
        ("a.sql", "SELECT 1\n-- whatever comes\n", 2),
        ("a.py", "def test_it_is_made_anew() -> None: ...\n", 1),
        ("a.md", "# A\n\n```\nMade anew.\n```\n", 4),
        ("a.md", "# A\n\n```\nplain\n```\n\nMade anew.\n", 7),
        ("run", "#!/bin/sh\n# Made anew.\n", 2),
    ],
)
def test_a_word_is_reported_with_its_file_line_and_replacement(
    folder: Path, name: str, content: str, line: int
) -> None:
    (folder / name).write_text(content)
    (hit,) = WORDS.check_file(folder / name, folder)
    assert (hit.path, hit.line) == (name, line)
    assert str(hit).startswith(f'{name}:{line}: "')
    assert "say " in str(hit)
    assert WORDS.REASON in str(hit)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.py", 'def plain(told: int) -> int:\n    """Return it."""\n    return told\n'),
        ("a.py", 'KEYS = ["besides", "told"]\n'),
        ("a.py", 'QUERY = f"SELECT told FROM {1} AS anew"\n'),
        ("a.sql", "SELECT told FROM anew\n"),
        ("a.md", "Set `whatever`.\n"),
        ("CHANGELOG.md", "## 2\n\nNew.\n\n## 1\n\nMade anew.\n"),
    ],
)
def test_names_keys_code_and_old_entries_are_not_checked(folder: Path, name: str, content: str) -> None:
    (folder / name).write_text(content)
    assert WORDS.check_file(folder / name, folder) == []


@pytest.mark.parametrize(("path", "status"), [(Path(__file__), 1), (ROOT / "docs/glossary.md", 0)])
def test_the_exit_status_says_whether_there_is_any(path: Path, status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(WORDS, "SKIPPED", {})  # this file quotes the words
    assert WORDS.main([str(path)]) == status


def test_all_sources_and_pages_are_checked_except_those_skipped_with_a_reason() -> None:
    names = {path.relative_to(ROOT).as_posix() for path in WORDS.find_files([])}
    assert {"run", ".ci/check", "README.md", "docs/glossary.md", "etl/values/base.py"} <= names
    assert not {name for name in names if name.startswith(tuple(WORDS.SKIPPED))}
    assert all(WORDS.SKIPPED.values())
