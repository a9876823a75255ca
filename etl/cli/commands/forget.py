"""`qqetl forget`: one person erased everywhere, kept from coming back, with an audit row."""

import getpass
from dataclasses import asdict
from typing import Annotated

import typer

from etl.cli.session import working
from etl.cli.ui.format import counted, number
from etl.cli.ui.options import AsJson, Embedded, Yes, command_app, examples, sure
from etl.cli.ui.terminal import out, show, show_json, table
from etl.pipeline.forget import Forgot, forget

app = command_app()

Contact = Annotated[str, typer.Argument(metavar="CONTACT", help="The contact's id in QQCatalyst: contacts.source_id.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only tell how many rows it would take.")]


@app.command(epilog=examples("qqetl forget 41207 --dry-run", "qqetl forget 41207"))
def command(
    contact: Contact,
    *,
    dry_run: DryRun = False,
    yes: Yes = False,
    embedded: Embedded = False,
    as_json: AsJson = False,
) -> None:
    """Erase one person from production, staging, findings and request facts, for good.

    Policies, premiums and claims stay without what names the person. Later reads leave the person out.
    """
    with working(embedded=embedded) as work:
        if not dry_run:
            sure(f"This erases contact {contact} in {work.tenant!r}, and cannot be undone. Go on?", yes=yes)
        done = forget(work.engine, work.settings, contact, actor=user(), dry=dry_run)
    if as_json:
        show_json(asdict(done))
    else:
        show_counts(done)


def user() -> str:
    """Return the user of the operating system, for the audit row."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container's user may have no name
        return "unknown"


def show_counts(done: Forgot) -> None:
    """Write how many rows were touched, table by table, and what is left to do elsewhere."""
    rows = [(name, number(count)) for name, count in done.counts.items()]
    out().print(table(("Table", "Rows"), rows, right=("Rows",)))
    show()
    total = counted(sum(done.counts.values()), "row")
    if not done.applied:
        show(f"{total} of contact {done.contact} would be deleted or emptied. Nothing was changed.")
        return
    show(f"Contact {done.contact} is forgotten: {total} deleted or emptied, with an entry in etl.audit.")
    show("Backups made before still hold the person; so does QQCatalyst itself.")
