"""The rights that the database user needs, and the statements that grant the missing ones."""

from collections.abc import Iterator

from sqlalchemy import Connection, text

from etl.database.tables import names_in_public, our_tables
from etl.errors import DatabaseNotReady

#: The schemas that we own in addition to `public`.
MANAGED_SCHEMAS = ("etl", "raw", "history")
#: The schemas in which we create tables or views.
SCHEMAS = (*MANAGED_SCHEMAS, "masked", "public")

#: What we do with a table. A list of privileges in one call would ask for any of them.
TABLE_RIGHTS = ("SELECT", "INSERT", "UPDATE", "DELETE")

FACTS = text("""
    SELECT quote_ident(current_user) AS role, quote_ident(current_database()) AS database,
           has_database_privilege(current_database(), 'CREATE') AS may_create,
           has_database_privilege(current_database(), 'TEMPORARY') AS may_use_temporary_tables
""")
#: The schemas that exist, with what we may do in them.
SCHEMA_RIGHTS = text("""
    SELECT nspname AS name, quote_ident(nspname) AS quoted, has_schema_privilege(oid, 'USAGE') AS may_use,
           has_schema_privilege(oid, 'CREATE') AS may_create
    FROM pg_catalog.pg_namespace WHERE nspname = ANY(CAST(:schemas AS text[])) ORDER BY nspname
""")
#: Our tables in `public` that we do not own and may not change; others may have tables there too.
IN_PUBLIC = text("""
    SELECT format('%I.%I', space.nspname, stored.relname)
    FROM pg_catalog.pg_class AS stored JOIN pg_catalog.pg_namespace AS space ON space.oid = stored.relnamespace
    WHERE space.nspname = 'public' AND stored.relkind = 'r' AND stored.relname = ANY(CAST(:ours AS text[]))
      AND EXISTS (
          SELECT FROM unnest(CAST(:rights AS text[])) AS needed (right_)
          WHERE NOT has_table_privilege(stored.oid, right_)
      )
    ORDER BY stored.relname
""")
#: The tables and sequences of our own schemas that we do not own and may not change.
OBJECTS = text("""
    SELECT DISTINCT quote_ident(space.nspname) AS schema,
           CASE stored.relkind WHEN 'S' THEN 'SEQUENCES' ELSE 'TABLES' END AS kind
    FROM pg_catalog.pg_class AS stored JOIN pg_catalog.pg_namespace AS space ON space.oid = stored.relnamespace
    WHERE space.nspname = ANY(CAST(:schemas AS text[])) AND has_schema_privilege(space.oid, 'USAGE')
      AND (stored.relkind = 'r' AND EXISTS (
               SELECT FROM unnest(CAST(:rights AS text[])) AS needed (right_)
               WHERE NOT has_table_privilege(stored.oid, right_)
           )
           OR stored.relkind = 'S' AND NOT has_sequence_privilege(stored.oid, 'USAGE'))
    ORDER BY schema, kind
""")
OBJECT_RIGHTS = {"TABLES": ", ".join(TABLE_RIGHTS), "SEQUENCES": "USAGE"}


def find_missing_grants(connection: Connection) -> list[str]:
    """Return the GRANT statements that the database user lacks; an owner or a superuser lacks none."""
    facts = connection.execute(FACTS).one()
    stored = {row.name: row for row in connection.execute(SCHEMA_RIGHTS, {"schemas": list(SCHEMAS)})}
    missing = list(database_rights(facts.may_create or stored.keys() >= set(SCHEMAS), facts.may_use_temporary_tables))
    grants = [f"GRANT {', '.join(missing)} ON DATABASE {facts.database} TO {facts.role};"] if missing else []
    grants += [
        f"GRANT USAGE, CREATE ON SCHEMA {schema.quoted} TO {facts.role};"
        for schema in stored.values()
        if not (schema.may_use and schema.may_create)
    ]
    rights = list(TABLE_RIGHTS)
    objects = connection.execute(OBJECTS, {"schemas": list(MANAGED_SCHEMAS), "rights": rights})
    grants += [
        f"GRANT {OBJECT_RIGHTS[row.kind]} ON ALL {row.kind} IN SCHEMA {row.schema} TO {facts.role};" for row in objects
    ]
    in_public = connection.execute(IN_PUBLIC, {"ours": names_in_public(our_tables()), "rights": rights}).scalars().all()
    if in_public:
        grants.append(f"GRANT {', '.join(TABLE_RIGHTS)} ON {', '.join(in_public)} TO {facts.role};")
    return grants


def database_rights(may_create: bool, may_use_temporary_tables: bool) -> Iterator[str]:  # noqa: FBT001 (two facts)
    """Yield the missing rights on the database."""
    if not may_create:
        yield "CREATE"
    if not may_use_temporary_tables:
        yield "TEMPORARY"


def check_rights(connection: Connection) -> None:
    """Raise DatabaseNotReady with the statements to run, unless the database user has all rights that it needs."""
    if grants := find_missing_grants(connection):
        raise DatabaseNotReady(
            "The database user lacks rights; nothing was changed. Let the owner of the database run: "
            f"{' '.join(grants)}"
        )


def create_schema(connection: Connection, name: str) -> None:
    """Create a schema that is missing; to create one that exists would need a right that may be missing."""
    if connection.execute(text("SELECT to_regnamespace(:name)"), {"name": name}).scalar() is None:
        connection.execute(text(f"CREATE SCHEMA {name}"))
