"""Writes the rendered pages to the checkout: `python -m etl.render`."""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from etl.render.api_facts import resource_table
from etl.render.checks import checks_page
from etl.render.dag_names import dag_names
from etl.render.dictionary import data_dictionary
from etl.render.fill_page import fill_page
from etl.render.kinds import kinds_page
from etl.render.settings import sample_env, settings_table
from etl.render.sizing import sizing_parts

ROOT = Path(__file__).parents[2]

API_FACTS = "docs/reference/api-facts.md"
SIZING = "docs/explanation/sizing.md"

SETTINGS_HEAD = """# Settings

Rendered from the declarations by `python -m etl.render`. Settings are read from the environment and from the file
`.env` in the working directory.

"""


def settings_page() -> str:
    """Return the reference page of all settings."""
    return SETTINGS_HEAD + settings_table()


def api_facts_page() -> str:
    """Return the page of API facts: the text as it is in the checkout, with its table rendered."""
    return fill_page((ROOT / API_FACTS).read_text(), {"resources": resource_table()})


def sizing_page() -> str:
    """Return the page on sizing: the text as it is in the checkout, with its tables and figures rendered."""
    return fill_page((ROOT / SIZING).read_text(), sizing_parts())


#: Every rendered file, by its path in the checkout.
PAGES: Mapping[str, Callable[[], str]] = {
    ".env.example": sample_env,
    "etl/dags/names.py": dag_names,
    SIZING: sizing_page,
    API_FACTS: api_facts_page,
    "docs/reference/checks.md": checks_page,
    "docs/reference/data-dictionary.md": data_dictionary,
    "docs/reference/kinds.md": kinds_page,
    "docs/reference/settings.md": settings_page,
}


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
