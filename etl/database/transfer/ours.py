"""What of a database is ours: the entries of a backup that a restore replaces, and the privileges on them."""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import NamedTuple

from psycopg import Connection

from etl.database.rights import MANAGED_SCHEMAS
from etl.database.tables import names_in_public
from etl.queries import Queries

SQL = Queries(__file__)

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
    """A privilege on one of our relations, or on one of its columns. The names are quoted for SQL."""

    relation: str
    column: str | None
    right: str
    grantee: str
    with_option: bool


def select_entries(listing: str, our_tables: Collection[str]) -> Iterator[str]:
    """Yield the lines of a backup's list that are ours; schemas and privileges are not replaced."""
    ours = set(names_in_public(our_tables))
    entries = [(line, entry) for line in listing.splitlines() if (entry := _ENTRY.match(line)) is not None]
    tables = ours | {entry["name"] for _, entry in entries if (entry["kind"], entry["schema"]) == ("TABLE", "public")}
    for line, entry in entries:
        if is_our_entry(entry["kind"], entry["schema"], entry["name"], ours, tables):
            yield line


def is_our_entry(kind: str, schema: str, name: str, ours: Collection[str], tables: Collection[str]) -> bool:
    """Return whether an entry of a backup's list is ours; `ours` are those of the tables in `public`."""
    if schema in OWN_SCHEMAS:
        return kind not in {"ACL", "DEFAULT ACL"}
    if schema != "public":
        return False
    if kind == "INDEX":
        return find_table(name.partition("_")[2], tables) in ours and name.partition("_")[0] in _INDEX_PREFIXES
    if kind.startswith("SEQUENCE"):
        return find_table(name, tables) in ours
    return kind in _KINDS and (name in ours or (kind == "VIEW" and name.startswith(VIEW_PREFIX)))


def find_table(name: str, tables: Iterable[str]) -> str | None:
    """Return the table after which an index or a sequence is named: the list does not tell to which it belongs."""
    return max((table for table in tables if f"{name}_".startswith(f"{table}_")), key=len, default=None)


def find_relations_of_others(connection: Connection[tuple[object, ...]], our_tables: Iterable[str]) -> list[str]:
    """Return the tables and views of others in `public`, quoted."""
    return [
        str(row[0])
        for row in connection.execute(SQL["relations_of_others"].text, {"ours": names_in_public(our_tables)})
    ]


def read_privileges(connection: Connection[tuple[object, ...]], our_tables: Iterable[str]) -> list[Privilege]:
    """Return the privileges of others on our tables and views."""
    bound = {"ours": names_in_public(our_tables), "schemas": list(OWN_SCHEMAS)}
    rows = connection.execute(SQL["privileges"].text, bound)
    return [
        Privilege(str(relation), None if column is None else str(column), str(right), str(grantee), bool(with_option))
        for relation, column, right, grantee, with_option in rows
    ]


def give_back_privileges(connection: Connection[tuple[object, ...]], privileges: Sequence[Privilege]) -> None:
    """Grant privileges again, as far as the relations and columns still exist."""
    columns = {
        (str(relation), str(column)) for relation, column in connection.execute(SQL["relations_and_columns"].text)
    }
    relations = {relation for relation, _ in columns}
    for relation, column, right, grantee, with_option in privileges:
        if relation in relations if column is None else (relation, column) in columns:
            what = right if column is None else f"{right} ({column})"
            option = " WITH GRANT OPTION" if with_option else ""
            connection.execute(f"GRANT {what} ON {relation} TO {grantee}{option}".encode())
