"""The pages on adding a field and a resource, followed literally on a copy of the project, up to a passing check."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from command_line import settings_of
from databases import MIGRATED, clone_database
from sites import serve_agency

from etl.database.embedded.server import EmbeddedPostgres
from etl.simulator import Simulator

ROOT = Path(__file__).resolve().parents[2]
FIELD, RESOURCE = "docs/how-to/add-a-field.md", "docs/how-to/add-a-resource.md"
#: Caches that make the check faster; without them it is only slower.
CACHES = (".mypy_cache", ".ruff_cache")
BLOCK = re.compile(r"^```(?P<language>\w+)[^\n]*\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
#: `./run` would create another environment for the copy; these are the programs that it starts.
PROGRAMS = {
    "./run alembic": "alembic",
    "./run db": "python -m etl db",
    "./run check": ".ci/check",
    "./run test": "python -m pytest -q -n0 -p no:cacheprovider",
}


@dataclass(frozen=True)
class Copy:
    """A copy of the project, with a database at the newest migration."""

    folder: Path
    environment: Mapping[str, str]

    def run(self, line: str) -> str:
        """Run a command of a page, and return its output; the test fails with the output if the command does."""
        command = line.partition("#")[0].strip()
        for start, program in PROGRAMS.items():
            if command.startswith(start):
                command = program + command.removeprefix(start)
        done = subprocess.run(
            ["bash", "-c", command], cwd=self.folder, env=self.environment, text=True, capture_output=True, check=False
        )
        assert done.returncode == 0, f"{line}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
        return done.stdout + done.stderr

    def edit(self, path: str, before: str, after: str) -> None:
        """Replace a text that a file contains once."""
        file = self.folder / path
        text = file.read_text()
        assert text.count(before) == 1, f"{path} contains {before!r} {text.count(before)} times"
        file.write_text(text.replace(before, after))

    def append_to_class(self, path: str, name: str, lines: str) -> None:
        """Append the lines to the class."""
        text = (self.folder / path).read_text()
        body = re.search(rf"^class {name}\(.*?(?=^\S|\Z)", text, re.MULTILINE | re.DOTALL)
        assert body is not None, f"{path} has no class {name}"
        members = body[0].rstrip()
        self.edit(path, body[0], f"{members}\n{lines}{body[0].removeprefix(members)}")


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with serve_agency() as served:
        yield served


@pytest.fixture(scope="module")
def project(server: EmbeddedPostgres, simulator: Simulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Copy]:
    folder = tmp_path_factory.mktemp("project") / "copy"
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True)
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name, follow_symlinks=False)
    for cache in CACHES:
        if (ROOT / cache).exists():
            shutil.copytree(ROOT / cache, folder / cache)
    with clone_database(server.url, MIGRATED) as url:
        own = {"PYTHONPATH": str(folder), "DATABASE_URL": url, "ETL_DATA_DIR": str(folder.parent / "data")}
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("ETL_", "PYTEST_"))}
        yield Copy(folder, {**inherited, **settings_of(simulator), **own})


def blocks(page: str, language: str) -> list[str]:
    """Return the code blocks of a page in a language."""
    return [block["text"] for block in BLOCK.finditer((ROOT / page).read_text()) if block["language"] == language]


def place_of(page: str, pattern: str) -> tuple[str, ...]:
    """Return what the page names at a place, and fail when it does not say it."""
    match = re.search(pattern, re.sub(r"\s+", " ", (ROOT / page).read_text()))
    assert match is not None, f"{page} does not say {pattern}"
    return match.groups()


@pytest.mark.timeout(900)
def test_a_field_and_a_resource_are_added_as_their_pages_say(project: Copy) -> None:
    path, name = place_of(FIELD, r"In `(etl/models/\w+\.py)`, class `(\w+)`")
    project.append_to_class(path, name, blocks(FIELD, "python")[0].rstrip())
    migrate, replay, check = blocks(FIELD, "bash")
    for line in migrate.splitlines():
        project.run(line)
    (facts,) = place_of(FIELD, r"added to the known fields in `(tests/[\w/]+\.py)`")
    project.edit(facts, "CPAccess UserID", "CPAccess Occupation UserID")

    model, entry = blocks(RESOURCE, "python")
    (path,) = place_of(RESOURCE, r"In the file of its subject, here `(etl/models/(?:\w+)\.py)`")
    source = project.folder / path
    source.write_text(f"{source.read_text().rstrip()}\n\n\n{model}")
    table, path = place_of(RESOURCE, r"In `(\w+)` of `(etl/[\w/]+\.py)`")
    declared = (project.folder / path).read_text()
    end = declared.index("\n)\n", declared.index(f"\n{table}: "))
    (project.folder / path).write_text(f"{declared[: end + 1]}{entry}{declared[end + 1 :]}")
    steps, checks, read = blocks(RESOURCE, "bash")
    for line in steps.splitlines():
        project.run(line)
    for line in checks.splitlines():
        project.run(line)
    assert "./run check" in check

    project.run("python -m etl sync --resource policies --resource account_info")
    assert "binders" in project.run(read.strip().replace("qqetl", "python -m etl"))
    with psycopg.connect(project.environment["DATABASE_URL"]) as connection:
        filled = connection.execute("SELECT count(*), count(binder_number) FROM public.binders").fetchone()
    assert filled is not None
    assert all(filled), "the new table has rows with values"
    for line in replay.splitlines():
        project.run(line.replace("qqetl", "python -m etl"))
