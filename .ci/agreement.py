"""Whether what must say the same does: locks and pyproject, rendered pages and declarations, migrations and models.

`python .ci/agreement.py locks|pages|migrations ...` names every disagreement with its cure; exit status 1 when there is
one. It needs no network.
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

#: What makes the locks anew.
COMPILE = ".ci/lock"

#: Each lock, and the extras and groups of pyproject.toml that it holds beside the dependencies; "*" stands for all.
LOCKS = {"base": ((), ("build",)), "airflow": (("*",), ()), "dev": (("*",), ("*",))}

#: A pinned package: name and version. Extras are resolved: what they bring in is pinned by itself.
PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Pin:
    """One package of a lock."""

    name: str
    version: str
    hashed: bool
    declared: bool  #: the lock says that pyproject.toml asks for it


def check_locks(root: Path = ROOT) -> list[str]:
    """Return where the locks disagree with pyproject.toml or with one another."""
    project = tomllib.loads((root / "pyproject.toml").read_text())
    texts = {name: (root / f"requirements/{name}.lock").read_text() for name in ("bootstrap", *LOCKS)}
    problems = [
        problem
        for name, parts in LOCKS.items()
        for problem in lock_problems(name, texts[name], declared_requirements(project, *parts))
    ]
    dev_pins = set(PIN.findall(texts["dev"]))
    problems += [
        f"{name}.lock has {package} {version} and dev.lock another"
        for name, text in texts.items()
        for package, version in PIN.findall(text)
        if (package, version) not in dev_pins
    ]
    if any("://" in text for text in texts.values()):
        problems.append("a lock names an address; packages come from whatever index the machine is set to")
    return [f"{problem}. Run: {COMPILE}" for problem in problems]


def lock_problems(name: str, text: str, requirements: Iterable[Requirement]) -> list[str]:
    """Return where one lock disagrees with what is asked of it."""
    pins = parse_pins(text)
    problems = [
        problem for requirement in requirements if (problem := describe_mismatch(requirement, pins, f"{name}.lock"))
    ]
    names = {canonicalize_name(requirement.name) for requirement in requirements}
    problems += [
        f"{name}.lock holds {pin.name} for pyproject.toml, which no longer asks for it"
        for pin in pins.values()
        if pin.declared and pin.name not in names
    ]
    return problems + [f"{pin.name} is pinned without a hash in {name}.lock" for pin in pins.values() if not pin.hashed]


def declared_requirements(
    project: Mapping[str, Any], extras: Collection[str], groups: Collection[str]
) -> list[Requirement]:
    """Return what pyproject.toml asks for: the dependencies, and those of some extras and groups."""
    table = project["project"]
    requirements = [
        *table["dependencies"],
        *select_entries(table.get("optional-dependencies", {}), extras),
        *select_entries(project.get("dependency-groups", {}), groups),
    ]
    return [Requirement(requirement) for requirement in requirements]


def select_entries(lists: Mapping[str, Iterable[Any]], names: Collection[str]) -> Iterator[str]:
    """Yield what the lists of these names hold, or all lists. Groups within a group stand there by themselves too."""
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
    """Return one package of a lock from its first line and what follows."""
    return Pin(canonicalize_name(start[1]), start[2], "--hash=" in details, "(pyproject.toml" in details)


def describe_mismatch(requirement: Requirement, pins: Mapping[str, Pin], lock: str) -> str | None:
    """Return in words how a lock fails a requirement, None when it meets it."""
    pin = pins.get(canonicalize_name(requirement.name))
    if pin is None:
        return f"pyproject.toml asks for {requirement}, which {lock} lacks"
    if not requirement.specifier.contains(pin.version, prereleases=True):
        return f"pyproject.toml asks for {requirement}, and {lock} has {pin.version}"
    if not pin.declared:
        return f"pyproject.toml asks for {requirement}, and {lock} holds it for another package alone"
    lacking = [name for name in extra_requirements(requirement) if name not in pins]
    return f"{requirement} needs {', '.join(lacking)}, which {lock} lacks" if lacking else None


def extra_requirements(requirement: Requirement) -> list[str]:
    """Return the packages that the extras of a requirement bring in, as the installed package says."""
    needs = [Requirement(text) for text in metadata.requires(requirement.name) or ()] if requirement.extras else []
    return [
        canonicalize_name(need.name)
        for need in needs
        if need.marker and not need.marker.evaluate({"extra": ""})
        if any(need.marker.evaluate({"extra": extra}) for extra in requirement.extras)
    ]


def check_pages(root: Path = ROOT) -> list[str]:
    """Return which rendered pages are behind the declarations that they are written from."""
    from etl.render.__main__ import PAGES  # noqa: PLC0415 (the locks can be looked at before anything works)

    outdated = [name for name, render in PAGES.items() if not is_up_to_date(root / name, render())]
    return [f"{name} is behind the declarations. Run: python -m etl.render" for name in outdated]


def is_up_to_date(path: Path, page: str) -> bool:
    """Return whether a file has exactly this text."""
    return path.is_file() and path.read_text() == page


def check_migrations() -> list[str]:
    """Return where the models and a database at the newest migration differ."""
    from etl.database.connect import make_engine  # noqa: PLC0415 (as above)
    from etl.database.embedded.server import EmbeddedPostgres, remove_server  # noqa: PLC0415
    from etl.database.migrate import schema_differences, upgrade  # noqa: PLC0415

    with tempfile.TemporaryDirectory(prefix="qqetl-") as folder:
        Path(folder).chmod(0o711)  # the server of root's runs as another account, and must reach its own folder
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
    """Print every disagreement of the named checks, and return the exit status."""
    problems = [problem for name in names for problem in CHECKS[name]()]
    print(*problems, sep="\n", end="\n" if problems else "")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or CHECKS))
