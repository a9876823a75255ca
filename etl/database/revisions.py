"""The known migrations and the revision of a database, read without importing Alembic."""

import re
from itertools import islice
from pathlib import Path

from sqlalchemy import Connection, Engine, text

import etl
from etl.database.sqlstate import database_errors
from etl.errors import DatabaseNotReady

#: The folder of the migrations, in an installed package as well as in a checkout.
SCRIPTS = Path(etl.__file__).parent / "alembic"

#: The two lines with a migration's revision and its parent.
HEADER = re.compile(r"""^(revision|down_revision)\b[^=\n]*=\s*(?:None|["'](.+?)["'])""", re.MULTILINE)


def revisions() -> dict[str, str | None]:
    """Return every revision that this version knows, with its parent.

    Alembic could list them too, but it would import itself and all migrations, and every command would wait for that.
    """
    headers = (
        {line[1]: line[2] for line in islice(HEADER.finditer(script.read_text(encoding="utf-8")), 2)}
        for script in (SCRIPTS / "versions").glob("*.py")
    )
    return {header["revision"]: header["down_revision"] for header in headers}


def head_revision() -> str:
    """Return the newest revision that this version knows."""
    parents = revisions()
    (newest,) = parents.keys() - set(parents.values())
    return newest


def current_revision(connection: Connection) -> str | None:
    """Return the revision of a database, None for a database without our tables."""
    if connection.execute(text("SELECT to_regclass('etl.alembic_version')")).scalar_one() is None:
        return None
    return connection.execute(text("SELECT version_num FROM etl.alembic_version")).scalar_one_or_none()


def check_migrated(engine: Engine) -> None:
    """Raise DatabaseNotReady unless the database is at the newest migration."""
    with database_errors(), engine.connect() as connection:
        revision = current_revision(connection)
    if revision == head_revision():
        return
    if revision is None:
        raise DatabaseNotReady("The database has no tables of this program yet. Run `qqetl db upgrade`.")
    if revision in revisions():
        raise DatabaseNotReady(
            f"The database is at migration {revision}, not at the newest, {head_revision()}. Run `qqetl db upgrade`."
        )
    raise DatabaseNotReady(
        f"The database is at migration {revision}, which this version does not know. "
        "A newer version of the program upgraded it: upgrade this program."
    )
