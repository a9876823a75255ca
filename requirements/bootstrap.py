"""Creation of the virtual environment that `./run` uses, exactly as a lock says.

Called by `./run` with the fingerprint of the files that determine the environment and the name of the lock: `base` for
the product only, `dev` for tests and checks too. Standard library only.
"""

import fcntl
import os
import re
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin/python"
UV = VENV / "bin/uv"
MADE_FROM = VENV / ".made-from"
#: Not `.lock`, which uv itself locks.
LOCK = VENV / ".being-made"
UV_LOCK = ROOT / "requirements/bootstrap.lock"
#: The lock that includes everything.
EVERYTHING = "dev"

#: pip's settings and their uv equivalents, used if uv is not configured: some machines may only use a mirror.
PIP_TO_UV = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "trusted-host": "UV_INSECURE_HOST",
    "cert": "SSL_CERT_FILE",
    "proxy": "ALL_PROXY",
}


def main(files: str, lock: str) -> None:
    """Update the environment to the state that `files` identifies, with at least the packages of the lock."""
    try:
        VENV.mkdir(exist_ok=True)
        with exclusive_lock():
            if not (is_made_from(files, lock) and is_sound()):
                name = EVERYTHING if holds_everything() else lock
                MADE_FROM.unlink(missing_ok=True)
                install_packages(ROOT / f"requirements/{name}.lock")
                write_mark(f"{files} {name}")
    except PermissionError as error:
        sys.exit(f"run: {error.filename or VENV} cannot be written to. Change its permissions, or copy the project.")
    except OSError as error:
        sys.exit(f"run: the environment in {VENV} could not be created: {error.strerror or error}")


@contextmanager
def exclusive_lock() -> Iterator[None]:
    """Hold the lock that keeps another `./run` from setting up the environment at the same time."""
    with LOCK.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Another process is setting up the environment; waiting for it ...")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def install_packages(lock: Path) -> None:
    """Install the locked packages and the project itself."""
    say(f"Setting up the environment in {VENV} ...")
    if not is_sound():
        recreate()
    if install_with_uv(lock):
        return
    say("uv failed; trying pip, which takes a minute ...")
    ensure_pip()
    pip("install", "--require-hashes", "-r", str(lock))
    pip("install", "--no-deps", "--no-build-isolation", "-e", str(ROOT))


def recreate() -> None:
    """Empty the folder except for the lock that we hold, and create a new environment in it."""
    for path in VENV.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path != LOCK:
            path.unlink()
    venv.EnvBuilder(with_pip=True, symlinks=True).create(VENV)


def install_with_uv(lock: Path) -> bool:
    """Install with uv and return whether that succeeded."""
    if not has_locked_uv():
        ensure_pip()
        pip("install", "--require-hashes", "--no-deps", "--force-reinstall", "-r", str(UV_LOCK))
    settings = pip_settings()
    environment = uv_environment(settings)
    options = ["--python", str(PYTHON), "--no-progress", *(["--no-index"] if "no-index" in settings else [])]
    return all(
        succeeds([str(UV), "pip", *arguments, *options], environment)
        for arguments in (
            ["sync", "--require-hashes", str(lock)],
            ["install", "--no-deps", "--no-build-isolation", "-e", str(ROOT)],
        )
    )


def has_locked_uv() -> bool:
    """Return whether the environment has the locked version of uv and it runs here."""
    locked = re.search(r"^uv==([\w.]+)", UV_LOCK.read_text(), re.MULTILINE)
    return bool(locked) and f" {locked[1]}" in output_of([str(UV), "--version"])  # type: ignore[index]


def ensure_pip() -> None:
    """Install pip in the environment if it is missing."""
    if not succeeds([str(PYTHON), "-m", "pip", "--version"], quiet=True):
        run([str(PYTHON), "-m", "ensurepip"], "pip could not be installed")


def is_sound() -> bool:
    """Return whether the environment's Python runs, is new enough and belongs to this folder."""
    facts = "import sys; print(sys.version_info >= (3, 11), sys.prefix)"
    return output_of([str(PYTHON), "-I", "-c", facts]).strip() == f"True {VENV}"


