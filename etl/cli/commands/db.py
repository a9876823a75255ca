"""`qqetl db`: migrations, backup, move, and the embedded server."""

from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from etl.cli.session import connect_session, load_settings, open_database
from etl.cli.ui.options import Embedded, Yes, confirm, create_app, format_examples
from etl.cli.ui.terminal import print_line, print_notice
from etl.config.parsers import check_database_url
from etl.database.connect import database_errors, display_url
from etl.database.embedded.paths import ServerPaths, server_paths
from etl.database.embedded.server import has_embedded, stop_server
from etl.database.embedded.server import remove_server as remove_embedded
from etl.database.migrate import schema_differences, upgrade
from etl.database.revisions import check_migrated, current_revision, head_revision
from etl.database.transfer import backup as backups
from etl.database.transfer import move as moving
from etl.errors import DatabaseNotReady, UsageError
from etl.status.format import format_count

app = create_app(
    help="Manage the database: migrations, backup, move, and the embedded server.",
    no_args_is_help=True,
    epilog=format_examples(
        "qqetl db upgrade", "qqetl db backup book.dump", "qqetl db move postgresql://etl@db.example.com/book"
    ),
)
#: Differences that a message lists.
MAX_DIFFERENCES = 5

BackupFile = Annotated[Path, typer.Argument(metavar="FILE", dir_okay=False, help="Backup file.")]
Address = Annotated[
    str,
    typer.Argument(
        metavar="URL",
        help="The new database. Keep the password in ~/.pgpass or PGPASSWORD: other users can see command lines.",
    ),
]
WithPassword = Annotated[bool, typer.Option("--password", help="Include the password, for programs that connect.")]


@app.command("upgrade", epilog=format_examples("qqetl db upgrade"))
def upgrade_command(*, embedded: Embedded = False) -> None:
    """Upgrade the database to the latest migration."""
    settings = load_settings()
    with open_database(settings, embedded=embedded, create=True) as url, connect_session(settings, url) as session:
        with database_errors(), session.engine.connect() as connection:
            before = current_revision(connection)
        holder = upgrade(url, report=partial(print_notice, style="dim"))
    now = head_revision()
    print_line(f"Already at migration {now}." if before == now else f"Migrated from {before or 'nothing'} to {now}.")
    if holder is not None:
        print_notice(
            f"A run is active ({holder}), so views and triggers were left as they are. If you have installed another "
            "version of this program, run `qqetl db upgrade` again when the run has ended."
        )


@app.command(epilog=format_examples("qqetl db check"))
def check(*, embedded: Embedded = False) -> None:
    """Check that the database is at the latest migration and that its tables match the program.

    Exits with status 4 if not.
    """
    settings = load_settings()
    with open_database(settings, embedded=embedded) as url, connect_session(settings, url) as session:
        check_migrated(session.engine)
        with database_errors(), session.engine.connect() as connection:
            changes = schema_differences(connection)
    if changes:
        more = f" and {len(changes) - MAX_DIFFERENCES} more" if len(changes) > MAX_DIFFERENCES else ""
        listed = "; ".join(map(describe_schema_difference, changes[:MAX_DIFFERENCES]))
        raise DatabaseNotReady(
            f"The tables of the database were changed outside of migrations: {listed}{more}. "
            "Undo the changes, or restore a backup."
        )
    print_line(f"At migration {head_revision()}; all tables match.")


def describe_schema_difference(difference: Any) -> str:
    """Return a difference as text: the operation, and the object."""
    if isinstance(difference, list):
        return describe_schema_difference(difference[0])
    names = [part if isinstance(part, str) else getattr(part, "name", None) for part in difference[1:4]]
    return " ".join([difference[0].replace("_", " "), ".".join(name for name in names if name)])


