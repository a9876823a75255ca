"""The checks of the gate: outdated locks, outdated pages, and the exit status and last line of a gate call."""

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
LAST_LINE = "===== 9 passed in 1.20s ====="


@pytest.fixture(scope="module")
def agreement() -> Iterator[ModuleType]:
    """Give the script that `./run check` calls, as a module."""
    spec = importlib.util.spec_from_file_location("agreement", ROOT / ".ci/agreement.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["agreement"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["agreement"]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Give a copy of pyproject.toml and the locks."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    shutil.copytree(ROOT / "requirements", tmp_path / "requirements")
    return tmp_path


def replace(path: Path, old: str, new: str) -> None:
    """Replace a text that a file contains."""
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_the_locks_agree_with_the_requirements(agreement: ModuleType) -> None:
    assert agreement.check_locks() == []


@pytest.mark.parametrize(
    ("file", "old", "new", "words"),
    [
        ("pyproject.toml", '"rich>=', '"rich>=999,>=', "requires rich"),
        (
            "pyproject.toml",
            '"rich>=',
            '"nowhere-to-be-had>=1", "rich>=',
            "nowhere-to-be-had>=1, which is missing from dev.lock",
        ),
        ("pyproject.toml", '"rich>=', '"idna>=1", "rich>=', "idna>=1, but dev.lock has it only for another package"),
        ("pyproject.toml", '"pytest-xdist>=', '"pytest>=', "has pytest-xdist for pyproject.toml, which no longer"),
        (
            "requirements/dev.lock",
            "psycopg-binary==",
            "psycopg-other==",
            "requires psycopg-binary, which is missing from dev.lock",
        ),
        ("requirements/dev.lock", "msgspec==", "exact==1.0\nmsgspec==", "exact is pinned without a hash"),
        ("requirements/dev.lock", "msgspec==", "# https://example.test\nmsgspec==", "contains a URL"),
        ("requirements/bootstrap.lock", "uv==", "uv==0.", "bootstrap.lock has uv"),
        ("requirements/base.lock", "aiohttp==", "aiohttp==0.", "base.lock has aiohttp"),
        (
            "requirements/base.lock",
            "hatchling==",
            "other==",
            "requires hatchling>=1.33, which is missing from base.lock",
        ),
        (
            "requirements/airflow.lock",
            "apache-airflow==",
            "other==",
            "apache-airflow==3.3.2, which is missing from airflow.lock",
        ),
        ("pyproject.toml", '"redis>=5"', '"redis>=999"', "requires redis>=999, but airflow.lock has"),
    ],
)
def test_an_outdated_lock_is_reported_with_the_fix(
    agreement: ModuleType, checkout: Path, file: str, old: str, new: str, words: str
) -> None:
    replace(checkout / file, old, new)
    messages = agreement.check_locks(checkout)
    assert [message for message in messages if words in message and "Run: .ci/lock" in message], messages


def test_an_outdated_page_is_reported_with_the_fix(agreement: ModuleType, tmp_path: Path) -> None:
    messages = agreement.check_pages(tmp_path)
    assert "docs/reference/settings.md does not match the declarations. Run: python -m etl.render" in messages
    for message in messages:
        name = message.split()[0]
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    replace(tmp_path / "docs/reference/settings.md", "ETL_TENANT", "ETL_TENNANT")
    assert "docs/reference/settings.md" in " ".join(agreement.check_pages(tmp_path))


@pytest.fixture
def gate(tmp_path: Path) -> Path:
    """Give a checkout with the gate; each test writes its `run` script."""
    (tmp_path / ".ci").mkdir()
    shutil.copy(ROOT / ".ci/run", tmp_path / ".ci/run")
    return tmp_path


def start(gate: Path, script: str) -> subprocess.CompletedProcess[str]:
    """Call the gate with a `run` script."""
    (gate / "run").write_text(f"#!/bin/sh\n{script}\n")
    (gate / "run").chmod(0o755)
    environment = {**os.environ, "ETL_TENANT": "somebody's"}
    return subprocess.run([str(gate / ".ci/run")], env=environment, capture_output=True, text=True, check=False)


def call(gate: Path, *, check: int = 0, oldest: int = 0, test: int = 0, closing: str = LAST_LINE) -> tuple[int, str]:
    """Call the gate with parts that have these exit statuses; return its exit status and last line."""
    completed = start(
        gate,
        f'case $1 in check) exit {check};; esac\necho "{closing}"\n'
        f"case $2 in --postgres) exit {oldest};; *) exit {test};; esac",
    )
    return completed.returncode, completed.stdout.splitlines()[-1]


def test_a_gate_that_passes_ends_with_the_last_line_of_pytest(gate: Path) -> None:
    assert call(gate) == (0, LAST_LINE)
    assert call(gate, closing="=== \x1b[32m9 passed\x1b[0m in 75.01s (0:01:15) ===")[0] == 0


@pytest.mark.parametrize(("check", "oldest", "test"), [(1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 1), (0, 0, 5)])
def test_a_part_that_fails_fails_the_gate(gate: Path, check: int, oldest: int, test: int) -> None:
    assert call(gate, check=check, oldest=oldest, test=test) == (1, LAST_LINE)


@pytest.mark.parametrize("word", ["skipped", "deselected", "xfailed"])
def test_a_test_that_did_not_run_fails_the_gate(gate: Path, word: str) -> None:
    assert call(gate, closing=f"===== 9 passed, 1 {word} in 1.20s =====")[0] == 1


def test_a_run_that_is_killed_fails_the_gate(gate: Path) -> None:
    assert call(gate, closing="killed") == (1, "gate: pytest ended without its closing line")


def test_settings_of_the_caller_do_not_reach_the_gate(gate: Path) -> None:
    assert call(gate, closing="===== ${ETL_TENANT-none} passed in 1s =====") == (0, "===== none passed in 1s =====")


@pytest.mark.parametrize("missing", ["oldest", "newest"])
def test_a_python_that_cannot_be_had_fails_the_gate(gate: Path, missing: str) -> None:
    script = f'case "$2 $3" in "--python {missing}") echo "pythons: install one" >&2; exit 1;; esac\necho "{LAST_LINE}"'
    completed = start(gate, script)
    assert (completed.returncode, completed.stdout.splitlines()[-1]) == (1, LAST_LINE)
    assert "pythons: install one" in completed.stdout


def test_the_gate_says_which_pythons_ran_the_tests_of_functions_and_declarations(gate: Path) -> None:
    script = (
        'case "$2 $3" in "--python oldest") echo "platform linux -- Python 3.11.2, pytest-9.2.0" $4 $5;; '
        f'"--python newest") echo "platform linux -- Python 3.14.0, pytest-9.2.0" $4 $5;; esac\necho "{LAST_LINE}"'
    )
    completed = start(gate, script)
    assert completed.returncode == 0
    for name, version in (("oldest", "3.11.2"), ("newest", "3.14.0")):
        assert f"Python {version}, pytest-9.2.0 tests/unit tests/declarations" in completed.stdout
        assert f"gate: on the {name} Python, {version}: {LAST_LINE}" in completed.stdout
