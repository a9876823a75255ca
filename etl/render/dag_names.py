"""What Airflow has to know of the catalogue while it parses the DAGs, without importing it."""

from etl.dependencies import group_by_level
from etl.resources import CATALOGUE

HEAD = '''"""The resources, as Airflow knows them while it parses. Rendered by `python -m etl.render`."""
'''


def dag_names() -> str:
    """Return the module with the names of all resources, and of those that are read, wave by wave."""
    resources = "".join(f'    "{resource.name}",\n' for resource in CATALOGUE)
    read = "".join(f"    ({format_level(names)}),\n" for names in group_by_level())
    return f"{HEAD}\nRESOURCES = (\n{resources})\n\nWAVES = (\n{read})\n"


def format_level(names: list[str]) -> str:
    """Return the inside of a tuple, as the formatter writes it."""
    if len(names) == 1:
        return f'"{names[0]}",'
    return "\n" + "".join(f'        "{name}",\n' for name in names) + "    "
