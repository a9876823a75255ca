"""`qqetl resources`: the catalogue as a person reads it, and what the account is known to offer of it."""

from functools import partial
from typing import Any

from etl.catalogue import Resource
from etl.cli.session import prepared, working
from etl.cli.ui.errors import told
from etl.cli.ui.options import AsJson, Embedded, command_app, examples
from etl.cli.ui.terminal import out, say, show, show_json, table
from etl.config.settings import Settings
from etl.database.embedded.server import embedded_exists
from etl.errors import EtlError
from etl.resources import CATALOGUE
from etl.status.status import offers_of

app = command_app()

YES = {True: "yes", False: "no", None: ""}


@app.command(epilog=examples("qqetl resources", "qqetl resources --json"))
def command(*, embedded: Embedded = False, as_json: AsJson = False) -> None:
    """List every resource of the API: its call, the table it fills, whether it is proven, and offered to this account.

    An unproven resource is asked for as well; an account that does not have it loses nothing. Whether it does stands
    in the database; without one, that column stays empty.
    """
    offered = known_offers(prepared(), embedded=embedded)
    if as_json:
        show_json([for_programs(one, offered.get(one.name)) for one in CATALOGUE])
        return
    rows = [(one.name, YES[one.proven], YES[offered.get(one.name)], source(one)) for one in CATALOGUE]
    out().print(table(("Resource", "Proven", "Offered", "Call"), rows))
    show()
    show("Each fills the table of its name, unless → names another. {parent}: one call for each.")
    show("Proven: every account is known to have it. Offered: as this account last answered.")


def source(one: Resource) -> str:
    """Return the calls of a resource, or what it is made from, and the table it fills when that has another name."""
    calls = "\n".join(endpoint.path for endpoint in one.endpoints) or f"({way(one)})"
    fills = one.model.__tablename__
    return calls if fills == one.name else f"{calls} → {fills}"


def way(one: Resource) -> str:
    """Return how a resource is read, in a few words."""
    if not one.endpoints:
        return "from " + ", ".join(dict.fromkeys(derivation.resource for derivation in one.derived))
    if one.parent is not None:
        return f"per {one.parent.resource}"
    return "by date" if any(endpoint.dates for endpoint in one.endpoints) else "whole"


def known_offers(settings: Settings, *, embedded: bool) -> dict[str, bool]:
    """Return what the account is known to offer; nothing where there is no database to say."""
    if not (embedded or settings.database_url is not None or embedded_exists(settings.etl_data_dir)):
        return {}
    try:
        with working(embedded=embedded, settings=settings) as work:
            return work.read(partial(offers_of, tenant=work.tenant))
    except EtlError as error:
        say(f"What the account offers is not known: {told(error)}")
        return {}


def for_programs(one: Resource, offered: bool | None) -> dict[str, Any]:
    """Return one resource for JSON."""
    return {
        "resource": one.name,
        "table": one.model.__tablename__,
        "raw_table": f"raw.{one.raw_table}",
        "calls": [f"{endpoint.method} {endpoint.path}" for endpoint in one.endpoints],
        "read": way(one),
        "parent": one.parent.resource if one.parent else None,
        "made_from": list(dict.fromkeys(derivation.resource for derivation in one.derived)),
        "proven": one.proven,
        "offered": offered,
    }
