"""What of a database is ours: the entries of a backup that a restore replaces, and the privileges on them."""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import NamedTuple

from psycopg import Connection

from etl.database.rights import MANAGED_SCHEMAS

#: The schemas in which everything is ours.
OWN_SCHEMAS = (*MANAGED_SCHEMAS, "masked")
#: The prefix of the views of `public`.
VIEW_PREFIX = "v_"

#: An entry in the list of a backup: number, two ids, kind, schema, name and owner. A part of a table (a constraint, a
#: trigger) has the name of the table first.
_ENTRY = re.compile(r"(?P<number>\d+); \d+ \d+ (?P<kind>[A-Z][A-Z ]*[A-Z]) (?P<schema>\S+) (?P<name>\S+)")
_KINDS = frozenset(
    {"TABLE", "TABLE DATA", "VIEW", "CONSTRAINT", "FK CONSTRAINT", "CHECK CONSTRAINT", "DEFAULT", "TRIGGER"}
)
_INDEX_PREFIXES = ("ix", "uq", "pk")


class Privilege(NamedTuple):
    """A privilege on one of our relations. The names are quoted for SQL."""

    relation: str
    right: str
    grantee: str
    with_option: bool


def select_entries(listing: str, our_tables: Collection[str]) -> Iterator[str]:
    """Yield the lines of a backup's list that are ours; schemas and privileges are not replaced."""
    names = {name.removeprefix("public.") for name in our_tables if name.startswith("public.")}
    for line in listing.splitlines():
        entry = _ENTRY.match(line)
        if entry is not None and is_our_entry(entry["kind"], entry["schema"], entry["name"], names):
            yield line


def is_our_entry(kind: str, schema: str, name: str, our_names: Collection[str]) -> bool:
    """Return whether an entry of a backup's list is ours; `our_names` are those of our tables in `public`."""
    if schema in OWN_SCHEMAS:
        return kind not in {"ACL", "DEFAULT ACL"}
    if schema != "public":
        return False
    if kind == "INDEX":
        return any(name.startswith(f"{prefix}_{table}") for prefix in _INDEX_PREFIXES for table in our_names)
    if kind.startswith("SEQUENCE"):
        return any(name.startswith(f"{table}_") for table in our_names)
    return kind in _KINDS and (name in our_names or (kind == "VIEW" and name.startswith(VIEW_PREFIX)))


#: The relations of others in `public`, which a backup leaves out.
_OF_OTHERS = """
    SELECT format('%%I.%%I', 'public', relname) FROM pg_catalog.pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v', 'm', 'f', 'p')
      AND NOT relname = ANY(%(ours)s) AND NOT (relkind = 'v' AND starts_with(relname, 'v_'))
"""
_PRIVILEGES = """
    SELECT format('%%I.%%I', space.nspname, stored.relname), granted.privilege_type,
           CASE granted.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(granted.grantee)) END,
           granted.is_grantable
    FROM pg_catalog.pg_class AS stored JOIN pg_catalog.pg_namespace AS space ON space.oid = stored.relnamespace
    CROSS JOIN LATERAL aclexplode(stored.relacl) AS granted
    WHERE granted.grantee <> stored.relowner AND stored.relkind IN ('r', 'v', 'S')
      AND (space.nspname = ANY(%(schemas)s)
           OR space.nspname = 'public' AND (stored.relname = ANY(%(ours)s) OR starts_with(stored.relname, 'v_')))
    ORDER BY 1, 3, 2
"""


def find_relations_of_others(connection: Connection[tuple[object, ...]], our_tables: Iterable[str]) -> list[str]:
    """Return the tables and views of others in `public`, quoted."""
    return [str(row[0]) for row in connection.execute(_OF_OTHERS, {"ours": names_in_public(our_tables)})]


def read_privileges(connection: Connection[tuple[object, ...]], our_tables: Iterable[str]) -> list[Privilege]:
    """Return the privileges of others on our tables and views."""
    bound = {"ours": names_in_public(our_tables), "schemas": list(OWN_SCHEMAS)}
    rows = connection.execute(_PRIVILEGES, bound)
    return [Privilege(str(row[0]), str(row[1]), str(row[2]), bool(row[3])) for row in rows]


def give_back_statements(privileges: Sequence[Privilege], existing: Collection[str]) -> Iterator[str]:
    """Yield the statements that give back privileges on the relations that exist."""
    for relation, right, grantee, with_option in privileges:
        if relation in existing:
            yield f"GRANT {right} ON {relation} TO {grantee}{' WITH GRANT OPTION' if with_option else ''}"


def names_in_public(our_tables: Iterable[str]) -> list[str]:
    """Return the names of our tables in `public`, without the schema."""
    return [name.removeprefix("public.") for name in our_tables if name.startswith("public.")]
