"""Folder, agency and settings of the demo, separate from real data."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import SecretStr

from etl.config.settings import Settings
from etl.database.embedded.paths import server_paths
from etl.database.embedded.server import remove_server
from etl.errors import UsageError
from etl.resources import CATALOGUE
from etl.simulator import EXTRA_CALLS, Simulator, SimulatorSettings
from etl.status.format import format_count

DEFAULT_CONTACTS = 300
_AGENCY_FILE = "agency.json"


@dataclass(frozen=True, slots=True)
class DemoAgency:
    """Parameters that make the agency the same in every run."""

    contacts: int
    founded: datetime

    def simulator_settings(self, *, live: bool) -> SimulatorSettings:
        """Return the settings of the simulator: an ordinary account, with the calls that it lacks turned on by name."""
        return SimulatorSettings(
            contacts=self.contacts, founded=self.founded, live=live, documented_only=True, offered=EXTRA_CALLS
        )


def get_demo_folder(settings: Settings) -> Path:
    """Return the folder of the demo, inside that of the embedded database; create the latter if it is missing."""
    home = server_paths(settings.etl_data_dir)
    home.create_folder()
    return home.folder / "demo"


def load_or_create_agency(folder: Path, contacts: int | None) -> DemoAgency:
    """Return the agency of an earlier run, or create and store a new one.

    Raises UsageError if the earlier agency has a different number of contacts.
    """
    file = folder / _AGENCY_FILE
    try:
        stored = json.loads(file.read_text())
        agency = DemoAgency(int(stored["size"]), datetime.fromisoformat(stored["founded"]))
    except (FileNotFoundError, ValueError, KeyError):
        agency = DemoAgency(contacts or DEFAULT_CONTACTS, datetime.now(UTC))
        file.write_text(json.dumps({"size": agency.contacts, "founded": agency.founded.isoformat()}))
    if contacts not in (None, agency.contacts):
        raise UsageError(
            f"The demo in {folder} has an agency with {format_count(agency.contacts, 'contact')}. "
            "To use a different size, remove the demo first: qqetl demo --clear"
        )
    return agency


def remove_demo(folder: Path) -> bool:
    """Delete the demo and all its data; return whether there was one."""
    (folder / _AGENCY_FILE).unlink(missing_ok=True)
    return remove_server(folder)


def has_demo(folder: Path) -> bool:
    """Return whether the demo has not been removed."""
    return (folder / _AGENCY_FILE).exists()


def make_demo_settings(settings: Settings, simulator: Simulator) -> Settings:
    """Return the settings that connect to the simulator instead of a real account."""
    api_settings = simulator.settings
    defaults = {name: Settings.model_fields[name].default for name in ("etl_api_timezone", "etl_child_budget")}
    return settings.model_copy(
        update={
            **defaults,
            "database_url": None,
            "qqcatalyst_api_url": simulator.api_url,
            "qqcatalyst_token_url": simulator.token_url,
            "qqcatalyst_auth": "oauth",
            "qqcatalyst_client_id": SecretStr(api_settings.client_id),
            "qqcatalyst_client_secret": SecretStr(api_settings.client_secret),
            "qqcatalyst_username": SecretStr(api_settings.username),
            "qqcatalyst_password": SecretStr(api_settings.password),
            "etl_rate": 0.0,
            "etl_resources": ",".join(
                f"+{resource.name}" for resource in CATALOGUE if resource.needs_enterprise_access
            ),
        }
    )
