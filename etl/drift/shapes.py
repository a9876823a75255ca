"""What the raw JSON of a resource looks like, and how two looks at it differ. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

from etl.models.states import DriftState

#: So many objects that should have shown something make its absence a fact and not chance.
MIN_OBJECTS = 20
#: Objects that earlier looks count for at most, beside those of a new one.
MAX_WEIGHT = 1000
#: Codes that are remembered of one field.
MAX_CODES = 40


@dataclass(slots=True)
class Shape:
    """What was seen of one path."""

    present: int = 0  #: objects that have it
    empty: int = 0  #: of them, those in which nothing stands: null, or text without a letter
    types: set[str] = field(default_factory=set)  #: of values that are not empty
    codes: set[str] = field(default_factory=set)  #: of a coded field


@dataclass(slots=True)
class Profile:
    """What a sample of records looks like."""

    shapes: dict[str, Shape] = field(default_factory=dict)
    #: Objects seen in each place: `""` the records themselves, `a[].` the members of a list, `a.` an object.
    objects: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class KnownPath:
    """What is remembered of one path."""

    path: str
    types: frozenset[str] = frozenset()
    codes: frozenset[str] = frozenset()
    objects: int = 0  #: that the two rates rest on
    presence: float = 1.0  #: the share of objects that have it
    null_rate: float = 0.0  #: the share of those that have it in which nothing stands
    state: DriftState = DriftState.KNOWN
    change: str | None = None  #: what changed last, in words

    @property
    def fill_rate(self) -> float:
        """The share of objects in which something stands."""
        return self.presence * (1 - self.null_rate)


class IsDeclared(Protocol):
    """Tells what the declarations know."""

    def __call__(self, path: str, code: str | None = None) -> bool:
        """Tell whether a path is known, or that a code is one of those that its vocabulary publishes."""


def find_object_path(path: str) -> str:
    """Return the place that a path's object stands in, as a profile counts objects."""
    return path[: path.rfind(".") + 1]


def compare_profile(known: Mapping[str, KnownPath], profile: Profile, is_declared: IsDeclared) -> list[KnownPath]:
    """Return what is to be remembered of a resource after a look at it: every path seen, and those that went missing.

    `state` differs from what was remembered where something is new, lost, of another type, suddenly empty, or holds a
    new code.
    """
    places = {find_object_path(path) for path in known}
    seen = [
        update_known_path(known[path], shape, profile.objects[find_object_path(path)], is_declared)
        if path in known
        else create_known_path(
            path, shape, profile.objects[find_object_path(path)], is_news=not is_expected(path, places, is_declared)
        )
        for path, shape in profile.shapes.items()
    ]
    return [*seen, *find_lost_paths(known, profile)]


def is_expected(path: str, places: set[str], is_declared: IsDeclared) -> bool:
    """Tell whether a path that was never seen is no news: it is declared, or nothing of its place was seen either.

    What lies inside a known list or object is known as a whole when it is met first; what joins it later is news.
    """
    place = find_object_path(path)
    return is_declared(path) and (not place or place not in places or path.endswith("[]"))


def create_known_path(path: str, shape: Shape, objects: int, *, is_news: bool) -> KnownPath:
    """Return what is to be remembered of a path that was never seen before."""
    fresh = update_rates(KnownPath(path), shape, objects)
    if not is_news:
        return fresh
    what = f" ({', '.join(sorted(shape.types))})" if shape.types else ""
    return replace(fresh, state=DriftState.NEW, change=f"new field {path}{what}")


def update_rates(known: KnownPath, shape: Shape, objects: int) -> KnownPath:
    """Return what is remembered of a path together with what was seen now; the rates are running averages."""
    before = min(known.objects, MAX_WEIGHT)
    present = known.presence * before + shape.present
    empty = known.null_rate * known.presence * before + shape.empty
    return replace(
        known,
        types=known.types | shape.types,
        codes=frozenset(sorted(known.codes | shape.codes)[:MAX_CODES]),
        objects=before + objects,
        presence=present / (before + objects),
        null_rate=empty / present,
    )


def update_known_path(known: KnownPath, shape: Shape, objects: int, is_declared: IsDeclared) -> KnownPath:
    """Return what is to be remembered of a path that is seen again."""
    now = update_rates(known, shape, objects)
    if known.types and (other := shape.types - known.types):
        words = f"{known.path} was {' or '.join(sorted(known.types))} and is {' or '.join(sorted(other))} now"
        return replace(now, state=DriftState.RETYPED, change=words)
    if others := find_new_codes(known, shape, is_declared):
        return replace(now, state=DriftState.NEW_CODE, change=f"{known.path} has a new code: {', '.join(others)}")
    if shape.empty == shape.present and objects * known.fill_rate >= MIN_OBJECTS:
        words = f"{known.path} is empty in all {objects} records looked at; {known.fill_rate:.0%} had a value"
        return replace(known, state=DriftState.EMPTIED, change=words) if known.state != DriftState.EMPTIED else known
    return clear_change(known, now, has_value=shape.empty < shape.present, is_declared=is_declared)


def find_new_codes(known: KnownPath, shape: Shape, is_declared: IsDeclared) -> list[str]:
    """Return the codes that no look had met and no vocabulary publishes, as far as what was met is remembered."""
    if not 0 < len(known.codes) < MAX_CODES:
        return []
    return sorted(code for code in shape.codes - known.codes if not is_declared(known.path, code))


def clear_change(known: KnownPath, now: KnownPath, *, has_value: bool, is_declared: IsDeclared) -> KnownPath:
    """Return a path without news: one that was lost or empty is back, and a new one may be declared by now."""
    back = known.state is DriftState.LOST or (known.state is DriftState.EMPTIED and has_value)
    declared = known.state is DriftState.NEW and is_declared(known.path) and not find_object_path(known.path)
    return replace(now, state=DriftState.KNOWN, change=None) if back or declared else now


def find_lost_paths(known: Mapping[str, KnownPath], profile: Profile) -> Iterator[KnownPath]:
    """Yield the paths that a look of this size should have met and did not."""
    for path, one in known.items():
        objects = profile.objects.get(find_object_path(path), 0)
        if path not in profile.shapes and one.state is not DriftState.LOST and objects * one.presence >= MIN_OBJECTS:
            words = f"{path} is gone: {one.presence:.0%} of records had it, none of the {objects} looked at has it"
            yield replace(one, state=DriftState.LOST, change=words)
