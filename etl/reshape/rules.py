"""The versions of the rules of cleaning and reading: a rule, a declaration or a setting that changes changes them."""

import hashlib
from functools import cache
from pathlib import Path

import etl
from etl.config.settings import Settings

#: What decides what becomes of a raw record: the kinds, the models, the catalogue, the reshaping.
CLEANING = ("values", "models", "reshape", "resources.py", "catalogue.py")
#: What decides what an item of an answer is as a raw record: its id, its times, its text without secrets.
READING = ("extract/protocol", "record.py", "values", "resources.py", "catalogue.py")


def rules_version(settings: Settings) -> str:
    """Return the version of today's rules: raw rows that other rules loaded are taken again."""
    return digest(CLEANING, settings.etl_validation, settings.etl_api_timezone)


def reading_rules() -> bytes:
    """Return the version of today's reading: a page that was read otherwise is another page."""
    return digest(READING).encode()


@cache
def digest(rooms: tuple[str, ...], *settings: str) -> str:
    """Return the digest of the sources of the rules and of the settings that bear on them."""
    found = hashlib.blake2b("\x1f".join(settings).encode(), digest_size=8)
    root = Path(etl.__file__).parent
    for room in rooms:
        place = root / room
        for file in sorted(place.rglob("*.py")) if place.is_dir() else [place]:
            found.update(file.read_bytes())
    return found.hexdigest()
