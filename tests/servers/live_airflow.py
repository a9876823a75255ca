"""A living Airflow of a test's own: its processes, what it is asked over REST, and an end that leaves none behind."""

import json
import operator
import os
import secrets
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar
from urllib.error import URLError
from urllib.request import Request, urlopen

from airflow_home import Home, free_port

T = TypeVar("T")

#: Seconds without any progress after which a wait is given up; what moves may take as long as it needs.
PATIENCE = 90.0
#: Seconds between two looks.
PAUSE = 0.3
#: Seconds that a process has to end in, once it was asked to.
FAREWELL = 20.0
ENDED = {"success", "failed"}
#: Tells a process and its offspring which program of an Airflow they belong to.
PROGRAM = "PROGRAM_OF_AIRFLOW"

COMPONENTS = {
    "api-server": ("airflow", "api-server", "--workers", "1"),
    "scheduler": ("airflow", "scheduler", "--skip-serve-logs"),
    "dag-processor": ("airflow", "dag-processor"),
}


def settings_of_all(port: int, executor: str) -> dict[str, str]:
    """Return what all components are told alike: where they meet, one secret, and few and quick turns."""
    return {
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__BASE_URL": f"http://127.0.0.1:{port}",
        "AIRFLOW__API__SECRET_KEY": secrets.token_hex(32),
        "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_hex(32),
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{port}/execution/",
        "AIRFLOW__CORE__EXECUTOR": executor,
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
        "AIRFLOW__DAG_PROCESSOR__PARSING_PROCESSES": "1",
        "AIRFLOW__SCHEDULER__ENABLE_HEALTH_CHECK": "False",
        "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.2",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
    }


