"""`qqetl db`: migrations, backup and move, and the life of the embedded server."""

from pathlib import Path
from typing import Annotated, Any

import typer

from etl.cli.session import address, on, prepared
from etl.cli.ui.format import counted
from etl.cli.ui.options import Embedded, Yes, command_app, examples, sure
from etl.cli.ui.terminal import say, show
from etl.config.parsers import database_address
from etl.database import backup as backups
from etl.database import move as moving
from etl.database.connect import database_errors, target
from etl.database.embedded.paths import Home, home_of
from etl.database.embedded.server import embedded_exists, stop_now
from etl.database.embedded.server import remove as remove_embedded
from etl.database.migrate import differences, upgrade
from etl.database.revisions import check_migrated, current, head
from etl.errors import DatabaseNotReady, UsageError

app = command_app(
    help="The database: migrations, backup, move, and the embedded server.",
    no_args_is_help=True,
    epilog=examples(
        "qqetl db upgrade", "qqetl db backup book.dump", "qqetl db move postgresql://etl@db.example.com/book"
    ),
)
#: Differences that a message names.
NAMED = 5

BackupFile = Annotated[Path, typer.Argument(metavar="FILE", dir_okay=False, help="The backup.")]
Address = Annotated[
    str,
    typer.Argument(
        metavar="URL",
        help="The new database. Leave the password out and keep it in ~/.pgpass or PGPASSWORD: others see it here.",
    ),
]
WithPassword = Annotated[bool, typer.Option("--password", help="With the password, for a program to connect with.")]


@app.command("upgrade", epilog=examples("qqetl db upgrade"))
def upgrade_command(*, embedded: Embedded = False) -> None:
    """Bring the database to the newest migration; one that is there already stays as it is."""
    settings = prepared()
    with address(settings, embedded=embedded) as url, on(settings, url) as work:
        with database_errors(), work.engine.connect() as connection:
            before = current(connection)
        upgrade(url)
    now = head()
    show(f"At migration {now} already." if before == now else f"Migrated from {before or 'nothing'} to {now}.")


@app.command(epilog=examples("qqetl db check"))
def check(*, embedded: Embedded = False) -> None:
    """Check that the database is at the newest migration and has exactly the tables that the program declares.

    Exit status 4 when it is not so.
    """
    settings = prepared()
    with address(settings, embedded=embedded) as url, on(settings, url) as work:
        check_migrated(work.engine)
        with database_errors(), work.engine.connect() as connection:
            found = differences(connection)
    if found:
        more = f" and {len(found) - NAMED} more" if len(found) > NAMED else ""
        raise DatabaseNotReady(
            f"The database differs from what the program declares: {'; '.join(map(words, found[:NAMED]))}{more}. "
            "Somebody changed its tables by hand: undo that, or restore a backup."
        )
    show(f"At migration {head()}, and every table is as declared.")


def words(difference: Any) -> str:
    """Return a difference in a few words: what would be done, and to what."""
    if isinstance(difference, list):
        return words(difference[0])
    named = [part if isinstance(part, str) else getattr(part, "name", None) for part in difference[1:4]]
    return " ".join([difference[0].replace("_", " "), ".".join(name for name in named if name)])


@app.command(epilog=examples("qqetl db roles > roles.sql", "qqetl db roles | psql $DATABASE_URL"))
def roles(*, embedded: Embedded = False) -> None:
    """Print the SQL for two roles of readers: with the right to personal data, and without it.

    Nothing is changed. The grants last over migrations by the user that this database is connected to with.
    """
    from sqlalchemy import text

    from etl.privacy.roles import roles as sql_of_roles

    settings = prepared()
    with address(settings, embedded=embedded) as url, on(settings, url) as work:
        check_migrated(work.engine)
        with database_errors(), work.engine.connect() as connection:
            owner = connection.execute(text("SELECT current_user")).scalar_one()
    show(sql_of_roles(owner))


@app.command(epilog=examples("qqetl db backup book.dump"))
def backup(file: BackupFile, *, embedded: Embedded = False) -> None:
    """Write the whole database into one file, which only its owner can read."""
    with address(prepared(), embedded=embedded) as url:
        backups.backup(url, file)
    show(f"Backed up to {file} ({file.stat().st_size / 1e6:,.1f} MB).")


@app.command(epilog=examples("qqetl db restore book.dump"))
def restore(file: BackupFile, *, yes: Yes = False, embedded: Embedded = False) -> None:
    """Replace the database's tables by those of a backup: all of them, or nothing."""
    if not file.is_file():
        raise UsageError(f"There is no backup file {file}.")
    with address(prepared(), embedded=embedded) as url:
        sure(f"This replaces all our tables in {target(url)} by those of {file}. Go on?", yes=yes)
        backups.restore(url, file)
    show(f"Restored from {file}.")


@app.command(epilog=examples("qqetl db move postgresql://etl@db.example.com/book"))
def move(url: Address, *, embedded: Embedded = False) -> None:
    """Copy every row into another database, which gets the tables and must be empty; this one stays as it is."""
    settings = prepared()
    try:
        there = database_address(url)
    except ValueError as error:
        raise UsageError(f"URL {error}.") from None
    with address(settings, embedded=embedded) as here, on(settings, here) as work:
        check_migrated(work.engine)
        upgrade(there)
        say(f"Moving to {target(there)} ...")
        moved = moving.move(here, there)
    show(f"{counted(moved, 'row')} moved to {target(there)}. Set DATABASE_URL to it from now on.")


@app.command(epilog=examples("qqetl db stop"))
def stop() -> None:
    """Stop the embedded server, though others may use it; its data stay."""
    stopped = stop_now(prepared().etl_data_dir)
    show("The embedded server has stopped." if stopped else "The embedded server was not running.")


@app.command(epilog=examples("qqetl db remove --yes"))
def remove(*, yes: Yes = False) -> None:
    """Stop the embedded server and delete all its data."""
    settings = prepared()
    home = existing(settings.etl_data_dir)
    sure(f"This deletes the embedded database in {home.folder} with all its data. Go on?", yes=yes)
    remove_embedded(settings.etl_data_dir)
    show(f"The embedded database in {home.folder} is gone.")


@app.command(epilog=examples("qqetl db url", 'psql "$(qqetl db url --password)"'))
def url(*, password: WithPassword = False) -> None:
    """Print the address of the embedded server; it runs while a command uses it."""
    home = existing(prepared().etl_data_dir)
    show(home.url() if password else target(home.url()))


def existing(data_dir: Path | None) -> Home:
    """Return the home of the embedded server; raise UsageError when there is none."""
    home = home_of(data_dir)
    if not embedded_exists(data_dir):
        raise UsageError(f"There is no embedded database in {home.folder}. `qqetl db upgrade --embedded` makes one.")
    return home
