"""An Airflow of a test's own: its home, its settings, a command in it, and what it says of runs."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from etl.simulator import Simulator

DAGS = Path(__file__).parents[2] / "etl/dags"


def free_port() -> int:
    """Return a port that nobody listens at."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


def airflows_own(url: str) -> str:
    """Return the address of a database as Airflow wants it."""
    return url.replace("postgresql:", "postgresql+psycopg:")


def of_account(simulator: Simulator, database_url: str) -> dict[str, str]:
    """Return the settings with which a run talks to a simulator and a database."""
    return {
        "DATABASE_URL": database_url,
        "QQCATALYST_API_URL": simulator.api_url,
        "QQCATALYST_TOKEN_URL": simulator.token_url,
        "QQCATALYST_CLIENT_ID": "demo",
        "QQCATALYST_CLIENT_SECRET": "demo-secret",
        "QQCATALYST_USERNAME": "demo",
        "QQCATALYST_PASSWORD": "demo-password",
        "ETL_RATE": "0",
    }


def of_mail(port: int) -> dict[str, str]:
    """Return the settings with which notices go to a mail server on this machine."""
    return {
        "ETL_SMTP_URL": f"smtp://127.0.0.1:{port}",
        "ETL_MAIL_FROM": "qqetl@example.com",
        "ETL_MAIL_TO": "operations@example.com",
    }


@dataclass(frozen=True)
class Home:
    """An AIRFLOW_HOME with a metadata database, and the environment of every program in it."""

    folder: Path
    metadata: str  #: address of its database
    settings: Mapping[str, str] = field(default_factory=dict)
    dags: Path = DAGS

    @property
    def environment(self) -> dict[str, str]:
        """The environment of a program."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "ETL_", "QQCAT"))}
        sync, background = self.metadata, self.metadata.replace("sqlite:", "sqlite+aiosqlite:")
        own = {
            "AIRFLOW_HOME": str(self.folder),
            "AIRFLOW__CORE__DAGS_FOLDER": str(self.dags),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__PARALLELISM": "4",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": sync,
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC": background,
        }
        return {**kept, **own, **self.settings}

    def run(self, *command: str, seconds: float = 300) -> "subprocess.CompletedProcess[str]":
        """Run a command to its end, and show what it said when it fails."""
        done = subprocess.run(
            command, env=self.environment, cwd=self.folder, capture_output=True, text=True, timeout=seconds, check=False
        )
        assert done.returncode == 0, (done.stdout + done.stderr)[-6000:]
        return done

    def migrate(self) -> None:
        """Make the tables of the metadata database."""
        self.run("airflow", "db", "migrate")

    def dag_test(self, dag_id: str, **conf: Any) -> dict[str, Any]:
        """Run a DAG in one process and return the states of the run and of its tasks."""
        program = Path(__file__).with_name("airflow_one_process.py")
        done = self.run(sys.executable, str(program), str(self.dags), dag_id, json.dumps(conf))
        said: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return said
