"""The rights that the database user needs, and the statements that grant the missing ones."""

from collections.abc import Iterator

from sqlalchemy import Connection, text

from etl.database.tables import names_in_public, our_tables
from etl.errors import DatabaseNotReady
from etl.queries import Queries

SQL = Queries(__file__)

#: The schemas that we own in addition to `public`.
MANAGED_SCHEMAS = ("etl", "raw", "history")
#: The schemas in which we create tables or views.
SCHEMAS = (*MANAGED_SCHEMAS, "masked", "public")

#: What we do with a table. A list of privileges in one call would ask for any of them.
TABLE_RIGHTS = ("SELECT", "INSERT", "UPDATE", "DELETE")

OBJECT_RIGHTS = {"TABLES": ", ".join(TABLE_RIGHTS), "SEQUENCES": "USAGE"}


def find_missing_grants(connection: Connection) -> list[str]:
    """Return the GRANT statements that the database user lacks; an owner or a superuser lacks none."""
    facts = connection.execute(SQL["user_and_database"]).one()
    stored = {row.name: row for row in connection.execute(SQL["schema_rights"], {"schemas": list(SCHEMAS)})}
    missing = list(database_rights(facts.may_create or stored.keys() >= set(SCHEMAS), facts.may_use_temporary_tables))
    grants = [f"GRANT {', '.join(missing)} ON DATABASE {facts.database} TO {facts.role};"] if missing else []
    grants += [
        f"GRANT USAGE, CREATE ON SCHEMA {schema.quoted} TO {facts.role};"
        for schema in stored.values()
        if not (schema.may_use and schema.may_create)
    ]
    rights = list(TABLE_RIGHTS)
    objects = connection.execute(SQL["lacking_in_schemas"], {"schemas": list(MANAGED_SCHEMAS), "rights": rights})
    grants += [
        f"GRANT {OBJECT_RIGHTS[row.kind]} ON ALL {row.kind} IN SCHEMA {row.schema} TO {facts.role};" for row in objects
    ]
    in_public = (
        connection.execute(SQL["lacking_in_public"], {"ours": names_in_public(our_tables()), "rights": rights})
        .scalars()
        .all()
    )
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
