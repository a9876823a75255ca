"""The layers: which package may import which, result by import-linter; and what pure packages must not do."""

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

#: The files that a reader can survey in one package; folders of equal files may hold more.
MAX_FILES = 16
CATALOGUES = {"values", "models", "cli/commands", "alembic/versions"}

#: Functions that read a clock.
CLOCKS = {"now", "today", "utcnow", "monotonic", "perf_counter", "time_ns"}

#: The packages that may commit outside the ledger, for migrations and for administering the server.
MAY_COMMIT = {"ledger", "database", "alembic"}
#: Calls that open a connection to a database.
OPENS = re.compile(r"(psycopg\w*|\w*Connection)\.connect$")
COMMITS = re.compile(r"(engine|connection|session)\.(begin|commit)$")


def contracts() -> list[dict[str, Any]]:
    """Return the contracts of pyproject.toml."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    contracts: list[dict[str, Any]] = settings["tool"]["importlinter"]["contracts"]
    return contracts


def contract(contract_id: str) -> dict[str, Any]:
    """Return one contract of pyproject.toml."""
    return next(item for item in contracts() if item["id"] == contract_id)


def layers_of_page() -> list[set[str]]:
    """Return the packages of each line of the page's diagram, from the top down."""
    diagram = (ROOT / DOCUMENT).read_text().partition("```text\n cli")[2].partition("\n\n simulator")[0]
    return [set(re.split(r"[ |,]+", re.split(r"  +", line.strip())[0])) for line in (" cli" + diagram).splitlines()]


def test_the_page_shows_the_layers_in_their_order() -> None:
    layers = [set(re.findall(r"\w+", layer)) for layer in contract("floors")["layers"][1:]]
    shown = layers_of_page()
    order = [min(n for n, line in enumerate(shown) if line & layer) for layer in layers]
    assert order == sorted(order)
    assert set().union(*shown) == set().union(*layers) - {"console"}


def packages() -> set[str]:
    """Return the packages and modules directly below `etl`."""
    folders = {path.parent.name for path in (ROOT / "etl").glob("*/__init__.py")}
    return folders | {path.stem for path in (ROOT / "etl").glob("*.py")} - {"__init__"}


def lint(*arguments: str, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run import-linter in a folder."""
    command = [str(LINTER), "--no-logo", "--no-cache", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_every_import_follows_the_layers() -> None:
    result = lint()
    assert result.returncode == 0, f"See {DOCUMENT}, section Packages and layers.\n{result.stdout}\n{result.stderr}"


def test_the_message_of_every_contract_names_the_document() -> None:
    assert all(DOCUMENT in item["name"] for item in contracts())


def test_an_import_against_the_layers_is_reported(tmp_path: Path) -> None:
    layers_contract = contract("floors")
    package_folder = tmp_path / "etl"
    for package in (".", "simulator", *re.findall(r"\w+", " ".join(layers_contract["layers"]))):
        (package_folder / package).mkdir(parents=True)
        (package_folder / package / "__init__.py").touch()
    (package_folder / "values" / "__init__.py").write_text("import etl.ledger\n")
    (tmp_path / ".importlinter").write_text(to_ini({**layers_contract, "ignore_imports": []}))
    result = lint("--config", ".importlinter", folder=tmp_path)
    assert result.returncode == 1
    assert "etl.values -> etl.ledger" in " ".join(result.stdout.split())
    assert DOCUMENT in result.stdout.replace("\n", "")


def to_ini(settings: dict[str, Any]) -> str:
    """Return one contract as a configuration file."""
    lines = [f"{key} = {to_ini_value(value)}" for key, value in settings.items() if value != []]
    return "\n".join(["[importlinter]", "root_package = etl", "[importlinter:contract:one]", *lines])


def to_ini_value(value: Any) -> str:
    """Return a setting in INI format."""
    return "".join(f"\n    {line}" for line in value) if isinstance(value, list) else str(value)


def test_the_simulator_may_import_no_other_package() -> None:
    forbidden = {name.removeprefix("etl.") for name in contract("simulator")["forbidden_modules"]}
    above = {"cli", "dags", "console", "__main__"}  # they may start the simulator, so it cannot need them
    assert packages() - forbidden - above == {"simulator"}


def files_of(module: str) -> Iterator[Path]:
    """Yield the files of a module or package."""
    path = ROOT.joinpath(*module.split("."))
    yield from sorted(path.rglob("*.py")) if path.is_dir() else [path.with_suffix(".py")]


def calls(path: Path) -> Iterator[str]:
    """Yield every call of a method or of a function of a module, as `file:line object.name`."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield f"{path.relative_to(ROOT)}:{node.lineno} {ast.unparse(node.func)}"


@pytest.mark.parametrize("module", contract("pure")["source_modules"])
def test_pure_packages_read_no_clock(module: str) -> None:
    forbidden_calls = [call for path in files_of(module) for call in calls(path) if call.rpartition(".")[2] in CLOCKS]
    assert forbidden_calls == [], f"Pass the time as a parameter; see {DOCUMENT}."


def test_every_module_that_calls_itself_pure_is_checked() -> None:
    checked = {path for module in contract("pure")["source_modules"] for path in files_of(module)}
    labeled = {path for path in files_of("etl") if re.match(r'"""[^"\n]*\bPure\b', path.read_text())}
    assert sorted(str(path.relative_to(ROOT)) for path in labeled - checked) == [], (
        "add them to `pure` in pyproject.toml"
    )


def test_packages_stay_small() -> None:
    sizes = {
        folder.relative_to(ROOT / "etl"): len([path for path in folder.glob("*.py") if path.name != "__init__.py"])
        for folder in (ROOT / "etl").rglob("*/")
    }
    large = {str(folder): size for folder, size in sizes.items() if size > MAX_FILES and str(folder) not in CATALOGUES}
    assert large == {}, f"Give a group of these files a package of its own; see {DOCUMENT}."


def test_only_the_ledger_commits() -> None:
    others = [folder for folder in (ROOT / "etl").iterdir() if folder.name not in MAY_COMMIT]
    files = [path for folder in others for path in ([folder] if folder.suffix == ".py" else folder.rglob("*.py"))]
    forbidden_calls = [call for path in files for call in calls(path) if COMMITS.search(call)]
    assert forbidden_calls == [], f"Use Ledger.commit, which checks the lease; see {DOCUMENT}."


def test_every_connection_has_a_timeout() -> None:
    opening_calls = [call.partition(" ")[2] for path in files_of("etl") for call in calls(path) if OPENS.search(call)]
    assert opening_calls == ["DeadlineConnection.connect"] * 2, (
        "Connect with connect_with_deadline, or with an engine from make_engine."
    )
