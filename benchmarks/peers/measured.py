"""The task and the time measurement that all candidates share. Standard library only."""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version

#: The environment variable with the URL of the database, which contains a password and so is not an argument.
DATABASE = "BENCHMARK_DATABASE"
PAGE = 500


@dataclass(frozen=True)
class Task:
    """One step of a candidate."""

    step: str  #: full, unchanged or changed; some candidates have more
    api: str  #: the API's root
    database: str  #: the URL of the candidate's database
    since: date  #: the first day to read
    until: date  #: the end of the days to read (exclusive)
    scratch: str  #: a folder that exists for all steps of a round


def parse_task() -> Task:
    """Return the task from the command line and the environment."""
    parser = argparse.ArgumentParser()
    parser.add_argument("step")
    parser.add_argument("--api", required=True)
    parser.add_argument("--since", required=True, type=date.fromisoformat)
    parser.add_argument("--until", required=True, type=date.fromisoformat)
    parser.add_argument("--scratch", required=True)
    options = parser.parse_args()
    return Task(options.step, options.api, os.environ[DATABASE], options.since, options.until, options.scratch)


def run(work: Callable[[Task], float | None], packages: Sequence[str]) -> None:
    """Run the task of the command line and print its time in seconds, without imports.

    Work that returns a number has measured its own time.
    """
    task = parse_task()
    began = time.perf_counter()
    measured = work(task)
    seconds = measured if measured is not None else time.perf_counter() - began
    versions = {name: version(name) for name in packages}
    sys.stdout.write("\n" + json.dumps({"seconds": seconds, "versions": versions}) + "\n")
