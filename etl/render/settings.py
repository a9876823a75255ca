"""The settings as documents: the sample `.env` and the reference table, rendered from the declarations."""

import re
from collections.abc import Iterator
from datetime import timedelta
from textwrap import wrap
from typing import Any

from pydantic.fields import FieldInfo

from etl.config.secret_files import is_secret
from etl.config.settings import Settings

_WIDTH = 100


def sample_env() -> str:
    """Return the text of `.env.example`: every setting with its meaning, its default commented out."""
    parts = [
        "# Settings of qqetl. Copy this file to .env and fill it in. Commented settings show their default, if any.",
        "# Any secret NAME can come from a file instead: NAME_FILE=/run/secrets/name",
        "# Values are literal: ${NAME} is not replaced. In URLs, encode special characters of a password (@ is %40).",
        "",
    ]
    for name, field in Settings.model_fields.items():
        parts += [f"# {line}" for line in wrap((field.description or "").replace("`", ""), _WIDTH)]
        parts += [f"{'' if name in _UNCOMMENTED else '# '}{name.upper()}={_sample_value(field)}", ""]
    return "\n".join(parts)


def settings_table() -> str:
    """Return the settings as a table in Markdown: variable, default, meaning."""
    rows = ["| variable | default | meaning |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        default = f"`{_format_default(field.default)}`" if field.default is not None else "unset"
        rows.append(f"| `{name.upper()}` | {default} | {' '.join(_meaning(field))} |")
    return "\n".join(rows)


_UNCOMMENTED = frozenset(
    name for name in Settings.model_fields if re.fullmatch(r"qqcatalyst_(client|user|pass).*", name)
)


def _meaning(field: FieldInfo) -> Iterator[str]:
    """Yield the meaning of a setting, its range, and whether it is secret."""
    yield field.description or ""
    bounds = {type(bound).__name__.lower(): bound for bound in field.metadata}
    low, high = (getattr(bounds.get(key), key, None) for key in ("ge", "le"))
    if low is not None:
        yield f"From {low} to {high}." if high is not None else f"{low} or more."
    if is_secret(field):
        yield "Secret: can come from a file."


def _sample_value(field: FieldInfo) -> str:
    """Return the value after the equals sign: the default, or an example."""
    if field.default is not None:
        return _format_default(field.default)
    return str(field.examples[0]) if field.examples else ""


def _format_default(value: Any) -> str:
    """Return a default as it is written in the environment."""
    if isinstance(value, timedelta):
        return "1 day" if value == timedelta(days=1) else f"{value.days} days"
    return f"{value:g}" if isinstance(value, float) else str(value)
