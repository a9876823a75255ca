"""`qqetl forget`: erase one person everywhere, and keep the person from being imported again."""

import getpass
from typing import Annotated

import typer

from etl.cli.session import open_session
from etl.cli.ui.options import AsJson, Embedded, Yes, confirm, create_app, format_examples
from etl.cli.ui.terminal import build_table, print_json, print_line, stdout
from etl.pipeline.erase.forget import ForgetResult, forget
from etl.status.format import format_count, format_number

app = create_app()

Contact = Annotated[str, typer.Argument(metavar="CONTACT", help="The contact's id in QQCatalyst: contacts.source_id.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show how many rows would change; change nothing.")]


@app.command(epilog=format_examples("qqetl forget 41207 --dry-run", "qqetl forget 41207"))
def command(
    contact: Contact,
    *,
    dry_run: DryRun = False,
    yes: Yes = False,
    embedded: Embedded = False,
    as_json: AsJson = False,
) -> None:
    """Erase one person permanently from production, staging, findings and request facts.

    Policies, premiums and claims are kept without the personal data. Later syncs skip the person.
    """
    with open_session(embedded=embedded) as session:
        if not dry_run:
            confirm(f"This permanently erases contact {contact} of account {session.tenant!r}. Continue?", yes=yes)
        result = forget(session.engine, session.settings, contact, actor=get_user(), dry=dry_run)
    if as_json:
        print_json(result)
    else:
        show_counts(result)


def get_user() -> str:
    """Return the operating system user, for the audit row."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container's user may have no name
        return "unknown"


def show_counts(result: ForgetResult) -> None:
    """Print the number of rows per table, and what is left to do elsewhere."""
    rows = [(name, format_number(count)) for name, count in result.counts.items()]
    stdout().print(build_table(("Table", "Rows"), rows, numeric=("Rows",)))
    print_line()
    total = format_count(sum(result.counts.values()), "row")
    if not result.applied:
        print_line(f"{total} of contact {result.contact} would be deleted or cleared. Nothing was changed.")
        return
    print_line(f"Erased contact {result.contact}: {total} deleted or cleared, logged in etl.audit.")
    print_line("Older backups and QQCatalyst itself still contain the person.")
