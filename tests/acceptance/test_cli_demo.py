"""The demo: it works, a second run writes nothing, and it can be removed."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from command_line import CommandLine

from etl.models import PRODUCTION


@pytest.mark.timeout(400)  # nine commands, each starts and stops a server
def test_demo_first_run_second_run_and_removal(server_folder: Path) -> None:
    qqetl = CommandLine(
        server_folder, {"DATABASE_URL": "postgresql://nobody@127.0.0.1:9/real", "ETL_CHILD_BUDGET": "3"}
    )
    first = qqetl("demo", "--contacts", "8")
    assert first.returncode == 0, first.stderr
    assert all(f"{model.__tablename__} " in first.stdout for model in PRODUCTION)
    assert "✓" in first.stdout
    assert "Policies that expire in the next 30 days" in first.stdout
    assert "Next steps" in first.stdout

    second = qqetl("demo")
    assert second.returncode == 0, second.stderr
    assert "Nothing was written" in second.stdout

    other_size = qqetl("demo", "--contacts", "9")
    assert other_size.returncode == 2
    assert "8 contacts" in other_size.stderr

    inside = qqetl.with_settings(ETL_DATA_DIR=str(server_folder / "data" / "demo"))
    status = inside("status", "--embedded", "--json")
    assert all(resource["complete_to"] for resource in json.loads(status.stdout)["resources"]), (
        "the demo ignores settings of a real account"
    )
    assert not (server_folder / "data" / "data").exists(), "the demo has its own folder"

    check_keep(qqetl)
    check_clear(qqetl)
    assert not (server_folder / "data" / "demo").exists()
    assert "no demo" in qqetl("demo", "--clear").stdout


def start_keep(qqetl: CommandLine, log: Path) -> "subprocess.Popen[bytes]":
    """Start `demo --keep`, and return it when its servers run."""
    with log.open("w") as output:
        process = subprocess.Popen(
            qqetl.command(("demo", "--keep")), cwd=qqetl.folder, env=qqetl.environment | {"PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
        )  # fmt: skip
    give_up = time.monotonic() + 60
    while "until Ctrl-C" not in log.read_text() and time.monotonic() < give_up and process.poll() is None:
        time.sleep(0.05)
    assert "export QQCATALYST_API_URL=http://127.0.0.1:" in log.read_text()
    return process


def check_keep(qqetl: CommandLine) -> None:
    """Check that `--keep` prints addresses, and that a signal ends it with status 0."""
    process = start_keep(qqetl, qqetl.folder / "demo.log")
    os.kill(process.pid, signal.SIGTERM)
    assert process.wait(30) == 0


def check_clear(qqetl: CommandLine) -> None:
    """Check that the demo is removed, and that a demo which runs in another terminal says so and ends."""
    log = qqetl.folder / "removed.log"
    process = start_keep(qqetl, log)
    assert "Removed" in qqetl("demo", "--clear").stdout
    assert process.wait(30) == 0
    assert "was removed by `qqetl demo --clear`" in log.read_text()
    assert "Traceback" not in log.read_text()
