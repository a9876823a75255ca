"""The resource names that the DAGs need while Airflow parses them, without importing the catalogue."""

from etl.dependencies import group_by_level
from etl.resources import CATALOGUE

HEAD = '''"""The resource names for parsing the DAGs. Rendered by `python -m etl.render`."""
'''
ALL = "RESOURCES = (*(name for level in LEVELS for name in level), *DERIVED)"


def dag_names() -> str:
    """Return the module with the names of the resources that are read, by dependency level, and of all others."""
    levels = group_by_level()
    read = {name for names in levels for name in names}
    derived = "".join(f'    "{resource.name}",\n' for resource in CATALOGUE if resource.name not in read)
    text = "".join(f"    ({format_level(names)}),\n" for names in levels)
    return f"{HEAD}\nLEVELS = (\n{text})\n\nDERIVED = (\n{derived})\n\n{ALL}\n"


def format_level(names: list[str]) -> str:
    """Return the items of a tuple, formatted as by `ruff format`."""
    if len(names) == 1:
        return f'"{names[0]}",'
    return "\n" + "".join(f'        "{name}",\n' for name in names) + "    "
