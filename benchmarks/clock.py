"""One clock for the simulator, the runs and the statements of the ledger; it skips idle time."""

from datetime import UTC, datetime, timedelta

import psycopg
from psycopg import sql

#: Functions that shadow those of PostgreSQL for all connections to a database. The product sets the search path in each
#: transaction, which would hide them again.
INSTALL = """
    CREATE SCHEMA clock;
    CREATE TABLE clock.skipped (duration interval NOT NULL);
    INSERT INTO clock.skipped VALUES (interval '0');
    CREATE FUNCTION clock.now() RETURNS timestamptz STABLE LANGUAGE sql
        AS 'SELECT pg_catalog.now() + duration FROM clock.skipped';
    CREATE FUNCTION clock.clock_timestamp() RETURNS timestamptz VOLATILE LANGUAGE sql
        AS 'SELECT pg_catalog.clock_timestamp() + duration FROM clock.skipped';
    CREATE FUNCTION clock.set_config(name text, value text, is_local boolean) RETURNS text VOLATILE LANGUAGE sql
        AS $$SELECT pg_catalog.set_config(
            name, CASE name WHEN 'search_path' THEN 'clock, pg_catalog, public' ELSE value END, is_local
        )$$;
"""


class JumpingClock:
    """The real time and what was skipped. Use it after the migrations of a database, before connections to it."""

    def __init__(self, database: str) -> None:
        """Install the clock in a database."""
        self._database = database
        self.skipped = timedelta()
        with psycopg.connect(database, autocommit=True) as connection:
            connection.execute(INSTALL)
            name = sql.Identifier(connection.info.dbname)
            connection.execute(sql.SQL("ALTER DATABASE {} SET search_path = clock, pg_catalog, public").format(name))

    def now(self) -> datetime:
        """Return the time."""
        return datetime.now(UTC) + self.skipped

    def skip(self, duration: timedelta) -> None:
        """Skip time, for all connections."""
        self.skipped += duration
        with psycopg.connect(self._database, autocommit=True) as connection:
            connection.execute("UPDATE clock.skipped SET duration = %s", (self.skipped,))
