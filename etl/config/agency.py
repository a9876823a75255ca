"""The settings of one agency among several: a folder with its own `.env`, which overrides the environment."""

from pathlib import Path
from typing import Any

from etl.config.secret_files import ReadFailure, is_secret, read_env_file, secret_from_file
from etl.config.setting_names import find_misspelled
from etl.config.settings import CREDENTIALS, Settings
from etl.errors import SettingsError


def load_agency_settings(folder: Path) -> Settings:
    """Return the settings of the agency whose `.env` is in the folder; the folder's name is the default tenant.

    Credentials are never read from the environment, which may hold those of another agency. Raises SettingsError.
    """
    if not (folder / ".env").is_file():
        raise SettingsError(f"The agency {folder.name} does not exist: {folder / '.env'} is missing.")
    dotenv = read_env_file(folder / ".env")
    if problems := list(find_misspelled(Settings.variables(), (), dotenv)):
        raise SettingsError(f"{folder / '.env'}: {' '.join(problems)}")
    overrides: dict[str, Any] = {"etl_tenant": folder.name} | {name.lower(): "" for name in CREDENTIALS}
    for name, field in Settings.model_fields.items():
        value: str | ReadFailure | None = dotenv.get(name.upper())
        if is_secret(field):
            value = secret_from_file(name.upper(), dotenv, {}) or value
        if value:
            overrides[name] = value
    return Settings.load(**overrides)
