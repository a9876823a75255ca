"""The sources of settings: the environment, a `.env` file and secret files; all errors are reported at once."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from pydantic import ValidationError, field_validator
from pydantic_settings import BaseSettings, DotEnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from etl.config.secret_files import ReadFailure, SecretFiles, is_secret, read_dotenv, read_env_file
from etl.config.setting_names import find_misspelled
from etl.errors import SettingsError


class LiteralFile(DotEnvSettingsSource):
    """The `.env` file with literal values; the library would replace `${NAME}` in a password."""

    def _read_env_file(self, file_path: Path) -> Mapping[str, str | None]:
        """Return the variables of the file, names in lower case, without empty values."""
        return {name.lower(): value for name, value in read_env_file(file_path).items() if value}


class EnvironmentSettings(BaseSettings):
    """Base class that reads the declared fields; each is named like its variable in lower case."""

    model_config = SettingsConfigDict(
        env_file=".env",
        env_file_encoding="utf-8",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
    )

    @classmethod
    def load(cls, **overrides: Any) -> Self:
        """Return the settings of the environment and the `.env` file; overrides that are not None replace both.

        Raises SettingsError with one line that names every invalid setting, but no values.
        """
        if unknown := overrides.keys() - cls.model_fields.keys():
            raise TypeError(f"No such setting: {', '.join(sorted(unknown))}.")
        try:
            in_file = {name for source in read_dotenv(cls) for name in source}
            problems = list(find_misspelled(cls.variables(), map(str.upper, os.environ), in_file))
            settings = cls(**{name: value for name, value in overrides.items() if value is not None})
        except ValidationError as error:
            raise SettingsError(" ".join((*problems, _format_errors(error)))) from None
        except (UnicodeDecodeError, OSError) as error:
            reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
            raise SettingsError(f"The file .env cannot be read: {reason}. Fix or remove it.") from None
        if problems:
            raise SettingsError(" ".join(problems))
        return settings

    @classmethod
    def variables(cls) -> frozenset[str]:
        """Return the names of all variables, with those of files that hold a secret."""
        names = {name.upper(): field for name, field in cls.model_fields.items()}
        return frozenset((*names, *(f"{name}_FILE" for name, field in names.items() if is_secret(field))))

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 (as above)
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 (the base class names it)
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return the sources of settings in order of precedence."""
        return init_settings, SecretFiles(settings_cls), env_settings, LiteralFile(settings_cls)

    @field_validator("*", mode="before")
    @classmethod
    def _reject_unreadable(cls, value: object) -> object:
        """Raise ValueError for a secret whose file could not be read."""
        if isinstance(value, ReadFailure):
            raise ValueError(value.reason)  # noqa: TRY004 (pydantic collects only ValueErrors)
        return value


def _format_errors(error: ValidationError) -> str:
    """Return one line that names every invalid setting and what it must be."""
    messages = []
    for detail in error.errors(include_url=False, include_input=False):
        name = ".".join(str(part) for part in detail["loc"][:1]).upper()
        message = (
            detail["msg"]
            .removeprefix("Value error, ")
            .replace("Input should be", "must be")
            .replace("Input should", "must")
        )
        message = message[:1].lower() + message[1:] if name else message
        messages.append(f"{name} {message}".strip())
    return "; ".join(messages) + "."
