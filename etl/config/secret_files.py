"""Secrets that come as files: `NAME_FILE` names the file that holds what `NAME` would."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dotenv import dotenv_values
from pydantic.fields import FieldInfo
from pydantic_settings import PydanticBaseSettingsSource

LARGEST = 65_536

Environment = Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class Fault:
    """Stands in a setting's place when it could not even be read; validation reports it with all others."""

    reason: str


class SecretFiles(PydanticBaseSettingsSource):
    """Reads the secrets whose `NAME_FILE` the environment or the `.env` file names."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:  # noqa: ARG002 (the base's)
        """Return nothing: all fields are read at once."""
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        """Return the content of each named file, or the Fault of reading it, by field name."""
        dotenv = next((source for source in _dotenv(self.settings_cls)), {})
        secrets = [name for name, field in self.settings_cls.model_fields.items() if is_secret(field)]
        found = {name: secret_from_file(name.upper(), os.environ, dotenv) for name in secrets}
        return {name: value for name, value in found.items() if value is not None}


def is_secret(field: FieldInfo) -> bool:
    """Tell whether a setting is a secret, which may come as a file."""
    return "SecretStr" in str(field.annotation)


def secret_from_file(name: str, environment: Environment, dotenv: Environment) -> str | Fault | None:
    """Return what the file holds that `<name>_FILE` names, a Fault, or None when the secret does not come as a file.

    The environment outranks the `.env` file; one place that gives both forms is a fault, since one would be ignored.
    """
    for place in (environment, dotenv):
        direct, path = place.get(name), place.get(f"{name}_FILE")
        if direct and path:
            return Fault(f"is given twice, as {name} and as {name}_FILE; keep one")
        if direct:
            return None
        if path:
            return read_secret(Path(path).expanduser(), name)
    return None


def read_secret(path: Path, name: str) -> str | Fault:
    """Return the text of a secret's file without its last line break, or the Fault of the file."""
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
        text = content.decode("utf-8-sig").rstrip("\r\n")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is not a UTF-8 text"
        return Fault(f"cannot be read from the file that {name}_FILE names: {reason}")
    if not text or len(content) > LARGEST:
        return Fault(f"cannot be read from the file that {name}_FILE names: it is {'too large' if text else 'empty'}")
    return text


def _dotenv(settings_cls: Any) -> Iterable[Environment]:
    """Yield what the `.env` file of the working folder sets, with names in capitals."""
    path = settings_cls.model_config.get("env_file")
    if path and Path(path).is_file():
        yield {name.upper(): value for name, value in dotenv_values(path, encoding="utf-8").items()}
