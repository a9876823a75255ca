"""The choice of the database: DATABASE_URL, or else the embedded PostgreSQL."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from etl.config.settings import Settings, secret_text
from etl.database.embedded.server import EmbeddedPostgres, has_embedded
from etl.errors import SettingsError


@contextmanager
def resolve_database(
    settings: Settings | None = None,
    *,
    embedded: bool = False,
    create: bool = True,
    say: Callable[[str], None] | None = None,
) -> Iterator[str]:
    """Yield the URL of the database; the embedded server runs for the length of the block.

    `say` is called with a progress message when setting up or starting the embedded server takes long.

    Without DATABASE_URL the embedded PostgreSQL is used if it exists already, if standard error is a terminal, or if
    `embedded` is true. Raises SettingsError otherwise, so that the database is never chosen silently, and without
    `create` if it does not exist: what only reads creates nothing.
    """
    settings = settings or Settings.load()
    if settings.database_url is not None and not embedded:
        yield secret_text(settings.database_url)
        return
    if not create and not has_embedded(settings.etl_data_dir):
        raise SettingsError(
            "DATABASE_URL is not set, and there is no embedded PostgreSQL yet; this command creates none. Set "
            "DATABASE_URL to your database, or create an embedded one with `qqetl sync --embedded` or "
            "`qqetl db upgrade --embedded`."
        )
    if not (embedded or has_embedded(settings.etl_data_dir) or sys.stderr.isatty()):
        raise SettingsError(
            "DATABASE_URL is not set, and there is no embedded PostgreSQL yet. Set DATABASE_URL to your database, or "
            "create an embedded one with --embedded."
        )
    with EmbeddedPostgres(settings.etl_data_dir, say=say) as server:
        yield server.url
