"""Environments of other Python versions, to run tests on: `./run test --python oldest|newest|PROGRAM`.

`python .ci/pythons.py oldest|newest|PROGRAM` creates or updates the environment of that Python with the packages of
dev.lock, and prints its folder. `oldest` is the lowest patch level found of the oldest supported version, which is
installed from Debian when there is none. `newest` is the newest release above that version that `NEWEST` allows, on the
PATH and among pyenv's versions. If there is none, it prints the fix, and the exit status is 1.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from services import (  # its folder is not a package
    ROOT,
    UV,
    VENV,
    ServiceUnavailable,
    exclusive_lock,
    install_packages,
    pip_settings,
    search_path,
    uv_environment,
)

Version = tuple[int, ...]

#: The supported versions: the minimum of pyproject.toml, and the newest that all locked packages have wheels for.
OLDEST, NEWEST = (3, 11), (3, 14)
PYTHONS = VENV / "pythons"
LOCK = ROOT / "requirements/dev.lock"
#: The folders with programs of the system, which an activated environment may hide.
SYSTEM_FOLDERS = ("/usr/bin", "/usr/local/bin")
_FACTS = "import sys; print(*sys.version_info[:3], sys.version_info.releaselevel)"


def find_program(name: str) -> str:
    """Return the program of a Python: the oldest, the newest, or the one that is named."""
    if name == "oldest":
        return find_oldest()
    if name == "newest":
        return find_newest()
    program = shutil.which(name)
    if program is None or version_of(program) is None:
        raise ServiceUnavailable(f"{name} is not a released Python that runs here.")
    return program


def find_oldest() -> str:
    """Return the oldest patch level of the oldest version, installed from Debian when there is none."""
    package = f"python{OLDEST[0]}.{OLDEST[1]}"
    if not any(version[:2] == OLDEST for version, _ in find_pythons()):
        install_packages(package)
    found = [program for version, program in sorted(find_pythons()) if version[:2] == OLDEST]
    if not found:
        raise ServiceUnavailable(f"No {package} was found. Install one, and put its folder on the PATH.")
    return found[0]


def find_newest() -> str:
    """Return the newest release of a version above the oldest supported one."""
    found = [program for version, program in sorted(find_pythons()) if version[:2] > OLDEST]
    if not found:
        above = f"python{OLDEST[0]}.{OLDEST[1] + 1} to python{NEWEST[0]}.{NEWEST[1]}"
        raise ServiceUnavailable(
            f"None of {above} was found. Install one with pyenv, or put the folder of an installed one on the PATH."
        )
    return found[-1]


def find_pythons() -> list[tuple[Version, str]]:
    """Return version and program of every supported Python that runs here."""
    found = ((version_of(program), program) for program in programs())
    return [(version, program) for version, program in found if version and OLDEST <= version[:2] <= NEWEST]


def programs() -> Iterator[str]:
    """Yield the programs on the PATH, of the system and of pyenv that are named as a version of Python."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    folders = [*search_path().split(os.pathsep), *SYSTEM_FOLDERS, *map(str, pyenv.glob("versions/*/bin"))]
    for folder in dict.fromkeys(folders):
        if Path(folder) != VENV / "bin":
            yield from (str(path) for path in Path(folder).glob("python3.*") if re.fullmatch(r"3\.\d+", path.name[6:]))


def version_of(program: str) -> Version | None:
    """Return the version of a Python; None when it does not run or is no release."""
    completed = subprocess.run([program, "-I", "-c", _FACTS], capture_output=True, text=True, check=False)
    *numbers, level = completed.stdout.split() or [""]
    return tuple(map(int, numbers)) if completed.returncode == 0 and level == "final" else None


def make_environment(program: str) -> Path:
    """Return the folder of the environment of a Python, created or updated when it is not as the lock says."""
    version = ".".join(map(str, version_of(program) or ()))
    folder = PYTHONS / version
    mark = folder / ".made-from"
    files = hashlib.sha256(LOCK.read_bytes() + (ROOT / "pyproject.toml").read_bytes()).hexdigest()
    if not mark.is_file() or mark.read_text() != files:
        sys.stderr.write(f"pythons: setting up an environment of Python {version} ...\n")
        install(program, folder)
        mark.write_text(files)
    return folder


def install(program: str, folder: Path) -> None:
    """Create an environment with the locked packages and the project itself."""
    python = ["--python", str(folder / "bin/python"), "--no-progress"]
    for arguments in (
        ["venv", "--clear", "--python", program, str(folder)],
        ["pip", "sync", "--require-hashes", *python, str(LOCK)],
        ["pip", "install", "--no-deps", "--no-build-isolation", *python, "-e", str(ROOT)],
    ):
        completed = subprocess.run(
            [str(UV), *arguments], env=uv_environment(pip_settings()), capture_output=True, text=True, check=False
        )
        if completed.returncode != 0:
            raise ServiceUnavailable(f"The environment of {program} failed. uv reported:\n{completed.stderr.strip()}")


def main(arguments: list[str]) -> int:
    """Print the folder of the environment of the named Python, and return the exit status."""
    if len(arguments) != 1:
        sys.stderr.write("pythons: name one Python: oldest, newest, or a program.\n")
        return 2
    with exclusive_lock():
        try:
            print(make_environment(find_program(arguments[0])))
        except ServiceUnavailable as error:
            sys.stderr.write(f"pythons: {error}\n")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
