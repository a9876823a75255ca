"""A running Airflow for tests: its processes, its REST API, and a shutdown that leaves no process behind."""

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

from airflow_home import AirflowHome, free_port

T = TypeVar("T")

#: Seconds without any progress after which a wait fails.
PATIENCE = 90.0
#: Seconds between two polls.
PAUSE = 0.3
#: Seconds that a terminated process has to exit.
TERMINATE_SECONDS = 20.0
ENDED = {"success", "failed"}
#: The environment variable that names the Airflow program of a process and its children.
PROGRAM = "PROGRAM_OF_AIRFLOW"

COMPONENTS = {
    "api-server": ("airflow", "api-server", "--workers", "1"),
    "scheduler": ("airflow", "scheduler", "--skip-serve-logs"),
    "dag-processor": ("airflow", "dag-processor"),
}


def shared_settings(port: int, executor: str) -> dict[str, str]:
    """Return the settings of all components: addresses, secrets, and short intervals."""
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
    """The running components of one AIRFLOW_HOME, and a client of their REST API."""

    home: AirflowHome
    port: int
    processes: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)
    token: str | None = None

    def begin(self, name: str, *command: str) -> None:
        """Start a program as the leader of a new session, with its output in a log file."""
        environment = {**self.home.environment, PROGRAM: name}
        with self.log_of(name).open("wb") as log:
            self.processes[name] = subprocess.Popen(
                command, env=environment, cwd=self.home.folder, stdin=subprocess.DEVNULL,
                stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip

    def log_of(self, name: str) -> Path:
        """Return the path of a program's log."""
        return self.home.folder / f"{name}.log"

    def kill(self, name: str) -> None:
        """Kill a program and all its processes."""
        program = self.processes.pop(name)
        end_session(program.pid)
        program.wait()

    def end(self) -> None:
        """Terminate all programs, and kill those that do not exit, with all their processes."""
        for process in self.processes.values():
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
        deadline = time.monotonic() + TERMINATE_SECONDS
        for process in self.processes.values():
            with suppress(subprocess.TimeoutExpired):
                process.wait(max(0.0, deadline - time.monotonic()))
            end_session(process.pid)
            process.wait()

    def ask(self, path: str, method: str = "GET", body: Mapping[str, Any] | None = None) -> Any:
        """Return the response of the REST API."""
        headers = {"Content-Type": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        sent = json.dumps(body).encode() if body is not None else None
        request = Request(f"http://127.0.0.1:{self.port}{path}", sent, headers, method=method)
        with urlopen(request, timeout=60) as answer:  # noqa: S310 (as above)
            return json.load(answer)

    def is_up(self) -> bool:
        """Sign in, and return whether all components are healthy."""
        try:
            self.token = self.ask("/auth/token")["access_token"]
            health = self.ask("/api/v2/monitor/health")
        except URLError:
            return False
        return all(
            health[component]["status"] == "healthy" for component in ("metadatabase", "scheduler", "dag_processor")
        )

    def dags(self) -> set[str]:
        """Return the ids of the DAGs that were found."""
        return {dag["dag_id"] for dag in self.ask("/api/v2/dags")["dags"]}

    def unpause(self, dag_id: str) -> None:
        """Unpause a DAG."""
        self.ask(f"/api/v2/dags/{dag_id}", "PATCH", {"is_paused": False})

    def pause(self, dag_id: str) -> None:
        """Pause a DAG, so that no further run starts."""
        self.ask(f"/api/v2/dags/{dag_id}", "PATCH", {"is_paused": True})

    def trigger(self, dag_id: str, **conf: Any) -> str:
        """Trigger a run with params, and return its id."""
        body = {"logical_date": None, "conf": conf}
        run: str = self.ask(f"/api/v2/dags/{dag_id}/dagRuns", "POST", body)["dag_run_id"]
        return run

    def runs(self, dag_id: str) -> dict[str, str]:
        """Return the states of a DAG's runs."""
        runs = self.ask(f"/api/v2/dags/{dag_id}/dagRuns")["dag_runs"]
        return {run["dag_run_id"]: run["state"] for run in runs}

    def tasks(self, dag_id: str, run: str) -> dict[str, dict[str, Any]]:
        """Return the task instances of a run by name, with the map index after the name."""
        instances = self.ask(f"/api/v2/dags/{dag_id}/dagRuns/{run}/taskInstances")["task_instances"]
        return {f"{instance['task_id']}[{instance['map_index']}]": instance for instance in instances}

    def xcom_value(self, dag_id: str, run: str, task_id: str) -> Any:
        """Return the value that a task returned (XCom)."""
        path = f"/api/v2/dags/{dag_id}/dagRuns/{run}/taskInstances/{task_id}/xcomEntries/return_value"
        return self.ask(f"{path}?deserialize=true")["value"]

    def task_states(self) -> dict[str, Any]:
        """Return the state and try of every task of every run, which change with any progress."""
        instances = self.ask("/api/v2/dags/~/dagRuns/~/taskInstances?limit=500")["task_instances"]
        return {
            instance["id"]: (instance["task_id"], instance["state"], instance["try_number"]) for instance in instances
        }

    def until(self, look: Callable[[], T], is_right: Callable[[T], object] = bool) -> T:
        """Poll until a value is right, and return it; fail when there is no more progress."""
        last_change, last = time.monotonic(), None
        while True:
            if is_right(value := look()):
                return value
            for name, process in self.processes.items():
                assert process.poll() is None, f"{name} ended: {self.last_log_lines()}"
            if (task_states := [self.task_states() if self.token else None, value]) != last:
                last_change, last = time.monotonic(), task_states
            assert time.monotonic() - last_change < PATIENCE, f"nothing moves: {task_states}\n{self.last_log_lines()}"
            time.sleep(PAUSE)

    def run_ends(self, dag_id: str, run: str) -> str:
        """Wait for the end of a run and return its state."""
        return self.until(lambda: self.runs(dag_id).get(run, ""), ENDED.__contains__)

    def log_size(self) -> int:
        """Return the size of all logs, the only sign of progress while the programs start."""
        return sum(self.log_of(name).stat().st_size for name in self.processes)

    def last_log_lines(self) -> str:
        """Return the end of each program's log."""
        logs = {name: self.log_of(name).read_text(errors="replace")[-2000:] for name in self.processes}
        return "\n".join(f"--- {name}\n{log}" for name, log in logs.items())


@contextmanager
def running_airflow(
    home: AirflowHome, dags: set[str], executor: str = "LocalExecutor", **more: tuple[str, ...]
) -> Iterator[Airflow]:
    """Run an Airflow in a migrated home until it has these DAGs; `more` are additional programs by name."""
    port = free_port()
    settings = {**home.settings, **shared_settings(port, executor)}
    airflow = Airflow(replace(home, settings=settings), port)
    try:
        for name, command in {**COMPONENTS, **more}.items():
            airflow.begin(name, *command)
        airflow.until(lambda: (airflow.is_up(), airflow.log_size()), operator.itemgetter(0))
        airflow.until(airflow.dags, dags.issubset)
        yield airflow
    finally:
        airflow.end()


def current_program() -> str:
    """Return the Airflow program of this process; workers use it as their host name."""
    return os.environ[PROGRAM]


def kill_task(task_id: str) -> None:
    """Kill the process of a task instance, as the kernel does when memory runs out."""
    pids = [pid for pid, command in running_processes().items() if f"airflow worker -- {task_id}" in command]
    assert pids, f"no process of task {task_id}: {running_processes()}"
    for pid in pids:
        os.kill(pid, signal.SIGKILL)


def running_processes() -> dict[int, str]:
    """Return the command lines of all running processes by process id."""
    output = subprocess.run(["ps", "-eo", "pid=,stat=,args="], capture_output=True, text=True, check=True).stdout
    lines = [line.split(maxsplit=2) for line in output.splitlines()]
    return {int(number): command for number, state, command in lines if state[0] != "Z"}


def processes_of_session(leader: int) -> list[int]:
    """Return the processes of a session: a task leaves the process group of its supervisor, but not the session."""
    return [number for number in running_processes() if session_of(number) == leader]


def session_of(number: int) -> int | None:
    """Return the session of a process, None when the process has ended."""
    try:
        return os.getsid(number)
    except ProcessLookupError:
        return None


def end_session(leader: int) -> None:
    """Kill all processes of a session, and those that they start meanwhile."""
    while numbers := processes_of_session(leader):
        for number in numbers:
            with suppress(ProcessLookupError):
                os.kill(number, signal.SIGKILL)
        time.sleep(0.05)
