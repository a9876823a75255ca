"""Secrets in files: `NAME_FILE` is the path of a file with the value of `NAME`."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dotenv import dotenv_values
from pydantic.fields import FieldInfo
from pydantic_settings import PydanticBaseSettingsSource

MAX_BYTES = 65_536

Environment = Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class ReadFailure:
    """The placeholder for a setting that could not be read; validation reports it with all other errors."""

    reason: str


class SecretFiles(PydanticBaseSettingsSource):
    """Reads the secrets whose `NAME_FILE` the environment or the `.env` file names."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:  # noqa: ARG002 (the base's)
        """Return no value: all fields are read at once."""
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        """Return the content of each named file, or the ReadFailure, by field name."""
        dotenv = next((source for source in read_dotenv(self.settings_cls)), {})
        secrets = [name for name, field in self.settings_cls.model_fields.items() if is_secret(field)]
        secrets_by_field = {name: secret_from_file(name.upper(), os.environ, dotenv) for name in secrets}
        return {name: value for name, value in secrets_by_field.items() if value is not None}


def is_secret(field: FieldInfo) -> bool:
    """Return whether a setting is a secret, which may be in a file."""
    return "SecretStr" in str(field.annotation)


def secret_from_file(name: str, environment: Environment, dotenv: Environment) -> str | ReadFailure | None:
    """Return the content of the file that `<name>_FILE` names, a ReadFailure, or None when the secret is not in a file.

    The environment overrides the `.env` file. A source with both forms is a ReadFailure: one would be ignored.
    """
    for source in (environment, dotenv):
        direct, path = source.get(name), source.get(f"{name}_FILE")
        if direct and path:
            return ReadFailure(f"is set twice, as {name} and as {name}_FILE; keep one")
        if direct:
            return None
        if path:
            return read_secret(Path(path).expanduser(), name)
    return None


def read_secret(path: Path, name: str) -> str | ReadFailure:
    """Return the text of a secret's file without its trailing line break, or a ReadFailure."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
        text = content.decode("utf-8-sig").rstrip("\r\n")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        return ReadFailure(f"cannot be read from the file that {name}_FILE names: {reason}")
    if not text or len(content) > MAX_BYTES:
        return ReadFailure(
            f"cannot be read from the file that {name}_FILE names: it is {'too large' if text else 'empty'}"
        )
    return text


def read_env_file(path: Path) -> dict[str, str | None]:
    """Return the variables of a `.env` file, names in upper case, values literally: `${HOME}` may be in a password."""
    variables = dotenv_values(path, encoding="utf-8", interpolate=False)
    return {name.upper(): value for name, value in variables.items()}


def read_dotenv(settings_cls: Any) -> Iterable[Environment]:
    """Yield the variables of the working folder's `.env` file, with names in upper case."""
    path = settings_cls.model_config.get("env_file")
    if path and Path(path).is_file():
        yield read_env_file(Path(path))
