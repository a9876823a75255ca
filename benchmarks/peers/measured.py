"""What every candidate shares: what it is told, and how it tells the seconds it took. Standard library only."""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version

#: Where the address of the database stands; it holds a password, so it is no argument.
DATABASE = "BENCHMARK_DATABASE"
PAGE = 500


@dataclass(frozen=True)
class Task:
    """One step of a candidate."""

    step: str  #: full, unchanged or changed; some candidates know more
    api: str  #: the API's root
    database: str  #: the address of the candidate's own database
    since: date  #: the first day to be read
    until: date  #: the midnight that ends the last
    scratch: str  #: a folder that lasts from the first step of a round to the last


def told() -> Task:
    """Return what the command line and the environment tell."""
    parser = argparse.ArgumentParser()
    parser.add_argument("step")
    parser.add_argument("--api", required=True)
    parser.add_argument("--since", required=True, type=date.fromisoformat)
    parser.add_argument("--until", required=True, type=date.fromisoformat)
    parser.add_argument("--scratch", required=True)
    given = parser.parse_args()
    return Task(given.step, given.api, os.environ[DATABASE], given.since, given.until, given.scratch)


def run(work: Callable[[Task], float | None], packages: Sequence[str]) -> None:
    """Do the work that the command line names and print how long it took, in seconds; imports are not in it.

    Work that returns a number has measured itself.
    """
    task = told()
    began = time.perf_counter()
    own = work(task)
    seconds = own if own is not None else time.perf_counter() - began
    versions = {name: version(name) for name in packages}
    sys.stdout.write("\n" + json.dumps({"seconds": seconds, "versions": versions}) + "\n")
