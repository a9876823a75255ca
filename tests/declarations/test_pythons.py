"""Which Python `./run test --python oldest|newest` takes, and what it says when there is none."""

import importlib
from contextlib import nullcontext
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def pythons(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    """Give the script that finds Pythons, as a module that knows only the folders of the test."""
    monkeypatch.syspath_prepend(str(ROOT / ".ci"))
    module = importlib.import_module("pythons")
    monkeypatch.setattr(module, "SYSTEM_FOLDERS", (str(tmp_path / "system"),))
    monkeypatch.setattr(module, "search_path", lambda: str(tmp_path / "path"))
    monkeypatch.setattr(module, "install_packages", lambda *_packages: None)
    monkeypatch.setattr(module, "exclusive_lock", nullcontext)
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    return module


def put(folder: Path, version: str, level: str = "final") -> str:
    """Put a program into a folder that answers as a Python of a version; return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / f"python{version.rpartition('.')[0]}"
    program.write_text(f"#!/bin/sh\necho {version.replace('.', ' ')} {level}\n")
    program.chmod(0o755)
    return str(program)


def test_the_oldest_is_the_lowest_patch_level_wherever_it_is(pythons: ModuleType, tmp_path: Path) -> None:
    put(tmp_path / "path", "3.11.7")
    stock = put(tmp_path / "system", "3.11.2")
    put(tmp_path / "pyenv/versions/3.11.9/bin", "3.11.9")
    put(tmp_path / "pyenv/versions/3.10.13/bin", "3.10.13")
    assert pythons.find_program("oldest") == stock


def test_the_newest_is_the_newest_release_that_the_locks_allow(pythons: ModuleType, tmp_path: Path) -> None:
    put(tmp_path / "system", "3.11.2")
    newest = put(tmp_path / "pyenv/versions/3.13.1/bin", "3.13.1")
    put(tmp_path / "path", "3.14.0", "candidate")
    put(tmp_path / "system", "3.15.0")
    assert pythons.find_program("newest") == newest


def test_debian_gives_the_oldest_where_there_is_none(
    pythons: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path / "path", "3.13.0")
    monkeypatch.setattr(pythons, "install_packages", lambda _package: put(tmp_path / "system", "3.11.2"))
    assert pythons.find_program("oldest") == str(tmp_path / "system/python3.11")


@pytest.mark.parametrize(
    ("name", "found", "fix"), [("oldest", "3.13.0", "python3.11"), ("newest", "3.11.2", "python3.12 to python3.14")]
)
def test_a_missing_python_is_reported_with_the_fix(
    pythons: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, found: str, fix: str
) -> None:
    for versions in ([], [found]):
        for version in versions:
            put(tmp_path / "path", version)
        assert pythons.main([name]) == 1
        error = capsys.readouterr().err
        assert fix in error
        assert "PATH" in error
