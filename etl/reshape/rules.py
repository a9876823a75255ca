"""The version of the cleaning rules: it changes when a rule, a declaration or a setting of cleaning changes."""

import hashlib
from functools import cache
from pathlib import Path

import etl
from etl.config.settings import Settings

#: What decides what becomes of a raw record: the kinds, the models, the catalogue, the reshaping.
ROOMS = ("values", "models", "reshape", "resources.py", "catalogue.py")


def rules_version(settings: Settings) -> str:
    """Return the version of today's rules: raw rows that other rules loaded are taken again."""
    return digest(settings.etl_validation, settings.etl_api_timezone)


@cache
def digest(*settings: str) -> str:
    """Return the digest of the sources of the rules and of the settings that bear on them."""
    found = hashlib.blake2b("\x1f".join(settings).encode(), digest_size=8)
    root = Path(etl.__file__).parent
    for room in ROOMS:
        place = root / room
        for file in sorted(place.rglob("*.py")) if place.is_dir() else [place]:
            found.update(file.read_bytes())
    return found.hexdigest()
