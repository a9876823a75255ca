"""Consistency checks: locks with pyproject.toml, rendered pages with declarations, migrations with models.

`python .ci/agreement.py locks|pages|migrations ...` prints every mismatch with its fix; the exit status is 1 if there
is any. It needs no network.
"""

import re
import sys
import tempfile
import tomllib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement  # comes with pytest
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent

#: The script that regenerates the locks.
COMPILE = ".ci/lock"

#: Each lock, and the extras and groups of pyproject.toml that it contains beyond the dependencies; "*" means all.
LOCKS = {"base": ((), ("build",)), "airflow": (("*",), ()), "dev": (("*",), ("*",))}

#: A pinned package: name and version. Extras are resolved: their packages are pinned separately.
PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Pin:
    """One package of a lock."""

    name: str
    version: str
    hashed: bool
    declared: bool  #: the lock says that pyproject.toml requires it


def check_locks(root: Path = ROOT) -> list[str]:
    """Return the mismatches between the locks and pyproject.toml, and among the locks."""
    project = tomllib.loads((root / "pyproject.toml").read_text())
    texts = {name: (root / f"requirements/{name}.lock").read_text() for name in ("bootstrap", *LOCKS)}
    problems = [
        problem
        for name, parts in LOCKS.items()
        for problem in lock_problems(name, texts[name], declared_requirements(project, *parts))
    ]
    dev_pins = set(PIN.findall(texts["dev"]))
    problems += [
        f"{name}.lock has {package} {version}, but dev.lock has another version"
        for name, text in texts.items()
        for package, version in PIN.findall(text)
        if (package, version) not in dev_pins
    ]
    if any("://" in text for text in texts.values()):
        problems.append("a lock contains a URL; packages must come from the index that the machine is configured for")
    return [f"{problem}. Run: {COMPILE}" for problem in problems]


def lock_problems(name: str, text: str, requirements: Iterable[Requirement]) -> list[str]:
    """Return the mismatches between one lock and its requirements."""
    pins = parse_pins(text)
    problems = [
        problem for requirement in requirements if (problem := describe_mismatch(requirement, pins, f"{name}.lock"))
    ]
    names = {canonicalize_name(requirement.name) for requirement in requirements}
    problems += [
        f"{name}.lock has {pin.name} for pyproject.toml, which no longer requires it"
        for pin in pins.values()
        if pin.declared and pin.name not in names
    ]
    return problems + [f"{pin.name} is pinned without a hash in {name}.lock" for pin in pins.values() if not pin.hashed]


def declared_requirements(
    project: Mapping[str, Any], extras: Collection[str], groups: Collection[str]
) -> list[Requirement]:
    """Return the requirements of pyproject.toml: the dependencies, and those of some extras and groups."""
    table = project["project"]
    requirements = [
        *table["dependencies"],
        *select_entries(table.get("optional-dependencies", {}), extras),
        *select_entries(project.get("dependency-groups", {}), groups),
    ]
    return [Requirement(requirement) for requirement in requirements]


def select_entries(lists: Mapping[str, Iterable[Any]], names: Collection[str]) -> Iterator[str]:
    """Yield the entries of the lists with these names, "*" for all; included groups are listed separately."""
    for name, entries in lists.items():
        if name in names or "*" in names:
            yield from (entry for entry in entries if isinstance(entry, str))


def parse_pins(text: str) -> dict[str, Pin]:
    """Return the packages of a lock by name."""
    starts = list(PIN.finditer(text))
    ends = [start.start() for start in starts[1:]] + [len(text)]
    pins = [parse_pin(start, text[start.end() : end]) for start, end in zip(starts, ends, strict=True)]
    return {pin.name: pin for pin in pins}


def parse_pin(start: re.Match[str], details: str) -> Pin:
    """Return one package of a lock from its first line and the lines after it."""
    return Pin(canonicalize_name(start[1]), start[2], "--hash=" in details, "(pyproject.toml" in details)


def describe_mismatch(requirement: Requirement, pins: Mapping[str, Pin], lock: str) -> str | None:
    """Return how a lock fails a requirement, None when the lock meets it."""
    pin = pins.get(canonicalize_name(requirement.name))
    if pin is None:
        return f"pyproject.toml requires {requirement}, which is missing from {lock}"
    if not requirement.specifier.contains(pin.version, prereleases=True):
        return f"pyproject.toml requires {requirement}, but {lock} has {pin.version}"
    if not pin.declared:
        return f"pyproject.toml requires {requirement}, but {lock} has it only for another package"
    lacking = [name for name in extra_requirements(requirement) if name not in pins]
    return f"{requirement} requires {', '.join(lacking)}, which is missing from {lock}" if lacking else None


def extra_requirements(requirement: Requirement) -> list[str]:
    """Return the packages that the extras of a requirement add, according to the installed package."""
    needs = [Requirement(text) for text in metadata.requires(requirement.name) or ()] if requirement.extras else []
    return [
        canonicalize_name(need.name)
        for need in needs
        if need.marker and not need.marker.evaluate({"extra": ""})
        if any(need.marker.evaluate({"extra": extra}) for extra in requirement.extras)
    ]


def check_pages(root: Path = ROOT) -> list[str]:
    """Return the rendered pages that do not match the declarations."""
    from etl.render.__main__ import PAGES  # noqa: PLC0415 (the locks can be checked before anything else works)

    outdated = [name for name, render in PAGES.items() if not is_up_to_date(root / name, render())]
    return [f"{name} does not match the declarations. Run: python -m etl.render" for name in outdated]


def is_up_to_date(path: Path, page: str) -> bool:
    """Return whether a file has exactly this content."""
    return path.is_file() and path.read_text() == page


def check_migrations() -> list[str]:
    """Return the differences between the models and a database at the newest migration."""
    from etl.database.connect import make_engine  # noqa: PLC0415 (as above)
    from etl.database.embedded.server import EmbeddedPostgres, remove_server  # noqa: PLC0415
    from etl.database.migrate import schema_differences, upgrade  # noqa: PLC0415

    with tempfile.TemporaryDirectory(prefix="qqetl-") as folder:
        Path(folder).chmod(0o711)  # root's server runs as another user, who must be able to enter
        home = Path(folder) / "home"
        try:
            with EmbeddedPostgres(home) as server:
                upgrade(server.url)
                engine = make_engine(server.url)
                with engine.connect() as connection:
                    differences = schema_differences(connection)
                engine.dispose()
        finally:
            remove_server(home)
    fix = 'Run: alembic revision --autogenerate -m "what changed"'
    return [f"models and migrations differ: {str(difference)[:300]}. {fix}" for difference in differences]


CHECKS: Mapping[str, Callable[[], list[str]]] = {
    "locks": check_locks,
    "pages": check_pages,
    "migrations": check_migrations,
}


def main(names: Iterable[str]) -> int:
    """Print every problem of the named checks, and return the exit status."""
    problems = [problem for name in names for problem in CHECKS[name]()]
    print(*problems, sep="\n", end="\n" if problems else "")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or CHECKS))
