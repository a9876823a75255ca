"""The agencies of one Airflow: `ETL_AGENCIES` names a folder that holds a folder for each, with a `.env` of its own."""

import os
from pathlib import Path


def folder() -> Path | None:
    """Return where the agencies are, None where the environment holds the settings of a single one."""
    named = os.environ.get("ETL_AGENCIES", "").strip()
    return Path(named).expanduser() if named else None


def agencies() -> list[str]:
    """Return the names of the agencies, none where there is a single one. Light: Airflow asks at every parse."""
    home = folder()
    return sorted(path.parent.name for path in home.glob("*/.env")) if home else []
