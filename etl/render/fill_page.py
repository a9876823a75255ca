"""Pages that are written by hand and have rendered parts: each between `<!-- name -->` and `<!-- / -->`."""

import re
from collections.abc import Mapping

PART = re.compile(r"(<!-- (\w+) -->).*?(<!-- / -->)", re.DOTALL)


def fill_page(page: str, parts: Mapping[str, str]) -> str:
    """Return a page with its parts as they are now; raise ValueError when it has other parts than these."""
    names = {match[2] for match in PART.finditer(page)}
    if names != set(parts):
        raise ValueError(f"The page has the parts {sorted(names)}, not {sorted(parts)}.")
    return PART.sub(lambda match: f"{match[1]}{frame(parts[match[2]])}{match[3]}", page)


def frame(part: str) -> str:
    """Return a part with what separates it: blank lines around several lines, nothing around a figure in a sentence."""
    return f"\n\n{part}\n\n" if "\n" in part else part
