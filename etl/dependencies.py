"""Which resources can be read side by side: waves, each of which waits for the one before. Pure."""

from collections.abc import Collection

from etl.catalogue import Resource
from etl.models.base import PRIMARY
from etl.resources import BY_NAME, CATALOGUE, children_of, derived_from


def group_by_level(names: Collection[str] = ()) -> list[list[str]]:
    """Return the resources that are read, of these names or of all, wave by wave; within one in order of extraction.

    Waves are counted over the whole catalogue, so that a run of few resources leaves some of them empty.
    """
    levels: dict[str, int] = {}
    for name in (one.name for one in CATALOGUE if one.endpoints):
        find_level(name, levels)
    chosen = names or levels.keys()
    found: list[list[str]] = [[] for _ in range(max(levels.values()) + 1)]
    for name in BY_NAME:
        if name in levels and name in chosen:
            found[levels[name]].append(name)
    return found


def find_level(name: str, levels: dict[str, int]) -> int:
    """Return the wave of a resource: the first after all that it waits for."""
    if name not in levels:
        levels[name] = max((1 + find_level(other, levels) for other in find_prerequisites(BY_NAME[name])), default=0)
    return levels[name]


def find_prerequisites(resource: Resource) -> set[str]:
    """Return the resources that have to be read before this one.

    These are its parent; what its records stand in for while the account does not offer it; and of the tables that its
    rows refer to, those that hold the parents of others. Rows of the other tables stand as placeholders until they
    are read, which is right in any order but costs a second write.
    """
    parent = {resource.parent.resource} if resource.parent is not None else set()
    stood_in_for = {made.name for made, way in derived_from(resource.name) if way.fallback}
    tables = {key.column.table.name for key in resource.model.__table__.foreign_keys}
    referred_to = {one.name for one in CATALOGUE if is_parent_source(one) and one.model.__tablename__ in tables}
    return (parent | stood_in_for | referred_to) - {resource.name} - find_later(resource)


def is_parent_source(resource: Resource) -> bool:
    """Tell whether a resource holds the parents of others, and is the main road to its table."""
    return bool(children_of(resource.name)) and resource.data_source == PRIMARY


def find_later(resource: Resource) -> set[str]:
    """Return the resources that come after this one in the catalogue: tables may refer to each other in a circle."""
    names = list(BY_NAME)
    return set(names[names.index(resource.name) :])
