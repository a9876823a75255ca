"""Who may import whom: the floors of the house, checked by import-linter; and what pure rooms must not do."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
LINTER = Path(sys.executable).with_name("lint-imports")
DOCUMENT = "docs/explanation/architecture.md"

#: What reads a clock that nobody handed in.
CLOCKS = {"now", "today", "utcnow", "monotonic", "perf_counter", "time_ns"}

#: The rooms that open transactions of their own: migrations and the server's life are none of the ledger's business.
MAY_COMMIT = {"ledger", "database", "alembic"}
#: What opens a connection to a database.
OPENS = re.compile(r"(psycopg\w*|\w*Connection)\.connect$")
COMMITS = re.compile(r"(engine|connection|session)\.(begin|commit)$")


def contracts() -> list[dict[str, Any]]:
    """Return the contracts of pyproject.toml."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    found: list[dict[str, Any]] = settings["tool"]["importlinter"]["contracts"]
    return found


def contract(named: str) -> dict[str, Any]:
    """Return one contract."""
    return next(one for one in contracts() if one["id"] == named)


def rooms() -> set[str]:
    """Return the rooms of the house: the packages and modules right below `etl`."""
    folders = {path.parent.name for path in (ROOT / "etl").glob("*/__init__.py")}
    return folders | {path.stem for path in (ROOT / "etl").glob("*.py")} - {"__init__"}


def lint(*arguments: str, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run the linter of imports in a folder."""
    command = [str(LINTER), "--no-logo", "--no-cache", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_every_import_keeps_to_the_floors() -> None:
    checked = lint()
    assert checked.returncode == 0, f"See {DOCUMENT}, section Floors.\n{checked.stdout}\n{checked.stderr}"


def test_whoever_breaks_a_floor_is_told_where_to_read() -> None:
    assert all(DOCUMENT in one["name"] for one in contracts())


def test_a_broken_floor_is_noticed_and_named(tmp_path: Path) -> None:
    floors = contract("floors")
    house = tmp_path / "etl"
    for room in (".", "simulator", *re.findall(r"\w+", " ".join(floors["layers"]))):
        (house / room).mkdir(parents=True)
        (house / room / "__init__.py").touch()
    (house / "values" / "__init__.py").write_text("import etl.ledger\n")
    (tmp_path / ".importlinter").write_text(as_ini({**floors, "ignore_imports": []}))
    checked = lint("--config", ".importlinter", folder=tmp_path)
    assert checked.returncode == 1
    assert "etl.values -> etl.ledger" in " ".join(checked.stdout.split())
    assert DOCUMENT in checked.stdout.replace("\n", "")


def as_ini(one: dict[str, Any]) -> str:
    """Return one contract as a configuration of its own."""
    lines = [f"{key} = {as_value(value)}" for key, value in one.items() if value != []]
    return "\n".join(["[importlinter]", "root_package = etl", "[importlinter:contract:one]", *lines])


def as_value(value: Any) -> str:
    """Return a setting as an INI file writes it."""
    return "".join(f"\n    {line}" for line in value) if isinstance(value, list) else str(value)


def test_the_simulator_is_kept_from_every_room() -> None:
    forbidden = {name.removeprefix("etl.") for name in contract("simulator")["forbidden_modules"]}
    upstairs = {"cli", "dags", "console", "__main__"}  # they may start the simulator, so it cannot need them
    assert rooms() - forbidden - upstairs == {"simulator"}


def files_of(module: str) -> Iterator[Path]:
    """Yield the files of a module or package."""
    place = ROOT.joinpath(*module.split("."))
    yield from sorted(place.rglob("*.py")) if place.is_dir() else [place.with_suffix(".py")]


def calls(path: Path) -> Iterator[str]:
    """Yield every call of a method or of a function of a module, as `file:line object.name`."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield f"{path.relative_to(ROOT)}:{node.lineno} {ast.unparse(node.func)}"


@pytest.mark.parametrize("module", contract("pure")["source_modules"])
def test_pure_rooms_read_no_clock(module: str) -> None:
    found = [call for path in files_of(module) for call in calls(path) if call.rpartition(".")[2] in CLOCKS]
    assert found == [], f"Hand the time in; see {DOCUMENT}."


def test_only_the_ledger_commits() -> None:
    others = [folder for folder in (ROOT / "etl").iterdir() if folder.name not in MAY_COMMIT]
    files = [path for folder in others for path in ([folder] if folder.suffix == ".py" else folder.rglob("*.py"))]
    found = [call for path in files for call in calls(path) if COMMITS.search(call)]
    assert found == [], f"Hand the work to Ledger.commit, which checks the lease; see {DOCUMENT}."


def test_every_connection_is_one_whose_waits_have_an_end() -> None:
    found = [call.partition(" ")[2] for path in files_of("etl") for call in calls(path) if OPENS.search(call)]
    assert found == ["DeadlineConnection.connect"] * 2, "Ask by `asking`, or by an engine of make_engine."
