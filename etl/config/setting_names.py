"""Misspelled names of settings, which would be ignored silently."""

from collections.abc import Collection, Iterable, Iterator
from difflib import get_close_matches

_PREFIXES = ("ETL_", "QQCATALYST_")
#: How similar a name must be to a setting where another program may have such names: with these prefixes in the
#: environment, without them in a `.env` file, where moreover the setting must be absent.
_SIMILARITY = 0.8


def find_misspelled(setting_names: Collection[str], environment: Iterable[str], file: Collection[str]) -> Iterator[str]:
    """Yield what is wrong with each name that looks like a setting but is not one; `file` holds those of `.env`."""
    names = {*environment, *file}
    absent = {name for name in setting_names if name not in names and not name.startswith(_PREFIXES)}
    for name in sorted(names - set(setting_names)):
        nearest: list[str] = []
        if name.startswith(_PREFIXES):
            nearest = get_close_matches(name, setting_names, n=1, cutoff=0.0 if name in file else _SIMILARITY)
        elif name in file:
            nearest = get_close_matches(name, absent, n=1, cutoff=_SIMILARITY)
        if nearest:
            yield f"{name} is not a setting; did you mean {nearest[0]}?"
