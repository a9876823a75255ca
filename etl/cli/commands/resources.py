"""`qqetl resources`: list all resources, and which of them the account offers."""

from dataclasses import asdict
from functools import partial
from typing import Any

from etl.catalogue.resource import Resource
from etl.cli.session import load_settings, open_session
from etl.cli.ui.errors import format_error
from etl.cli.ui.options import AsJson, Embedded, create_app, format_examples
from etl.cli.ui.terminal import build_table, print_json, print_line, print_notice, stdout
from etl.config.settings import Settings
from etl.database.embedded.server import has_embedded
from etl.errors import EtlError
from etl.resources import CATALOGUE
from etl.status.status import load_offers

app = create_app()

YES_NO = {True: "yes", False: "no", None: ""}


@app.command(epilog=format_examples("qqetl resources", "qqetl resources --json"))
def command(*, embedded: Embedded = False, as_json: AsJson = False) -> None:
    """List all resources: API calls, table, whether documented, and whether this account offers it.

    A sync also tries undocumented resources. Column Offered comes from the database, and is empty without one.
    """
    offered = read_offers(load_settings(), embedded=embedded)
    if as_json:
        print_json([resource_to_json(entry, offered.get(entry.name)) for entry in CATALOGUE])
        return
    rows = [
        (entry.name, YES_NO[entry.is_documented], YES_NO[offered.get(entry.name)], format_source(entry))
        for entry in CATALOGUE
    ]
    stdout().print(build_table(("Resource", "Documented", "Offered", "Call"), rows))
    print_line()
    print_line("A resource fills the table of the same name unless → names another. {parent}: one call per parent.")
    print_line("Documented: the vendor or an integrator shows path, envelope and id. Offered: by the last response.")


def format_source(resource: Resource) -> str:
    """Return the calls of a resource, or its sources, and its table if the name differs."""
    calls = "\n".join(endpoint.path for endpoint in resource.endpoints) or f"({describe_reading(resource)})"
    return calls if resource.table == resource.name else f"{calls} → {resource.table}"


def describe_reading(resource: Resource) -> str:
    """Return how a resource is read: `by date`, `whole`, or per parent."""
    if not resource.endpoints:
        return "from " + ", ".join(dict.fromkeys(derivation.resource for derivation in resource.derived))
    if resource.parent is not None:
        return f"per {resource.parent.resource}"
    return "by date" if any(endpoint.dates for endpoint in resource.endpoints) else "whole"


def read_offers(settings: Settings, *, embedded: bool) -> dict[str, bool]:
    """Return which resources the account offers, as far as is known; empty without a database."""
    if not (embedded or settings.database_url is not None or has_embedded(settings.etl_data_dir)):
        return {}
    try:
        with open_session(embedded=embedded, settings=settings) as session:
            return session.read(partial(load_offers, tenant=session.tenant))
    except EtlError as error:
        print_notice(f"Offered resources are unknown: {format_error(error)}")
        return {}


def resource_to_json(resource: Resource, offered: bool | None) -> dict[str, Any]:
    """Return one resource as JSON."""
    return {
        "resource": resource.name,
        "table": resource.table if resource.has_table else None,
        "raw_table": f"raw.{resource.raw_table}",
        "calls": [f"{endpoint.method} {endpoint.path}" for endpoint in resource.endpoints],
        "read": describe_reading(resource),
        "parent": resource.parent.resource if resource.parent else None,
        "made_from": list(dict.fromkeys(derivation.resource for derivation in resource.derived)),
        "proven": resource.is_documented,
        "documented": asdict(resource.facts),
        "access": resource.access,
        "offered": offered,
    }
