"""The agencies of an Airflow installation: `ETL_AGENCIES` has a subfolder with its own `.env` for each agency."""

import os
from pathlib import Path


def agencies_folder() -> Path | None:
    """Return the folder of the agencies, None if the environment has the settings of a single agency."""
    path = os.environ.get("ETL_AGENCIES", "").strip()
    return Path(path).expanduser() if path else None


def list_agencies() -> list[str]:
    """Return the names of the agencies, empty for a single agency. Must be fast: Airflow calls it at every parse."""
    folder = agencies_folder()
    return sorted(path.parent.name for path in folder.glob("*/.env")) if folder else []
