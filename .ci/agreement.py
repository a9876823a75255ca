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


def locks(root: Path = ROOT) -> list[str]:
    """Return where the locks disagree with pyproject.toml or with one another."""
    project = tomllib.loads((root / "pyproject.toml").read_text())
    texts = {name: (root / f"requirements/{name}.lock").read_text() for name in ("bootstrap", *LOCKS)}
    found = [words for name, parts in LOCKS.items() for words in behind(name, texts[name], declared(project, *parts))]
    known = set(PIN.findall(texts["dev"]))
    found += [
        f"{name}.lock has {package} {version} and dev.lock another"
        for name, text in texts.items()
        for package, version in PIN.findall(text)
        if (package, version) not in known
    ]
    if any("://" in text for text in texts.values()):
        found.append("a lock names an address; packages come from whatever index the machine is set to")
    return [f"{words}. Run: {COMPILE}" for words in found]


def behind(name: str, text: str, asked: Iterable[Requirement]) -> list[str]:
    """Return where one lock disagrees with what is asked of it."""
    pins = pins_of(text)
    found = [words for requirement in asked if (words := unmet(requirement, pins, f"{name}.lock"))]
    names = {canonicalize_name(requirement.name) for requirement in asked}
    found += [
        f"{name}.lock holds {pin.name} for pyproject.toml, which no longer asks for it"
        for pin in pins.values()
        if pin.declared and pin.name not in names
    ]
    return found + [f"{pin.name} is pinned without a hash in {name}.lock" for pin in pins.values() if not pin.hashed]


def declared(project: Mapping[str, Any], extras: Collection[str], groups: Collection[str]) -> list[Requirement]:
    """Return what pyproject.toml asks for: the dependencies, and those of some extras and groups."""
    table = project["project"]
    named = [
        *table["dependencies"],
        *chosen(table.get("optional-dependencies", {}), extras),
        *chosen(project.get("dependency-groups", {}), groups),
    ]
    return [Requirement(one) for one in named]


def chosen(lists: Mapping[str, Iterable[Any]], names: Collection[str]) -> Iterator[str]:
    """Yield what the lists of these names hold, or all lists. Groups within a group stand there by themselves too."""
    for name, entries in lists.items():
        if name in names or "*" in names:
            yield from (entry for entry in entries if isinstance(entry, str))


def pins_of(text: str) -> dict[str, Pin]:
    """Return the packages of a lock by name."""
    starts = list(PIN.finditer(text))
    ends = [start.start() for start in starts[1:]] + [len(text)]
    found = [pin_of(start, text[start.end() : end]) for start, end in zip(starts, ends, strict=True)]
    return {pin.name: pin for pin in found}


def pin_of(start: re.Match[str], rest: str) -> Pin:
    """Return one package of a lock from its first line and what follows."""
    return Pin(canonicalize_name(start[1]), start[2], "--hash=" in rest, "(pyproject.toml" in rest)


def unmet(requirement: Requirement, pins: Mapping[str, Pin], lock: str) -> str | None:
    """Return in words how a lock fails a requirement, None when it meets it."""
    pin = pins.get(canonicalize_name(requirement.name))
    if pin is None:
        return f"pyproject.toml asks for {requirement}, which {lock} lacks"
    if not requirement.specifier.contains(pin.version, prereleases=True):
        return f"pyproject.toml asks for {requirement}, and {lock} has {pin.version}"
    if not pin.declared:
        return f"pyproject.toml asks for {requirement}, and {lock} holds it for another package alone"
    lacking = [name for name in brought_in(requirement) if name not in pins]
    return f"{requirement} needs {', '.join(lacking)}, which {lock} lacks" if lacking else None


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
    from etl.database.embedded.server import EmbeddedPostgres, remove  # noqa: PLC0415
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
