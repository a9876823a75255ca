"""The peers' environments, created from hashed locks."""

import subprocess
import sys
from pathlib import Path

from benchmarks.candidates import CANDIDATES, VENVS, Candidate
from benchmarks.servers import ROOT
from requirements.bootstrap import pip_settings, uv_environment

LOCKS = ROOT / "benchmarks/requirements"


def prepare() -> None:
    """Create the environment of every peer that has its own; update an existing one to its lock."""
    for name in environment_names():
        python = VENVS / name / "bin/python"
        if not python.exists():
            run_uv("venv", "--quiet", "--python", sys.executable, str(VENVS / name))
        run_uv("pip", "sync", "--quiet", "--require-hashes", "--python", str(python), str(lock(name)))
        print(f"{name}: ready in {VENVS / name}")


def environment_names() -> list[str]:
    """Return the names of the peers' environments."""
    return [candidate.environment for candidate in CANDIDATES.values() if candidate.environment]


def lock(name: str) -> Path:
    """Return the lock of an environment."""
    return LOCKS / f"{name}.lock"


def missing_environments(candidates: list[Candidate]) -> list[str]:
    """Return the environments that these candidates need and that do not exist."""
    return [
        candidate.environment for candidate in candidates if candidate.environment and not candidate.python.exists()
    ]


def run_uv(*arguments: str) -> None:
    """Run uv from this interpreter's folder, with pip's settings; raise SystemExit when it fails."""
    command = [str(Path(sys.executable).parent / "uv"), *arguments]
    completed = subprocess.run(command, check=False, env=dict(uv_environment(pip_settings())))
    if completed.returncode:
        raise SystemExit(f"uv {arguments[0]} failed; see its output above.")
