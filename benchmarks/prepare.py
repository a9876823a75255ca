"""The peers' own environments, made from hashed locks."""

import subprocess
import sys
from pathlib import Path

from benchmarks.candidates import CANDIDATES, VENVS, Candidate
from benchmarks.scene import ROOT
from requirements.bootstrap import pip_settings, uv_environment

LOCKS = ROOT / "benchmarks/requirements"


def prepare() -> None:
    """Make the environment of every peer that has one of its own; one that stands is brought in line with its lock."""
    for name in environments():
        python = VENVS / name / "bin/python"
        if not python.exists():
            uv("venv", "--quiet", "--python", sys.executable, str(VENVS / name))
        uv("pip", "sync", "--quiet", "--require-hashes", "--python", str(python), str(lock(name)))
        print(f"{name}: ready in {VENVS / name}")


def environments() -> list[str]:
    """Return the names of the peers' environments."""
    return [one.environment for one in CANDIDATES.values() if one.environment]


def lock(name: str) -> Path:
    """Return the lock of an environment."""
    return LOCKS / f"{name}.lock"


def missing(chosen: list[Candidate]) -> list[str]:
    """Return the environments that these candidates need and that do not stand."""
    return [one.environment for one in chosen if one.environment and not one.python.exists()]


def uv(*arguments: str) -> None:
    """Run uv, which stands beside this interpreter, with pip's settings; raise SystemExit when it fails."""
    command = [str(Path(sys.executable).parent / "uv"), *arguments]
    done = subprocess.run(command, check=False, env=dict(uv_environment(pip_settings())))
    if done.returncode:
        raise SystemExit(f"uv {arguments[0]} failed; what it said stands above.")
