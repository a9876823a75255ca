"""The stored list of public names: one file a category, one name a line, and what a difference from it says."""

import os
from collections.abc import Iterable
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "declarations/public_names"
ACCEPT = "TEST_ACCEPT_PUBLIC_NAMES"
TESTS = "tests/declarations/test_public_names.py tests/acceptance/test_public_names_written.py"


def stored(category: str) -> set[str]:
    """Return the names of a category as they are stored."""
    file = FOLDER / f"{category}.txt"
    return set(file.read_text().splitlines()) if file.exists() else set()


def compared(category: str, current: Iterable[str]) -> list[str]:
    """Return what differs from the stored names of a category, as text; store the names found where that is wanted."""
    names = set(current)
    if os.environ.get(ACCEPT) == "1":
        FOLDER.mkdir(exist_ok=True)
        (FOLDER / f"{category}.txt").write_text("".join(f"{name}\n" for name in sorted(names)))
    known = stored(category)
    gone = [f"{category}: the public name `{name}` disappeared." for name in sorted(known - names)]
    new = [f"{category}: the name `{name}` is new." for name in sorted(names - known)]
    return gone + new


def assert_kept(categories: dict[str, Iterable[str]]) -> None:
    """Fail with every name, of all categories given, that disappeared or is new."""
    differences = [words for category, names in categories.items() for words in compared(category, names)]
    cure = f"Where this is meant: {ACCEPT}=1 ./run test {TESTS}, and look at the diff of {FOLDER.name}."
    assert not differences, "\n".join([*differences, cure])
