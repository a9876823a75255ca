"""Which database a run uses: DATABASE_URL, else the embedded one. It is never chosen silently."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from etl.config.settings import Settings, secret_text
from etl.database.embedded.server import EmbeddedPostgres, embedded_exists
from etl.errors import SettingsError


@contextmanager
def resolve_database(settings: Settings | None = None, *, embedded: bool = False) -> Iterator[str]:
    """Give the address of the database for as long as the block runs; the embedded server runs as long.

    Without DATABASE_URL the embedded PostgreSQL is used where it exists already, where a person at a terminal can see
    what is printed, or where `embedded` asks for it. Raises SettingsError otherwise.
    """
    settings = settings or Settings.load()
    if settings.database_url is not None and not embedded:
        yield secret_text(settings.database_url)
        return
    if not (embedded or embedded_exists(settings.etl_data_dir) or sys.stderr.isatty()):
        raise SettingsError(
            "DATABASE_URL is not set, and there is no embedded PostgreSQL yet. Set DATABASE_URL to your database, or "
            "let one be made here with --embedded."
        )
    with EmbeddedPostgres(settings.etl_data_dir) as server:
        yield server.url
