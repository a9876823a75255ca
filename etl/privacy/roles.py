"""Two reader roles, with and without access to personal data, and grants that survive a migration."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from sqlalchemy import Connection

from etl.privacy.masking import SCHEMA
from etl.queries import Queries

SQL = Queries(__file__)

READER_ROLE, MASKED_ROLE = "qqcatalyst_reader", "qqcatalyst_masked"

#: The schema that each role reads.
SCHEMA_BY_ROLE = {READER_ROLE: "public", MASKED_ROLE: SCHEMA}


class ViewGrant(NamedTuple):
    """A privilege on a view. The names are quoted for SQL."""

    view: str
    privilege: str
    grantee: str
    with_option: bool


def build_roles_sql(owner: str) -> str:
    """Build the SQL that creates both roles and grants them read access, now and after every migration by `owner`.

    The SQL can be run again at any time.
    """
    quoted = '"' + owner.replace('"', '""') + '"'
    return "\n".join(
        [
            "-- Run this as a superuser, or as a role with CREATEROLE that is a member of the owner of the tables.",
            *(
                line
                for role, schema in SCHEMA_BY_ROLE.items()
                for line in ("", *build_role_lines(role, schema, quoted))
            ),
            "",
            "-- Then grant a role to each user:",
            f"--   GRANT {MASKED_ROLE} TO user_name;",
        ]
    )


def build_role_lines(role: str, schema: str, owner: str) -> Sequence[str]:
    """Build the lines of SQL for one role."""
    scope = "all production tables" if role == READER_ROLE else "only production views with masked personal data"
    return (
        f"-- {role} reads {scope}.",
        f"DO $$ BEGIN CREATE ROLE {role} NOLOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$;",
        f"GRANT USAGE ON SCHEMA {schema} TO {role};",
        f"GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {role};",
        f"ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA {schema} GRANT SELECT ON TABLES TO {role};",
    )


def read_grants(connection: Connection, views: Collection[str]) -> list[ViewGrant]:
    """Return the privileges on views, except the privileges of their owners."""
    rows = connection.execute(SQL["grants_on_views"], {"views": list(views)})
    return [ViewGrant(row.view, row.privilege_type, row.grantee, row.is_grantable) for row in rows]


def restore_grants(connection: Connection, grants: Sequence[ViewGrant], views: Collection[str]) -> None:
    """Restore privileges on the views that were created again."""
    for view, privilege, grantee, with_option in grants:
        if view in views:
            option = " WITH GRANT OPTION" if with_option else ""
            connection.exec_driver_sql(f"GRANT {privilege} ON {view} TO {grantee}{option}")
