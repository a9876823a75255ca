"""Misspelled names of settings, which would be ignored silently."""

from collections.abc import Collection, Iterable, Iterator
from difflib import get_close_matches

_PREFIXES = ("ETL_", "QQCATALYST_")
#: How similar a name of the environment must be to a setting: another program may have names with these prefixes.
_SIMILARITY = 0.8


def find_misspelled(setting_names: Collection[str], environment: Iterable[str], file: Collection[str]) -> Iterator[str]:
    """Yield what is wrong with each name that looks like a setting but is not one; `file` holds those of `.env`."""
    for name in sorted({*environment, *file}):
        if name.startswith(_PREFIXES) and name not in setting_names:
            nearest = get_close_matches(name, setting_names, n=1, cutoff=0.0 if name in file else _SIMILARITY)
            if nearest:
                yield f"{name} is not a setting; did you mean {nearest[0]}?"