@app.command(epilog=format_examples("qqetl db roles > roles.sql", "qqetl db roles | psql $DATABASE_URL"))
def roles(*, embedded: Embedded = False) -> None:
    """Print the SQL that creates two read-only roles, one with and one without access to personal data.

    Nothing is changed. The grants survive migrations that run as the current database user.
    """
    from sqlalchemy import text

    from etl.privacy.roles import build_roles_sql as role_statements

    settings = load_settings()
    with open_database(settings, embedded=embedded) as url, connect_session(settings, url) as session:
        check_migrated(session.engine)
        with database_errors(), session.engine.connect() as connection:
            owner = connection.execute(text("SELECT current_user")).scalar_one()
    print_line(role_statements(owner))


@app.command(epilog=format_examples("qqetl db backup book.dump"))
def backup(file: BackupFile, *, yes: Yes = False, embedded: Embedded = False) -> None:
    """Back up all tables of this program to one file that only its owner can read."""
    if file.exists():
        confirm(f"{file} exists and would be replaced. Continue?", yes=yes)
    with open_database(load_settings(), embedded=embedded) as url:
        backups.backup(url, file)
    print_line(f"Backed up to {file} ({file.stat().st_size / 1e6:,.1f} MB).")


@app.command(epilog=format_examples("qqetl db restore book.dump"))
def restore(file: BackupFile, *, yes: Yes = False, embedded: Embedded = False) -> None:
    """Replace all tables by those of a backup, in one transaction."""
    if not file.is_file():
        raise UsageError(f"There is no backup file {file}.")
    with open_database(load_settings(), embedded=embedded, create=True) as url:
        confirm(f"This replaces all qqetl tables in {display_url(url)} with those of {file}. Continue?", yes=yes)
        backups.restore(url, file)
    print_line(f"Restored from {file}.")


@app.command(epilog=format_examples("qqetl db move postgresql://etl@db.example.com/book"))
def move(url: Address, *, embedded: Embedded = False) -> None:
    """Copy all rows to another, empty database; create its tables first. The current database does not change."""
    settings = load_settings()
    try:
        new_url = check_database_url(url)
    except ValueError as error:
        raise UsageError(f"URL {error}.") from None
    with open_database(settings, embedded=embedded) as old_url, connect_session(settings, old_url) as session:
        check_migrated(session.engine)
        upgrade(new_url, report=partial(print_notice, style="dim"))
        print_notice(f"Copying to {display_url(new_url)} ...")
        rows = moving.move_rows(old_url, new_url)
    print_line(f"{format_count(rows, 'row')} moved to {display_url(new_url)}. Set DATABASE_URL to the new database.")


@app.command(epilog=format_examples("qqetl db stop"))
def stop() -> None:
    """Stop the embedded server, even if other commands use it. Its data is kept."""
    stopped = stop_server(load_settings().etl_data_dir)
    print_line("The embedded server has stopped." if stopped else "The embedded server was not running.")


@app.command(epilog=format_examples("qqetl db remove --yes"))
def remove(*, yes: Yes = False) -> None:
    """Stop the embedded server and delete all its data."""
    settings = load_settings()
    paths = find_embedded(settings.etl_data_dir)
    confirm(f"This deletes the embedded database in {paths.folder} and all its data. Continue?", yes=yes)
    remove_embedded(settings.etl_data_dir)
    print_line(f"Removed the embedded database in {paths.folder}.")


@app.command(epilog=format_examples("qqetl db url", 'psql "$(qqetl db url --password)"'))
def url(*, password: WithPassword = False) -> None:
    """Print the URL of the embedded server, which runs while a command uses it."""
    paths = find_embedded(load_settings().etl_data_dir)
    print_line(paths.url() if password else display_url(paths.url()))


def find_embedded(data_dir: Path | None) -> ServerPaths:
    """Return the paths of the embedded server; raise UsageError if there is none."""
    paths = server_paths(data_dir)
    if not has_embedded(data_dir):
        raise UsageError(
            f"There is no embedded database in {paths.folder}. Create it with `qqetl db upgrade --embedded`."
        )
    return paths
