"""Whether what must say the same does: locks and pyproject, rendered pages and declarations, migrations and models.

`python .ci/agreement.py locks|pages|migrations ...` names every disagreement with its cure; exit status 1 when there is
one. It needs no network.
"""

import re
import sys
import tempfile
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement  # comes with pytest
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent

#: How the lock is made anew; its first words are those of the bootstrap's own uv.
COMPILE = (
    "uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --group dev pyproject.toml "
    "-o requirements/dev.lock"
)

#: A pinned package: name and version. Extras are resolved: what they bring in is pinned by itself.
PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Pin:
    """One package of a lock."""

    name: str
    version: str
    hashed: bool
    declared: bool  #: the lock says that pyproject.toml asks for it


def locks(root: Path = ROOT) -> list[str]:
    """Return where requirements/dev.lock and bootstrap.lock disagree with pyproject.toml or with each other."""
    text = (root / "requirements/dev.lock").read_text()
    bootstrap = (root / "requirements/bootstrap.lock").read_text()
    pins = pins_of(text)
    asked = declared(tomllib.loads((root / "pyproject.toml").read_text()))
    found = [words for requirement in asked if (words := unmet(requirement, pins))]
    names = {canonicalize_name(requirement.name) for requirement in asked}
    found += [
        f"dev.lock holds {pin.name} for pyproject.toml, which no longer asks for it"
        for pin in pins.values()
        if pin.declared and pin.name not in names
    ]
    found += [
        f"bootstrap.lock has {pin.name} {pin.version} and dev.lock another"
        for pin in pins_of(bootstrap).values()
        if pin.name not in pins or pins[pin.name].version != pin.version
    ]
    found += [f"{pin.name} is pinned without a hash" for pin in pins.values() if not pin.hashed]
    if "://" in text + bootstrap:
        found.append("a lock names an address; packages come from whatever index the machine is set to")
    return [f"{words}. Run: {COMPILE}" for words in found]


def declared(project: Mapping[str, object]) -> list[Requirement]:
    """Return what pyproject.toml asks for: the dependencies and those of its groups."""
    table, groups = project["project"], project.get("dependency-groups", {})
    if not isinstance(table, dict) or not isinstance(groups, dict):
        raise TypeError("pyproject.toml: [project] and [dependency-groups] have to be tables")
    named = [*table["dependencies"], *(one for group in groups.values() for one in group)]
    return [Requirement(one) for one in named]


def pins_of(text: str) -> dict[str, Pin]:
    """Return the packages of a lock by name."""
    starts = list(PIN.finditer(text))
    ends = [start.start() for start in starts[1:]] + [len(text)]
    found = [pin_of(start, text[start.end() : end]) for start, end in zip(starts, ends, strict=True)]
    return {pin.name: pin for pin in found}


def pin_of(start: re.Match[str], rest: str) -> Pin:
    """Return one package of a lock from its first line and what follows."""
    return Pin(canonicalize_name(start[1]), start[2], "--hash=" in rest, "(pyproject.toml" in rest)


def unmet(requirement: Requirement, pins: Mapping[str, Pin]) -> str | None:
    """Return in words how a lock fails a requirement, None when it meets it."""
    pin = pins.get(canonicalize_name(requirement.name))
    if pin is None:
        return f"pyproject.toml asks for {requirement}, which dev.lock lacks"
    if not requirement.specifier.contains(pin.version, prereleases=True):
        return f"pyproject.toml asks for {requirement}, and dev.lock has {pin.version}"
    if not pin.declared:
        return f"pyproject.toml asks for {requirement}, and dev.lock holds it for another package alone"
    lacking = [name for name in brought_in(requirement) if name not in pins]
    return f"{requirement} needs {', '.join(lacking)}, which dev.lock lacks" if lacking else None


def brought_in(requirement: Requirement) -> list[str]:
    """Return the packages that the extras of a requirement bring in, as the installed package says."""
    needs = [Requirement(one) for one in metadata.requires(requirement.name) or ()] if requirement.extras else []
    return [
        canonicalize_name(need.name)
        for need in needs
        if need.marker and not need.marker.evaluate({"extra": ""})
        if any(need.marker.evaluate({"extra": extra}) for extra in requirement.extras)
    ]


def pages(root: Path = ROOT) -> list[str]:
    """Return which rendered pages are behind the declarations that they are written from."""
    from etl.render.__main__ import PAGES  # noqa: PLC0415 (the locks can be looked at before anything works)

    behind = [name for name, render in PAGES.items() if not has(root / name, render())]
    return [f"{name} is behind the declarations. Run: python -m etl.render" for name in behind]


def has(path: Path, page: str) -> bool:
    """Return whether a file has exactly this text."""
    return path.is_file() and path.read_text() == page


def migrations() -> list[str]:
    """Return where the models and a database at the newest migration differ."""
    from etl.database.connect import make_engine  # noqa: PLC0415 (as above)
    from etl.database.embedded import EmbeddedPostgres, remove  # noqa: PLC0415
    from etl.database.migrate import differences, upgrade  # noqa: PLC0415

    with tempfile.TemporaryDirectory(prefix="qqetl-") as folder:
        Path(folder).chmod(0o711)  # the server of root's runs as another account, and must reach its own folder
        home = Path(folder) / "home"
        try:
            with EmbeddedPostgres(home) as server:
                upgrade(server.url)
                engine = make_engine(server.url)
                with engine.connect() as connection:
                    found = differences(connection)
                engine.dispose()
        finally:
            remove(home)
    cure = 'Run: alembic revision --autogenerate -m "what changed"'
    return [f"models and migrations differ: {str(one)[:300]}. {cure}" for one in found]


CHECKS: Mapping[str, Callable[[], list[str]]] = {"locks": locks, "pages": pages, "migrations": migrations}


def main(names: Iterable[str]) -> int:
    """Print every disagreement of the named checks, and return the exit status."""
    found = [words for name in names for words in CHECKS[name]()]
    print(*found, sep="\n", end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or CHECKS))