def is_made_from(files: str, lock: str) -> bool:
    """Return whether the environment was completed from these files and with the packages of the lock."""
    return MADE_FROM.exists() and MADE_FROM.read_text() in {f"{files} {lock}", f"{files} {EVERYTHING}"}


def holds_everything() -> bool:
    """Return whether the environment was created for tests and checks; then it stays so for other commands."""
    return MADE_FROM.exists() and not MADE_FROM.read_text().endswith(" base")


def write_mark(mark: str) -> None:
    """Record, as the last step, what the environment was created from."""
    draft = MADE_FROM.with_suffix(".new")
    draft.write_text(mark)
    draft.replace(MADE_FROM)


def uv_environment(settings: Mapping[str, str]) -> Mapping[str, str]:
    """Return our environment variables with pip's settings for uv, and a writable cache folder."""
    environment = dict(os.environ)
    for name in settings.keys() & PIP_TO_UV.keys():
        environment.setdefault(PIP_TO_UV[name], settings[name])
    # As in pip, any index may serve any package; the hashes in the lock identify the right file.
    environment.setdefault("UV_INDEX_STRATEGY", "unsafe-best-match")
    home = Path(environment.get("XDG_CACHE_HOME") or environment.get("HOME") or "/nonexistent")
    if not os.access(home, os.W_OK):
        environment.setdefault("UV_CACHE_DIR", str(VENV / ".cache"))
    return environment


def pip_settings() -> Mapping[str, str]:
    """Return pip's settings for indexes, certificates and proxies, unless uv has its own settings."""
    own = [Path("/etc/uv/uv.toml"), Path(os.environ.get("XDG_CONFIG_HOME") or "~/.config").expanduser() / "uv/uv.toml"]
    if any(name.startswith("UV_") and "INDEX" in name for name in os.environ) or any(path.exists() for path in own):
        return {}
    output = output_of([str(PYTHON), "-m", "pip", "config", "list"])
    matches = re.findall(r"^[:\w]+\.([\w-]+)='(.*)'$", output.replace("\\n", " "), re.MULTILINE)
    settings = {name: value.strip() for name, value in matches if name in PIP_TO_UV or name == "no-index"}
    if settings.get("no-index", "").lower() in {"0", "false", "no", "off"}:
        del settings["no-index"]
    # Extra indexes are optional in addition to the public one; without it, they are required.
    return settings if settings.keys() & {"index-url", "no-index"} else without_indexes(settings)


def without_indexes(settings: Mapping[str, str]) -> Mapping[str, str]:
    """Return pip's settings without those about the source of packages."""
    return {name: value for name, value in settings.items() if name in {"cert", "proxy", "trusted-host"}}


def pip(*arguments: str) -> None:
    """Run the environment's pip, or exit with what to check."""
    command = [str(PYTHON), "-m", "pip", "--disable-pip-version-check", "--no-input", "--quiet", *arguments]
    run(command, "the packages could not be installed. Check the network, and the package index set for pip")


def run(command: list[str], message: str) -> None:
    """Run a command, or exit with the message; the command's output is shown when it fails."""
    if not succeeds(command):
        sys.exit(f"run: {message}. Then run the same command again.")


def succeeds(command: list[str], environment: Mapping[str, str] | None = None, *, quiet: bool = False) -> bool:
    """Run a command and return whether it succeeded; its output is shown when it failed."""
    try:
        completed = subprocess.run(
            command, env=environment, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
    except OSError as error:
        completed = subprocess.CompletedProcess(command, 1, stdout=f"{command[0]}: {error.strerror}\n")
    if completed.returncode != 0 and not quiet:
        sys.stderr.write(completed.stdout)
    return completed.returncode == 0


def output_of(command: list[str]) -> str:
    """Run a command and return its output, empty when it cannot be run."""
    try:
        return subprocess.run(command, check=False, capture_output=True, text=True).stdout
    except OSError:
        return ""


def say(message: str) -> None:
    """Print a message on standard error; standard output belongs to the command."""
    sys.stderr.write(f"run: {message}\n")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
