"""The demo's own place: a folder for its database and its agency, apart from all real data."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import SecretStr

from etl.cli.ui.format import counted
from etl.config.settings import Settings
from etl.database.embedded.paths import home_of
from etl.database.embedded.server import remove
from etl.errors import UsageError
from etl.simulator import EXTRA_CALLS, Simulator, SimulatorSettings

CONTACTS = 300
_NOTE = "agency.json"


@dataclass(frozen=True, slots=True)
class Agency:
    """What makes the demo's agency the same at every run."""

    contacts: int
    founded: datetime

    def simulated(self, *, live: bool) -> SimulatorSettings:
        """Return the settings of its simulator: an ordinary account, with the calls it lacks turned on by name."""
        return SimulatorSettings(
            contacts=self.contacts, founded=self.founded, live=live, documented_only=True, offered=EXTRA_CALLS
        )


def demo_folder(settings: Settings) -> Path:
    """Return the folder of the demo, inside that of the embedded database; the latter is made if it is missing."""
    home = home_of(settings.etl_data_dir)
    home.make()
    return home.folder / "demo"


def agency_in(folder: Path, contacts: int | None) -> Agency:
    """Return the agency of an earlier run, or a new one that is remembered from now on.

    Raises UsageError when the earlier one has another size than is asked for.
    """
    note = folder / _NOTE
    try:
        known = json.loads(note.read_text())
        agency = Agency(int(known["size"]), datetime.fromisoformat(known["founded"]))
    except (FileNotFoundError, ValueError, KeyError):
        agency = Agency(contacts or CONTACTS, datetime.now(UTC))
        note.write_text(json.dumps({"size": agency.contacts, "founded": agency.founded.isoformat()}))
    if contacts not in (None, agency.contacts):
        raise UsageError(
            f"The demo in {folder} is of an agency with {counted(agency.contacts, 'contact')}. "
            "For one of another size, remove it first: qqetl demo --clear"
        )
    return agency


def clear(folder: Path) -> bool:
    """Delete the demo with all its data; return whether there was one."""
    (folder / _NOTE).unlink(missing_ok=True)
    return remove(folder)


def demo_settings(settings: Settings, simulator: Simulator) -> Settings:
    """Return the settings that lead to the simulator, whatever the environment says of a real account."""
    simulated = simulator.settings
    defaults = {name: Settings.model_fields[name].default for name in ("etl_api_timezone", "etl_child_budget")}
    return settings.model_copy(
        update={
            **defaults,
            "database_url": None,
            "qqcatalyst_api_url": simulator.api_url,
            "qqcatalyst_token_url": simulator.token_url,
            "qqcatalyst_auth": "oauth",
            "qqcatalyst_client_id": SecretStr(simulated.client_id),
            "qqcatalyst_client_secret": SecretStr(simulated.client_secret),
            "qqcatalyst_username": SecretStr(simulated.username),
            "qqcatalyst_password": SecretStr(simulated.password),
            "etl_rate": 0.0,
        }
    )
