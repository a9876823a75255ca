"""The `run` script: it creates one environment, repairs it, and names what is missing.

The tests use a small checkout with its own wheels, so nothing is downloaded.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

BACKEND = """
import zipfile
NAME = "small-1-py3-none-any.whl"
MODULE = (
    "import os, sys\\n"
    "def main():\\n"
    "    print(os.getcwd(), *sys.argv[1:], sep='|')\\n"
    "    sys.exit(7)\\n"
)
def build_editable(folder, config_settings=None, metadata_directory=None):
    with zipfile.ZipFile(f"{folder}/{NAME}", "w") as wheel:
        wheel.writestr("small.py", MODULE)
        wheel.writestr("small-1.dist-info/METADATA", "Metadata-Version: 2.1\\nName: small\\nVersion: 1\\n")
        wheel.writestr("small-1.dist-info/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr("small-1.dist-info/entry_points.txt", "[console_scripts]\\nqqetl = small:main\\n")
        wheel.writestr("small-1.dist-info/RECORD", "")
    return NAME
"""
PROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
[project]
name = "small"
version = "1"
"""
#: Replaces pytest: prints its arguments.
PYTEST = "import sys\nprint('pytest', *sys.argv[1:], sep='|')\n"


def wheel(folder: Path, name: str, files: dict[str, str]) -> str:
    """Write a wheel to the folder, and return its line for a lock file."""
    path = folder / f"{name}-1-py3-none-any.whl"
    info = f"{name}-1.dist-info"
    files = files | {
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    files[f"{info}/RECORD"] = "".join(f"{inside},,\n" for inside in [*files, f"{info}/RECORD"])
    with zipfile.ZipFile(path, "w") as archive:
        for inside, content in files.items():
            entry = zipfile.ZipInfo(inside)
            entry.external_attr = (0o100755 if "/scripts/" in inside else 0o100644) << 16
            archive.writestr(entry, content)
    return f"{name}==1 --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n"


def fake_uv(answer: str) -> dict[str, str]:
    """Return the files of a package that looks like uv to the script."""
    return {"uv-1.data/scripts/uv": f"#!/bin/sh\n[ \"$1\" = --version ] && echo 'uv 1 (test)' && exit 0\n{answer}\n"}


class Checkout:
    """A small project with the real bootstrap script."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.wheels = folder / "wheels"
        self.wheels.mkdir()
        (folder / "requirements").mkdir()
        shutil.copy(ROOT / "run", folder)
        shutil.copy(ROOT / "requirements/bootstrap.py", folder / "requirements")
        (folder / "pyproject.toml").write_text(PROJECT)
        (folder / "backend.py").write_text(BACKEND)
        real = Path(sys.executable).parent / "uv"
        self.lock_uv(f'exec "{real}" "$@"')
        self.lock(wheel(self.wheels, "first", {"first.py": ""}))

    def lock_uv(self, answer: str) -> None:
        (self.folder / "requirements/bootstrap.lock").write_text(wheel(self.wheels, "uv", fake_uv(answer)))

    def lock(self, *lines: str) -> None:
        # Like the real locks they hold uv as well, or the sync would remove it.
        uv = (self.folder / "requirements/bootstrap.lock").read_text()
        tests = wheel(self.wheels, "pytest", {"pytest.py": PYTEST})
        (self.folder / "requirements/base.lock").write_text("".join(lines) + uv)
        (self.folder / "requirements/dev.lock").write_text("".join(lines) + uv + tests)

    @property
    def environment(self) -> dict[str, str]:
        # uv gets no options: it has to follow pip's settings, and those keep both off the network.
        pip = {"PIP_FIND_LINKS": str(self.wheels), "PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": os.devnull}
        return {"PATH": os.environ["PATH"], "HOME": str(self.folder), **pip}

    def start(self, *arguments: str, **changes: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [self.folder / "run", *arguments],
            cwd="/",
            env=self.environment | changes,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str, **changes: str) -> subprocess.CompletedProcess[str]:
        process = self.start(*arguments, **changes)
        out, err = process.communicate(timeout=120)
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)

    def has(self, module: str) -> bool:
        command = [str(self.folder / ".venv/bin/python"), "-c", f"import {module}"]
        return subprocess.run(command, check=False, capture_output=True).returncode == 0


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    return Checkout(tmp_path_factory.mktemp("small"))


def test_two_concurrent_first_runs_create_one_environment(tmp_path: Path) -> None:
    checkout = Checkout(tmp_path)
    both = [checkout.start("one"), checkout.start("two")]
    outputs = [process.communicate(timeout=120) for process in both]
    assert [out for out, _ in outputs] == ["/|one\n", "/|two\n"], outputs
    assert sum("Setting up" in err for _, err in outputs) == 1
    assert checkout.has("first")


def test_the_next_run_passes_arguments_and_exit_status(checkout: Checkout) -> None:
    checkout.run()
    done = checkout.run("sync", "--from", "2026-01-01 08:00")
    assert (done.stdout, done.stderr, done.returncode) == ("/|sync|--from|2026-01-01 08:00\n", "", 7)


def test_a_link_to_the_script_works(checkout: Checkout, tmp_path: Path) -> None:
    checkout.run()
    (tmp_path / "etl").symlink_to(checkout.folder / "run")
    done = subprocess.run(
        [tmp_path / "etl", "x"], env=checkout.environment, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.stdout == f"{tmp_path}|x\n", done.stderr


def test_a_changed_lock_file_is_installed(checkout: Checkout) -> None:
    checkout.run()
    checkout.lock(wheel(checkout.wheels, "second", {"second.py": ""}))
    assert "Setting up" in checkout.run().stderr
    assert checkout.has("second")
    assert not checkout.has("first")


def test_test_packages_are_installed_on_demand(tmp_path: Path) -> None:
    small = Checkout(tmp_path)
    assert small.run("x").stdout == "/|x\n"
    assert not small.has("pytest")
    done = small.run("test", "-k", "some")
    assert done.stdout == "pytest|-p|no:randomly|-n|2|--dist|worksteal|-k|some\n", done.stderr
    done = small.run("y")
    assert (done.stdout, done.stderr) == ("/|y\n", ""), "an environment for tests serves all commands"
    small.lock(wheel(small.wheels, "second", {"second.py": ""}))
    assert "Setting up" in small.run("z").stderr
    assert small.has("second")
    assert small.has("pytest"), "and stays an environment for tests"


@pytest.mark.parametrize("damage", ["python", "half", "elsewhere"])
def test_a_broken_environment_is_repaired(checkout: Checkout, damage: str) -> None:
    checkout.run()
    venv = checkout.folder / ".venv"
    if damage == "python":
        (venv / "bin/python").unlink()
        (venv / "bin/python").symlink_to("/nonexistent/python")
    elif damage == "half":
        (venv / ".made-from").unlink()
        shutil.rmtree(venv / "lib")
    else:
        move(checkout, checkout.folder.with_name("moved"))
    done = checkout.run("x")
    assert done.stdout == "/|x\n", done.stderr


def move(checkout: Checkout, to: Path) -> None:
    """Rename the folder of the checkout; scripts in its environment still name the old one."""
    checkout.folder = checkout.folder.rename(to)
    checkout.wheels = checkout.folder / "wheels"


def test_pip_is_used_if_uv_fails(tmp_path: Path) -> None:
    small = Checkout(tmp_path)
    small.lock_uv("exit 3")
    small.lock(wheel(small.wheels, "first", {"first.py": ""}))
    done = small.run("x")
    assert "trying pip" in done.stderr
    assert done.stdout == "/|x\n", done.stderr
    assert small.has("first")


def test_a_wrong_hash_stops_the_setup(checkout: Checkout) -> None:
    good = wheel(checkout.wheels, "third", {"third.py": ""})
    checkout.lock(good.replace("sha256:", "sha256:0000")[:-5] + "\n")
    done = checkout.run("x")
    assert (done.returncode, done.stdout) == (1, "")
    assert "could not be installed" in done.stderr
    assert not checkout.has("third")
    checkout.lock(good)
    assert checkout.run("x").stdout == "/|x\n"
    assert checkout.has("third")


@pytest.mark.parametrize(
    ("python", "fix"),
    [
        (None, "apt-get install python3 python3-venv"),
        ('case "$*" in *ensurepip*) exit 1 ;; esac; exit 0', "apt-get install python3-venv"),
        ('case "$*" in *version_info*) exit 1 ;; esac; exit 0', "Python 3.11 or newer is required"),
    ],
    ids=["no-python", "no-venv", "old-python"],
)
def test_a_missing_program_is_named_with_the_fix(tmp_path: Path, python: str | None, fix: str) -> None:
    small = Checkout(tmp_path)
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("bash", "env", "cksum", "dirname", "readlink"):
        (programs / name).symlink_to(shutil.which(name) or name)
    if python:
        (programs / "python3").write_text(f"#!{programs / 'bash'}\n{python}\n")
        (programs / "python3").chmod(0o755)
    done = small.run("demo", PATH=str(programs))
    assert done.returncode == 2
    assert fix in done.stderr
    assert not (tmp_path / ".venv").exists()


def test_a_read_only_home_directory_works(tmp_path: Path) -> None:
    done = Checkout(tmp_path).run("x", HOME="/proc/self/no-home")
    assert done.stdout == "/|x\n", done.stderr
    assert "trying pip" not in done.stderr, done.stderr
