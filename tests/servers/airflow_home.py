"""An AIRFLOW_HOME for tests: settings, commands, and the results of DAG runs."""

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
    """Return a free port."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


def airflow_database_url(url: str) -> str:
    """Return the URL of a database in Airflow's format."""
    return url.replace("postgresql:", "postgresql+psycopg:")


def account_settings(simulator: Simulator, database_url: str) -> dict[str, str]:
    """Return the settings of a run that uses a simulator and a database."""
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


def mail_settings(port: int) -> dict[str, str]:
    """Return the settings that send notices to a mail server on this machine."""
    return {
        "ETL_SMTP_URL": f"smtp://127.0.0.1:{port}",
        "ETL_MAIL_FROM": "qqetl@example.com",
        "ETL_MAIL_TO": "operations@example.com",
    }


@dataclass(frozen=True)
class AirflowHome:
    """An AIRFLOW_HOME with a metadata database, and the environment of its programs."""

    folder: Path
    metadata: str  #: URL of the metadata database
    settings: Mapping[str, str] = field(default_factory=dict)
    dags: Path = DAGS

    @property
    def environment(self) -> dict[str, str]:
        """The environment of a program."""
        inherited = {
            name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "ETL_", "QQCAT"))
        }
        sync, background = self.metadata, self.metadata.replace("sqlite:", "sqlite+aiosqlite:")
        variables = {
            "AIRFLOW_HOME": str(self.folder),
            "AIRFLOW__CORE__DAGS_FOLDER": str(self.dags),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__PARALLELISM": "4",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": sync,
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC": background,
        }
        return {**inherited, **variables, **self.settings}

    def run(self, *command: str, seconds: float = 300) -> "subprocess.CompletedProcess[str]":
        """Run a command, and show its output when it fails."""
        completed = subprocess.run(
            command, env=self.environment, cwd=self.folder, capture_output=True, text=True, timeout=seconds, check=False
        )
        assert completed.returncode == 0, (completed.stdout + completed.stderr)[-6000:]
        return completed

    def migrate(self) -> None:
        """Create the tables of the metadata database."""
        self.run("airflow", "db", "migrate")

    def dag_test(self, dag_id: str, **conf: Any) -> dict[str, Any]:
        """Run a DAG in one process and return the states of the run and its tasks."""
        program = Path(__file__).with_name("airflow_one_process.py")
        completed = self.run(sys.executable, str(program), str(self.dags), dag_id, json.dumps(conf))
        result: dict[str, Any] = json.loads(completed.stdout.splitlines()[-1])
        return result
