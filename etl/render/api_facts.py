"""The table of resources on the page of API facts: their calls and how well each fact about them is known."""

from collections.abc import Iterator
from dataclasses import astuple

from etl.catalogue.resource import Resource
from etl.resources import CATALOGUE

HEAD = "| resource | call | path | envelope | id | fields | access | documented |\n|---|---|---|---|---|---|---|---|"


def resource_table() -> str:
    """Return the table as the declarations say it."""
    return "\n".join([HEAD, *map(resource_row, CATALOGUE)])


def resource_row(resource: Resource) -> str:
    """Return the table row of one resource."""
    call = "; otherwise ".join(describe_sources(resource))
    documented = "yes" if resource.is_documented else "no"
    return f"| {' | '.join([resource.name, call, *astuple(resource.facts), resource.access, documented])} |"


def describe_sources(resource: Resource) -> Iterator[str]:
    """Yield where the records of a resource come from: its calls, then the resources that it is derived from."""
    if resource.endpoints:
        yield ", ".join(dict.fromkeys(f"`{endpoint.method} {endpoint.path}`" for endpoint in resource.endpoints))
    if resource.derived:
        yield f"derived from {', '.join(derivation.resource for derivation in resource.derived)}"
