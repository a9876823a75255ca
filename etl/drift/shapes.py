"""The shape of a resource's raw JSON, and the difference between two profiles of it. Pure."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

from etl.models.states import DriftState

#: The number of objects that should contain a field before its absence counts as a change.
MIN_OBJECTS = 20
#: The maximum weight, in objects, of earlier profiles in a running average.
MAX_WEIGHT = 1000
#: The number of codes that are stored per field.
MAX_CODES = 40


@dataclass(slots=True)
class Shape:
    """The counts, types and codes of one path in a profile."""

    present: int = 0  #: objects that have it
    empty: int = 0  #: objects in which it is null or blank text
    types: set[str] = field(default_factory=set)  #: types of the values that are not empty
    codes: set[str] = field(default_factory=set)  #: values of a coded field


@dataclass(slots=True)
class Profile:
    """The shape of a sample of records."""

    shapes: dict[str, Shape] = field(default_factory=dict)
    #: Number of objects by path prefix: `""` the records, `a[].` the members of a list, `a.` an object.
    objects: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class KnownPath:
    """The stored state of one path."""

    path: str
    types: frozenset[str] = frozenset()
    codes: frozenset[str] = frozenset()
    objects: int = 0  #: number of objects that the two rates are based on
    presence: float = 1.0  #: share of objects that have it
    null_rate: float = 0.0  #: share of those objects in which it is empty
    state: DriftState = DriftState.KNOWN
    change: str | None = None  #: description of the last change

    @property
    def fill_rate(self) -> float:
        """The share of objects in which the field has a value."""
        return self.presence * (1 - self.null_rate)


class IsDeclared(Protocol):
    """A predicate on the declared fields."""

    def __call__(self, path: str, code: str | None = None) -> bool:
        """Return whether a path is declared, or whether its vocabulary has a code."""


def find_object_path(path: str) -> str:
    """Return the path prefix of the object that contains a path, as in `Profile.objects`."""
    return path[: path.rfind(".") + 1]


def compare_profile(known_paths: Mapping[str, KnownPath], profile: Profile, is_declared: IsDeclared) -> list[KnownPath]:
    """Return the new state of every path of a profile, and of the stored paths that are lost.

    `state` changes when a path is new, lost, of another type, suddenly empty, or has a new code.
    """
    profile = with_known_spelling(profile, known_paths)
    known_objects = {find_object_path(path) for path in known_paths}
    updated = [
        update_known_path(known_paths[path], shape, profile.objects[find_object_path(path)], is_declared)
        if path in known_paths
        else create_known_path(
            path,
            shape,
            profile.objects[find_object_path(path)],
            other_spelling=find_declared_spelling(path, profile, is_declared),
            is_change=not is_expected(path, known_objects, is_declared),
        )
        for path, shape in profile.shapes.items()
    ]
    return [*updated, *find_lost_paths(known_paths, profile)]


def with_known_spelling(profile: Profile, known_paths: Collection[str]) -> Profile:
    """Return a profile whose paths are spelled as they are stored: another case is not another path.

    Where a profile has both spellings, they stay apart.
    """
    stored = {*known_paths, *map(find_object_path, known_paths)}
    by_folded = {path.casefold(): path for path in stored}

    def spell(path: str, others: Mapping[str, object]) -> str:
        stored_path = path if path in stored else by_folded.get(path.casefold(), path)
        return path if stored_path in others else stored_path

    return Profile(
        {spell(path, profile.shapes): shape for path, shape in profile.shapes.items()},
        {spell(path, profile.objects): number for path, number in profile.objects.items()},
    )


def is_expected(path: str, known_objects: set[str], is_declared: IsDeclared) -> bool:
    """Return whether a new path is not a change: it is declared, and its object is new or is the record itself.

    A declared list or object is known as a whole when it first appears. A field that is added to it later is a change.
    """
    object_path = find_object_path(path)
    return is_declared(path) and (not object_path or object_path not in known_objects or path.endswith("[]"))


def find_declared_spelling(path: str, profile: Profile, is_declared: IsDeclared) -> str | None:
    """Return the declared path of which a path is a second spelling, None if there is no such path."""
    if is_declared(path):
        return None
    folded = path.casefold()
    return next((other for other in profile.shapes if other.casefold() == folded and is_declared(other)), None)


def create_known_path(
    path: str, shape: Shape, objects: int, *, is_change: bool, other_spelling: str | None = None
) -> KnownPath:
    """Return the state of a path that is not stored yet."""
    known_path = update_rates(KnownPath(path), shape, objects)
    if not is_change:
        return known_path
    if other_spelling is not None:
        change = f"{path} is a second spelling of {other_spelling}, which is read"
        return replace(known_path, state=DriftState.NEW, change=change)
    type_text = f" ({', '.join(sorted(shape.types))})" if shape.types else ""
    return replace(known_path, state=DriftState.NEW, change=f"new field {path}{type_text}")


def update_rates(known_path: KnownPath, shape: Shape, objects: int) -> KnownPath:
    """Return a known path with the counts of a new profile; the rates are running averages."""
    weight = min(known_path.objects, MAX_WEIGHT)
    present = known_path.presence * weight + shape.present
    empty = known_path.null_rate * known_path.presence * weight + shape.empty
    return replace(
        known_path,
        types=known_path.types | shape.types,
        codes=frozenset(sorted(known_path.codes | shape.codes)[:MAX_CODES]),
        objects=weight + objects,
        presence=present / (weight + objects),
        null_rate=empty / present,
    )


def update_known_path(known_path: KnownPath, shape: Shape, objects: int, is_declared: IsDeclared) -> KnownPath:
    """Return the new state of a known path that is in the profile."""
    updated = update_rates(known_path, shape, objects)
    if known_path.types and (new_types := shape.types - known_path.types):
        old_types = " or ".join(sorted(known_path.types))
        change = f"{known_path.path} was {old_types} and is now {' or '.join(sorted(new_types))}"
        return replace(updated, state=DriftState.RETYPED, change=change)
    if added_codes := find_new_codes(known_path, shape, is_declared):
        change = f"{known_path.path} has a new code: {', '.join(added_codes)}"
        return replace(updated, state=DriftState.NEW_CODE, change=change)
    if shape.empty == shape.present and objects * known_path.fill_rate >= MIN_OBJECTS:
        if known_path.state == DriftState.EMPTIED:
            return known_path
        change = f"{known_path.path} is empty in all {objects} sampled records; {known_path.fill_rate:.0%} had a value"
        return replace(known_path, state=DriftState.EMPTIED, change=change)
    return clear_change(known_path, updated, has_value=shape.empty < shape.present, is_declared=is_declared)


def find_new_codes(known_path: KnownPath, shape: Shape, is_declared: IsDeclared) -> list[str]:
    """Return the codes that are neither stored nor documented; none when the stored list is empty or full."""
    if not 0 < len(known_path.codes) < MAX_CODES:
        return []
    return sorted(code for code in shape.codes - known_path.codes if not is_declared(known_path.path, code))


def clear_change(known_path: KnownPath, updated: KnownPath, *, has_value: bool, is_declared: IsDeclared) -> KnownPath:
    """Return a path without a new change; its last change ends when the field is back or is now declared."""
    is_back = known_path.state is DriftState.LOST or (known_path.state is DriftState.EMPTIED and has_value)
    is_now_declared = (
        known_path.state is DriftState.NEW and is_declared(known_path.path) and not find_object_path(known_path.path)
    )
    return replace(updated, state=DriftState.KNOWN, change=None) if is_back or is_now_declared else updated


def find_lost_paths(known_paths: Mapping[str, KnownPath], profile: Profile) -> Iterator[KnownPath]:
    """Yield the stored paths that a profile of this size should contain but does not."""
    for path, known_path in known_paths.items():
        objects = profile.objects.get(find_object_path(path), 0)
        if (
            path not in profile.shapes
            and known_path.state is not DriftState.LOST
            and objects * known_path.presence >= MIN_OBJECTS
        ):
            share = f"{known_path.presence:.0%} of records had it"
            change = f"{path} is missing: {share}, but none of the {objects} sampled records has it"
            yield replace(known_path, state=DriftState.LOST, change=change)
