"""The process of a command: closed standard streams, and a Python that drops docstrings."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from etl.errors import LeaseLost

ENVIRONMENT = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG", "TMPDIR"}}


def shell(command: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command of a shell in a folder without settings."""
    return subprocess.run(
        ["/bin/sh", "-c", command], cwd=folder, env=ENVIRONMENT | environment, capture_output=True, text=True,
        timeout=90, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip


def qqetl(words: str) -> str:
    """Return the command of a shell that runs a command of ours."""
    return f"'{sys.executable}' -m etl {words}"


@pytest.mark.parametrize("closed", [">&-", "<&-", "2>&-", ">&- 2>&- <&-"])
def test_closed_streams_cost_nothing(closed: str, tmp_path: Path) -> None:
    """No traceback, the same exit status, and no log file takes the number of the closed stream."""
    log = tmp_path / "qqetl.log"
    ended = shell(f"{qqetl('resources')} {closed}", tmp_path, LOG_FILE=str(log))
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "Traceback" not in ended.stdout
    assert ("contacts" in ended.stdout) == (">&-" not in closed.replace("2>&-", ""))
    assert not log.exists() or "contacts" not in log.read_text()
    refused = shell(f"{qqetl('status')} {closed}", tmp_path, ETL_RATEE="1")
    assert refused.returncode == 2
    assert "Traceback" not in refused.stderr


def test_messages_and_help_are_complete_without_docstrings(tmp_path: Path) -> None:
    script = (
        "from etl.errors import LeaseLost; from etl.values import Boolean; print(LeaseLost(), Boolean().describe())"
    )
    (tmp_path / "show.py").write_text(script)
    environment = {"PYTHONPATH": str(Path(__file__).parents[2])}
    for command in (f"'{sys.executable}' show.py", qqetl("findings --help")):
        usual = shell(command, tmp_path, **environment)
        optimized = shell(command, tmp_path, PYTHONOPTIMIZE="2", **environment)
        assert (optimized.returncode, optimized.stderr) == (0, "")
        assert optimized.stdout == usual.stdout
    assert str(LeaseLost()).startswith("Another run took over the lease")
