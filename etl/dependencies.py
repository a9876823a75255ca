"""Dependency levels: the resources of one level can be read concurrently, after the level before. Pure."""

from graphlib import TopologicalSorter

from etl.catalogue.resource import Resource
from etl.models.base import PRIMARY
from etl.resources import BY_NAME, CATALOGUE, USEFUL, children_of, derived_from


def group_by_level() -> list[list[str]]:
    """Group the resources with endpoints by dependency level, in order of extraction; raise CycleError on a cycle."""
    sorter = TopologicalSorter({entry.name: find_prerequisites(entry) for entry in CATALOGUE if entry.endpoints})
    sorter.prepare()
    levels = []
    while ready := sorter.get_ready():
        levels.append([name for name in BY_NAME if name in ready])
        sorter.done(*ready)
    return levels


def find_prerequisites(resource: Resource) -> set[str]:
    """Return the resources that have to be read before this one.

    First what makes the database useful, one list after the other: each has all calls of the limit. Before details: all
    feeds and lists, since they deliver the parents and cost few calls. Otherwise the resources for which it is a
    fallback, the primary sources of its table, and the resources that fill a referenced table and are parents of
    others. Rows of other referenced tables are placeholders until their records arrive, which is correct in any order
    but costs a second write.
    """
    if resource.parent is not None:
        return {other.name for other in CATALOGUE if other.endpoints and other.parent is None}
    if resource.name in USEFUL:
        return set(USEFUL[: USEFUL.index(resource.name)])
    replaced = {derived.name for derived, derivation in derived_from(resource.name) if derivation.fallback}
    tables = {key.column.table.name for key in resource.model.__table__.foreign_keys}
    parent_sources = {other.name for other in CATALOGUE if is_parent_source(other) and other.table in tables}
    return {*USEFUL} | ((replaced | parent_sources | primary_sources(resource)) - find_later(resource))


def is_read_daily(resource: Resource) -> bool:
    """Return whether a resource is read once a day: a whole list, or what is derived from whole lists only."""
    sources = [BY_NAME[derivation.resource] for derivation in resource.derived]
    return resource.is_whole_list or (not resource.endpoints and all(map(is_read_daily, sources)))


def primary_sources(resource: Resource) -> set[str]:
    """Return the resources that deliver the rows to which a secondary source adds columns."""
    if resource.data_source == PRIMARY:
        return set()
    primary = [other for other in CATALOGUE if other.model is resource.model and other.data_source == PRIMARY]
    derived = {derivation.resource for other in primary for derivation in other.derived}
    return derived | {other.name for other in primary if other.endpoints}


def is_parent_source(resource: Resource) -> bool:
    """Return whether a resource has child resources and is the primary source of its table."""
    return bool(children_of(resource.name)) and resource.data_source == PRIMARY


def find_later(resource: Resource) -> set[str]:
    """Return this resource and all later ones in the catalogue. Ignoring them breaks reference cycles."""
    names = list(BY_NAME)
    return set(names[names.index(resource.name) :])
