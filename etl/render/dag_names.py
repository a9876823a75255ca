"""The resource names that the DAGs need while Airflow parses them, without importing the catalogue."""

from etl.dependencies import group_by_level
from etl.resources import CATALOGUE

HEAD = '''"""The resource names for parsing the DAGs. Rendered by `python -m etl.render`."""
'''


def dag_names() -> str:
    """Return the module with the names of all resources, and of those that are read, by dependency level."""
    resources = "".join(f'    "{resource.name}",\n' for resource in CATALOGUE)
    levels = "".join(f"    ({format_level(names)}),\n" for names in group_by_level())
    return f"{HEAD}\nRESOURCES = (\n{resources})\n\nLEVELS = (\n{levels})\n"


def format_level(names: list[str]) -> str:
    """Return the items of a tuple, formatted as by `ruff format`."""
    if len(names) == 1:
        return f'"{names[0]}",'
    return "\n" + "".join(f'        "{name}",\n' for name in names) + "    "