@dataclass
class Airflow:
    """Components at work in one home, and the way to ask them."""

    home: Home
    port: int
    processes: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)
    token: str | None = None

    def begin(self, name: str, *command: str) -> None:
        """Start a program as the head of a session of its own; what it says lies in a file of its name."""
        environment = {**self.home.environment, PROGRAM: name}
        with self.log_of(name).open("wb") as log:
            self.processes[name] = subprocess.Popen(
                command, env=environment, cwd=self.home.folder, stdin=subprocess.DEVNULL,
                stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip

    def log_of(self, name: str) -> Path:
        """Return where a program's words lie."""
        return self.home.folder / f"{name}.log"

    def kill(self, name: str) -> None:
        """End a program and all that it has begun, without a word of warning."""
        program = self.processes.pop(name)
        end_session(program.pid)
        program.wait()

    def end(self) -> None:
        """Ask all programs to end, and end those that do not, with whatever they have begun."""
        for one in self.processes.values():
            with suppress(ProcessLookupError):
                os.killpg(one.pid, signal.SIGTERM)
        deadline = time.monotonic() + FAREWELL
        for one in self.processes.values():
            with suppress(subprocess.TimeoutExpired):
                one.wait(max(0.0, deadline - time.monotonic()))
            end_session(one.pid)
            one.wait()

    def ask(self, path: str, method: str = "GET", body: Mapping[str, Any] | None = None) -> Any:
        """Return what the REST API answers."""
        headers = {"Content-Type": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        sent = json.dumps(body).encode() if body is not None else None
        request = Request(f"http://127.0.0.1:{self.port}{path}", sent, headers, method=method)
        with urlopen(request, timeout=60) as answer:  # noqa: S310 (as above)
            return json.load(answer)

    def is_up(self) -> bool:
        """Sign in, and tell whether all components have shown themselves."""
        try:
            self.token = self.ask("/auth/token")["access_token"]
            health = self.ask("/api/v2/monitor/health")
        except URLError:
            return False
        return all(health[one]["status"] == "healthy" for one in ("metadatabase", "scheduler", "dag_processor"))

    def dags(self) -> set[str]:
        """Return the ids of the DAGs that were found."""
        return {one["dag_id"] for one in self.ask("/api/v2/dags")["dags"]}

    def unpause(self, dag_id: str) -> None:
        """Let the runs of a DAG begin."""
        self.ask(f"/api/v2/dags/{dag_id}", "PATCH", {"is_paused": False})

    def pause(self, dag_id: str) -> None:
        """Let no further run of a DAG begin."""
        self.ask(f"/api/v2/dags/{dag_id}", "PATCH", {"is_paused": True})

    def trigger(self, dag_id: str, **conf: Any) -> str:
        """Begin a run with some params, and return its id."""
        asked = {"logical_date": None, "conf": conf}
        run: str = self.ask(f"/api/v2/dags/{dag_id}/dagRuns", "POST", asked)["dag_run_id"]
        return run

    def runs(self, dag_id: str) -> dict[str, str]:
        """Return the states of a DAG's runs."""
        found = self.ask(f"/api/v2/dags/{dag_id}/dagRuns")["dag_runs"]
        return {one["dag_run_id"]: one["state"] for one in found}

    def tasks(self, dag_id: str, run: str) -> dict[str, dict[str, Any]]:
        """Return the tasks of a run as Airflow tells of them, mapped ones with their place behind the name."""
        found = self.ask(f"/api/v2/dags/{dag_id}/dagRuns/{run}/taskInstances")["task_instances"]
        return {f"{one['task_id']}[{one['map_index']}]": one for one in found}

    def handed_on(self, dag_id: str, run: str, task_id: str) -> Any:
        """Return what a task has handed on to others."""
        place = f"/api/v2/dags/{dag_id}/dagRuns/{run}/taskInstances/{task_id}/xcomEntries/return_value"
        return self.ask(f"{place}?deserialize=true")["value"]

    def standing(self) -> dict[str, Any]:
        """Return the state and try of every task of every run: whatever moves, moves this."""
        found = self.ask("/api/v2/dags/~/dagRuns/~/taskInstances?limit=500")["task_instances"]
        return {one["id"]: (one["task_id"], one["state"], one["try_number"]) for one in found}

    def until(self, look: Callable[[], T], is_right: Callable[[T], object] = bool) -> T:
        """Look again and again until what is seen is right, and return it; give up when nothing moves any more."""
        moved, last = time.monotonic(), None
        while True:
            if is_right(seen := look()):
                return seen
            for name, one in self.processes.items():
                assert one.poll() is None, f"{name} ended: {self.last_words()}"
            if (standing := [self.standing() if self.token else None, seen]) != last:
                moved, last = time.monotonic(), standing
            assert time.monotonic() - moved < PATIENCE, f"nothing moves: {standing}\n{self.last_words()}"
            time.sleep(PAUSE)

    def run_ends(self, dag_id: str, run: str) -> str:
        """Wait for the end of a run and return its state."""
        return self.until(lambda: self.runs(dag_id).get(run, ""), ENDED.__contains__)

    def said(self) -> int:
        """Return how much the programs have said so far: while they begin, nothing else tells that they go on."""
        return sum(self.log_of(name).stat().st_size for name in self.processes)

    def last_words(self) -> str:
        """Return the end of what each program said."""
        said = {name: self.log_of(name).read_text(errors="replace")[-2000:] for name in self.processes}
        return "\n".join(f"--- {name}\n{words}" for name, words in said.items())


@contextmanager
def living(home: Home, dags: set[str], executor: str = "LocalExecutor", **more: tuple[str, ...]) -> Iterator[Airflow]:
    """Give an Airflow at work in a migrated home, which knows these DAGs; `more` are further programs by name."""
    port = free_port()
    settings = {**home.settings, **settings_of_all(port, executor)}
    airflow = Airflow(replace(home, settings=settings), port)
    try:
        for name, command in {**COMPONENTS, **more}.items():
            airflow.begin(name, *command)
        airflow.until(lambda: (airflow.is_up(), airflow.said()), operator.itemgetter(0))
        airflow.until(airflow.dags, dags.issubset)
        yield airflow
    finally:
        airflow.end()


def name_of_program() -> str:
    """Return which program of an Airflow this process belongs to; workers give it for the name of their machine."""
    return os.environ[PROGRAM]


def kill_task(task_id: str) -> None:
    """End the process of a task, by the id of its instance, as the kernel does when memory runs out."""
    numbers = [number for number, words in at_work().items() if f"airflow worker -- {task_id}" in words]
    assert numbers, f"no process of task {task_id}: {at_work()}"
    for number in numbers:
        os.kill(number, signal.SIGKILL)


def at_work() -> dict[int, str]:
    """Return the command lines of all processes that have not ended, by their numbers."""
    found = subprocess.run(["ps", "-eo", "pid=,stat=,args="], capture_output=True, text=True, check=True).stdout
    lines = [line.split(maxsplit=2) for line in found.splitlines()]
    return {int(number): words for number, state, words in lines if state[0] != "Z"}


def in_session(leader: int) -> list[int]:
    """Return the processes of a session: a task leaves the group of its supervisor, and not the session."""
    return [number for number in at_work() if session_of(number) == leader]


def session_of(number: int) -> int | None:
    """Return the session of a process, None when it has ended."""
    try:
        return os.getsid(number)
    except ProcessLookupError:
        return None


def end_session(leader: int) -> None:
    """End all processes of a session at once, and those that they begin meanwhile."""
    while numbers := in_session(leader):
        for number in numbers:
            with suppress(ProcessLookupError):
                os.kill(number, signal.SIGKILL)
        time.sleep(0.05)
