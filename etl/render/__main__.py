"""Writes the rendered pages to the checkout: `python -m etl.render`."""

import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from etl.render.api_facts import resource_table
from etl.render.checks import all_checks
from etl.render.dag_names import dag_names
from etl.render.dictionary import data_dictionary
from etl.render.fill_page import fill_page
from etl.render.kinds import describe_kinds
from etl.render.settings import sample_env, settings_table
from etl.render.sizing import sizing_parts

ROOT = Path(__file__).parents[2]

#: Every file that is rendered as a whole, by its path in the checkout.
FILES: Mapping[str, Callable[[], str]] = {".env.example": sample_env, "etl/dags/names.py": dag_names}
#: The rendered parts of each page, by their names.
PARTS: Mapping[str, Callable[[], Mapping[str, str]]] = {
    "docs/explanation/sizing.md": sizing_parts,
    "docs/reference/api-facts.md": lambda: {"resources": resource_table()},
    "docs/reference/checks.md": lambda: {"checks": all_checks()},
    "docs/reference/data-dictionary.md": lambda: {"tables": data_dictionary()},
    "docs/reference/kinds.md": lambda: {"kinds": describe_kinds()},
    "docs/reference/settings.md": lambda: {"settings": settings_table()},
}


def render_page(name: str) -> str:
    """Return a page: its text as it is in the checkout, with its parts rendered."""
    return fill_page((ROOT / name).read_text(), PARTS[name]())


#: Every rendered file.
PAGES: Mapping[str, Callable[[], str]] = {**FILES, **{name: partial(render_page, name) for name in PARTS}}


def write_pages(root: Path) -> list[str]:
    """Write every rendered page below `root`; return the paths of those that changed."""
    outdated = []
    for name, render in PAGES.items():
        path, page = root / name, render()
        if not path.is_file() or path.read_text() != page:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(page)
            outdated.append(name)
    return outdated


if __name__ == "__main__":
    sys.stdout.writelines(f"{name}\n" for name in write_pages(ROOT))
