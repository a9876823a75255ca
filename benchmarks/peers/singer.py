"""The Singer candidate: a tap piped into meltanolabs-target-postgres, as separate processes, as Meltano runs them."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import IO, Any, cast
from urllib.parse import urlsplit

import requests

from benchmarks.peers.measured import Task, run

#: The fastest settings found: COPY, no schema validation (the tap is trusted), large batches.
LOADING = {
    "load_method": "upsert",
    "use_copy": True,
    "validate_records": False,
    "batch_size_rows": 50_000,
    "activate_version": False,
    "add_record_metadata": False,
    "default_target_schema": "peer",
}
QUIET = {"SINGER_SDK_LOG_LEVEL": "WARNING", "TAP_BENCHMARK_LOGLEVEL": "WARNING", "LOGLEVEL": "WARNING"}


def write_config(task: Task, name: str, config: dict[str, Any]) -> list[str]:
    """Write a program's configuration and return its command line."""
    file = Path(task.scratch, f"{name}.json")
    file.touch(mode=0o600)
    file.write_text(json.dumps(config))
    return [sys.executable, "-m", f"benchmarks.peers.{name}", "--config", str(file)]


def start_program(
    command: list[str], stdin: int | IO[bytes], stdout: int
) -> tuple["subprocess.Popen[bytes]", IO[bytes]]:
    """Start a program; return it with its error output once its imports are done."""
    program = subprocess.Popen(command, stdin=stdin, stdout=stdout, stderr=subprocess.PIPE, env=os.environ | QUIET)
    stderr = cast("IO[bytes]", program.stderr)
    if (first := stderr.readline()) != b"ready\n":
        raise SystemExit(f"{command[2]} did not start: {(first + stderr.read()).decode()}")
    return program, stderr


def work(task: Task) -> float:
    """Run tap and target and return the time in seconds; raise when one fails."""
    form = {"grant_type": "password", "username": "demo", "password": "demo-password"}
    token = requests.post(f"{task.api}/oauth/token", data=form, timeout=60).json()["access_token"]
    database = urlsplit(task.database)
    tap_config = {"api": task.api, "token": token, "since": str(task.since), "until": str(task.until)}
    target_config = LOADING | {"sqlalchemy_url": database._replace(scheme="postgresql+psycopg").geturl()}
    tap, tap_stderr = start_program(write_config(task, "tap", tap_config), subprocess.PIPE, subprocess.PIPE)
    records = cast("IO[bytes]", tap.stdout)
    target, target_stderr = start_program(write_config(task, "target", target_config), records, subprocess.DEVNULL)
    records.close()  # so that the tap notices when the target ends
    began = time.perf_counter()
    with cast("IO[bytes]", tap.stdin) as gate:
        gate.write(b"go\n")
    errors = {"target": target_stderr.read(), "tap": tap_stderr.read()}
    for name, program in (("tap", tap), ("target", target)):
        if program.wait():
            raise SystemExit(f"The {name} failed: {errors[name].decode()[-2000:]}")
    return time.perf_counter() - began


if __name__ == "__main__":
    run(work, ["singer-sdk", "meltanolabs-target-postgres"])
