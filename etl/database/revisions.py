"""Which migrations there are, and at which one a database is: told without the library that carries them out."""

import re
from itertools import islice
from pathlib import Path

from sqlalchemy import Connection, Engine, text

import etl
from etl.database.sqlstate import database_errors
from etl.errors import DatabaseNotReady

#: Where Alembic finds the migrations, in an installed package as well as in a checkout.
SCRIPTS = Path(etl.__file__).parent / "alembic"

#: The two lines in which a migration says what it is called and which one it builds on.
HEADER = re.compile(r"""^(revision|down_revision)\b[^=\n]*=\s*(?:None|["'](.+?)["'])""", re.MULTILINE)


def revisions() -> dict[str, str | None]:
    """Return every revision that this version of the product knows, with the one that it builds on.

    Alembic knows them too, and loads itself and all of them to tell, which every command would wait for.
    """
    headers = (
        {line[1]: line[2] for line in islice(HEADER.finditer(script.read_text(encoding="utf-8")), 2)}
        for script in (SCRIPTS / "versions").glob("*.py")
    )
    return {one["revision"]: one["down_revision"] for one in headers}


def head_revision() -> str:
    """Return the newest revision that this version of the product knows."""
    parents = revisions()
    (newest,) = parents.keys() - set(parents.values())
    return newest


def current_revision(connection: Connection) -> str | None:
    """Return the revision that a database is at, None for one without our tables."""
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
        raise DatabaseNotReady("The database has no tables of ours yet. Run `qqetl db upgrade`.")
    if revision in revisions():
        raise DatabaseNotReady(f"The database is at migration {revision}, behind {head_revision()}. Run `qqetl db upgrade`.")
    raise DatabaseNotReady(
        f"The database is at migration {revision}, which this version does not know. "
        "A newer version was here: upgrade the program."
    )
