"""Two roles for readers, with and without the right to personal data, and grants that outlive a migration."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, text

from etl.privacy.masking import SCHEMA

READER, MASKED = "qqcatalyst_reader", "qqcatalyst_masked"

#: What each role reads.
READS = {READER: "public", MASKED: SCHEMA}


class Grant(NamedTuple):
    """A right that somebody has on a view; the names are quoted for SQL."""

    view: str
    privilege: str
    grantee: str
    with_option: bool


def roles(owner: str) -> str:
    """Return the SQL that makes both roles and lets them read, now and after every migration by `owner`.

    It can be run again at any time.
    """
    quoted = '"' + owner.replace('"', '""') + '"'
    return "\n".join(
        [
            "-- Run by a superuser, or a role with CREATEROLE that may act for the owner of the tables.",
            *(line for role, schema in READS.items() for line in ("", *for_role(role, schema, quoted))),
            "",
            "-- Then let people in, one by one:",
            f"--   GRANT {MASKED} TO somebody;",
        ]
    )


def for_role(role: str, schema: str, owner: str) -> Sequence[str]:
    """Return the lines of SQL for one role."""
    what = "all of production" if role == READER else "production with personal data masked, and nothing else"
    return (
        f"-- {role} reads {what}.",
        f"DO $$ BEGIN CREATE ROLE {role} NOLOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$;",
        f"GRANT USAGE ON SCHEMA {schema} TO {role};",
        f"GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {role};",
        f"ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA {schema} GRANT SELECT ON TABLES TO {role};",
    )


def grants(connection: Connection, views: Collection[str]) -> list[Grant]:
    """Return the rights on some views, besides those of their owners."""
    query = text("""
        SELECT named.view, right_.privilege_type, right_.is_grantable,
               CASE right_.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(right_.grantee)) END AS grantee
        FROM unnest(CAST(:views AS text[])) AS named (view)
        JOIN pg_class AS stored ON stored.oid = to_regclass(named.view)
        CROSS JOIN LATERAL aclexplode(stored.relacl) AS right_
        WHERE right_.grantee <> stored.relowner
        ORDER BY named.view, grantee, right_.privilege_type
    """)
    rows = connection.execute(query, {"views": list(views)})
    return [Grant(row.view, row.privilege_type, row.grantee, row.is_grantable) for row in rows]


def grant_again(connection: Connection, given: Sequence[Grant], views: Collection[str]) -> None:
    """Give rights back on those of the views that were made again."""
    for view, privilege, grantee, with_option in given:
        if view in views:
            option = " WITH GRANT OPTION" if with_option else ""
            connection.exec_driver_sql(f"GRANT {privilege} ON {view} TO {grantee}{option}")
