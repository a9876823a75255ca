"""Make the virtual environment that `./run` uses, exactly as a lock says.

Called by `./run` with the fingerprint of the files that the environment is made from and the name of the lock: `base`
for the product alone, `dev` for tests and checks too. Standard library only.
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
#: The lock of an environment that serves everything.
EVERYTHING = "dev"

#: Where uv is told nothing itself, it follows what pip was told: some machines may only talk to a mirror.
PIP_TO_UV = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "trusted-host": "UV_INSECURE_HOST",
    "cert": "SSL_CERT_FILE",
    "proxy": "ALL_PROXY",
}


def main(files: str, lock: str) -> None:
    """Bring the environment to the state that `files` stands for, with at least what the named lock holds, alone."""
    try:
        VENV.mkdir(exist_ok=True)
        with exclusive_lock():
            if not (is_made_from(files, lock) and is_sound()):
                name = EVERYTHING if holds_everything() else lock
                MADE_FROM.unlink(missing_ok=True)
                install_packages(ROOT / f"requirements/{name}.lock")
                write_mark(f"{files} {name}")
    except PermissionError as error:
        sys.exit(f"run: {error.filename or VENV} cannot be written to. Give yourself the right, or copy the project.")
    except OSError as error:
        sys.exit(f"run: the environment in {VENV} could not be made: {error.strerror or error}")


@contextmanager
def exclusive_lock() -> Iterator[None]:
    """Hold the environment against another first run at the same time."""
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
    say("uv did not do it; trying pip, which takes a minute ...")
    ensure_pip()
    pip("install", "--require-hashes", "-r", str(lock))
    pip("install", "--no-deps", "--no-build-isolation", "-e", str(ROOT))


def recreate() -> None:
    """Empty the folder, all but the lock that we hold, and make a bare environment in it."""
    for path in VENV.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path != LOCK:
            path.unlink()
    venv.EnvBuilder(with_pip=True, symlinks=True).create(VENV)


def install_with_uv(lock: Path) -> bool:
    """Install by uv and return whether that worked."""
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
    """Return whether the uv in the environment is the locked one and runs here."""
    locked = re.search(r"^uv==([\w.]+)", UV_LOCK.read_text(), re.MULTILINE)
    return bool(locked) and f" {locked[1]}" in output_of([str(UV), "--version"])  # type: ignore[index]


def ensure_pip() -> None:
    """Put pip into the environment when it is not there."""
    if not succeeds([str(PYTHON), "-m", "pip", "--version"], quiet=True):
        run([str(PYTHON), "-m", "ensurepip"], "pip could not be installed")


def is_sound() -> bool:
    """Return whether the environment's Python runs, is new enough and knows that it is in this folder."""
    facts = "import sys; print(sys.version_info >= (3, 11), sys.prefix)"
    return output_of([str(PYTHON), "-I", "-c", facts]).strip() == f"True {VENV}"


def is_made_from(files: str, lock: str) -> bool:
    """Return whether the environment was finished, from these files, and with what the lock holds."""
    return MADE_FROM.exists() and MADE_FROM.read_text() in {f"{files} {lock}", f"{files} {EVERYTHING}"}


def holds_everything() -> bool:
    """Return whether the environment was made for tests and checks; it stays so, or each command would undo another."""
    return MADE_FROM.exists() and not MADE_FROM.read_text().endswith(" base")


def write_mark(mark: str) -> None:
    """Write down, as the last step, what the environment was made from."""
    draft = MADE_FROM.with_suffix(".new")
    draft.write_text(mark)
    draft.replace(MADE_FROM)


def uv_environment(settings: Mapping[str, str]) -> Mapping[str, str]:
    """Return our environment with pip's settings for uv, and a cache where we may write."""
    environment = dict(os.environ)
    for name in settings.keys() & PIP_TO_UV.keys():
        environment.setdefault(PIP_TO_UV[name], settings[name])
    # As pip does it, any index may serve any package; the hashes in the lock say which file is the right one.
    environment.setdefault("UV_INDEX_STRATEGY", "unsafe-best-match")
    home = Path(environment.get("XDG_CACHE_HOME") or environment.get("HOME") or "/nonexistent")
    if not os.access(home, os.W_OK):
        environment.setdefault("UV_CACHE_DIR", str(VENV / ".cache"))
    return environment


def pip_settings() -> Mapping[str, str]:
    """Return what pip was told about indexes, certificates and proxies, unless uv has settings of its own."""
    own = [Path("/etc/uv/uv.toml"), Path(os.environ.get("XDG_CONFIG_HOME") or "~/.config").expanduser() / "uv/uv.toml"]
    if any(name.startswith("UV_") and "INDEX" in name for name in os.environ) or any(path.exists() for path in own):
        return {}
    output = output_of([str(PYTHON), "-m", "pip", "config", "list"])
    matches = re.findall(r"^[:\w]+\.([\w-]+)='(.*)'$", output.replace("\\n", " "), re.MULTILINE)
    settings = {name: value.strip() for name, value in matches if name in PIP_TO_UV or name == "no-index"}
    if settings.get("no-index", "").lower() in {"0", "false", "no", "off"}:
        del settings["no-index"]
    # Further indexes beside the public one are a convenience; without it, they are the only way.
    return settings if settings.keys() & {"index-url", "no-index"} else without_indexes(settings)


def without_indexes(settings: Mapping[str, str]) -> Mapping[str, str]:
    """Return pip's settings that do not say where packages come from."""
    return {name: value for name, value in settings.items() if name in {"cert", "proxy", "trusted-host"}}


def pip(*arguments: str) -> None:
    """Run the environment's pip, or end with what to look at."""
    command = [str(PYTHON), "-m", "pip", "--disable-pip-version-check", "--no-input", "--quiet", *arguments]
    run(command, "the packages could not be installed. Check the network, and the package index set for pip")


def run(command: list[str], message: str) -> None:
    """Run a command, or end with the complaint; what the command says is shown."""
    if not succeeds(command):
        sys.exit(f"run: {message}. Then run the same command again.")


def succeeds(command: list[str], environment: Mapping[str, str] | None = None, *, quiet: bool = False) -> bool:
    """Run a command and return whether it could be run and went well; what it says is shown when it did not."""
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
    """Run a command and return what it printed, or nothing when it cannot be run."""
    try:
        return subprocess.run(command, check=False, capture_output=True, text=True).stdout
    except OSError:
        return ""


def say(message: str) -> None:
    """Tell the person at the terminal; standard output belongs to the command."""
    sys.stderr.write(f"run: {message}\n")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
