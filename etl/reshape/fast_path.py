"""The quick way of cleaning: one function for each resource, written out field by field and compiled once.

It does what the careful way of `etl.reshape.reshaper` does, for records of which no kind complains and that lack
nothing that is looked for; it raises NotPlain for all others, and the careful way, its reference, decides about those.
Values that recur (dates, places, codes) are cleaned and written once and remembered.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

from etl.copy_text import NULL, written
from etl.values import Complaint, Severity

#: Cleans a record's fields into values as they stand in a line of COPY text, and adds the stubs it tells of.
Plain = Callable[[Mapping[str, Any], list[Any]], str]
#: Values of one field that are remembered; the most recent ones.
MOST_REMEMBERED = 2048


class NotPlain(Exception):
    """The record holds something that the quick way leaves to the careful one."""


class Pointer(Protocol):
    """What a reference points to."""

    table: str
    name: Callable[[Mapping[str, Any]], Any] | None

    def id_of(self, source_id: str) -> str:
        """Return the id of the row of a source id."""


class Field(Protocol):
    """How one column gets its value."""

    @property
    def path(self) -> tuple[str | int, ...]:
        """The keys and positions that lead to it; empty where a function reads it."""

    @property
    def read(self) -> Callable[[Mapping[str, Any]], Any]:
        """Reads the raw value."""

    @property
    def clean(self) -> Callable[[Any], Any]:
        """Cleans it."""

    @property
    def target(self) -> Pointer | None:
        """What it points to."""

    @property
    def watched(self) -> Severity | None:
        """What its absence amounts to."""


class Remembered(dict[Any, Any]):
    """What raw values of one JSON type come to; what is not known yet is made, and the oldest are forgotten in bulk.

    One instance holds one type alone: 1, 1.0 and true are the same key.
    """

    def __init__(self, make: Callable[[Any], Any], most: int) -> None:
        super().__init__()
        self.make = make
        self.most = most

    def __missing__(self, raw: Any) -> Any:
        made = self.make(raw)
        if len(self) >= self.most:
            self.clear()
        self[raw] = made
        return made


def compiled(
    fields: Sequence[Field],
    others: Iterable[tuple[str, Callable[[Mapping[str, Any]], Iterable[tuple[str, str | None]]]]],
    most: int,
    clean_label: Callable[[Any], Any],
) -> Plain:
    """Return the function for a record of these fields that also tells of these other rows.

    `most` bounds what is remembered of a field that points to other rows.
    """
    names: dict[str, Any] = {"NULL": NULL, "NotPlain": NotPlain, "label": label_of(clean_label)}
    names["labels"] = Remembered(names["label"], MOST_REMEMBERED)
    lines = ["def plain(record, stubs):", "    get = record.get"]
    for number, one in enumerate(fields):
        lines += lines_of(number, one, names, most)
    for number, (table, make) in enumerate(others):
        names |= {f"table_other{number}": table, f"make{number}": make}
        lines += [
            f"    for source_id, name in make{number}(record):",
            f"        stubs.append((table_other{number}, source_id, name))",
        ]
    values = ", ".join(f"v{number}" for number in range(len(fields)))
    lines.append(f"    return '\\t'.join(({values},))")
    exec("\n".join(lines), names)  # noqa: S102 (names and numbers of ours; keys of the declarations as literals)
    plain: Plain = names["plain"]
    return plain


def lines_of(number: int, one: Field, names: dict[str, Any], most: int) -> list[str]:
    """Return the lines that read, clean and write one field into `v<number>`, and add what they need to `names`."""
    make = pointed(one) if one.target is not None else text_of(one)
    bound = most if one.target is not None else MOST_REMEMBERED
    names |= {f"{kind}{number}": Remembered(make, bound) for kind in "sib"} | {f"o{number}": make}
    names[f"r{number}"] = one.read
    known = (
        f"s{number}[raw] if (kind := raw.__class__) is str else i{number}[raw] if kind is int "
        f"else b{number}[raw] if kind is bool else o{number}(raw)"
    )
    lines = [*reading(number, one), "    if raw is None:"]
    lines.append("        raise NotPlain" if one.watched is not None else f"        v{number} = NULL")
    if one.target is None:
        return [*lines, "    else:", f"        v{number} = {known}"]
    names |= {f"t{number}": one.target.table, f"n{number}": one.target.name}
    named = f"name_of(n{number}(record), label, labels)" if one.target.name else "None"
    names["name_of"] = name_of
    return [
        *lines,
        "    else:",
        f"        pointed = {known}",
        "        if pointed is None:",
        f"            v{number} = NULL",
        "        else:",
        f"            v{number} = pointed[0]",
        f"            stubs.append((t{number}, pointed[1], {named}))",
    ]


def reading(number: int, one: Field) -> list[str]:
    """Return the lines that read one field's raw value: a path is followed step by step, a function is called."""
    if not one.path:
        return [f"    raw = r{number}(record)"]
    lines = [f"    raw = get({one.path[0]!r})"]
    for step in one.path[1:]:
        if isinstance(step, int):
            lines.append(f"    raw = raw[{step}] if raw.__class__ is list and {step} < len(raw) else None")
        else:
            lines.append(f"    raw = raw.get({step!r}) if raw.__class__ is dict else None")
    return lines


def name_of(raw: Any, label: Callable[[Any], Any], labels: Mapping[str, Any]) -> Any:
    """Return the clean name of what a reference points to."""
    return None if raw is None else labels[raw] if raw.__class__ is str else label(raw)


def label_of(clean: Callable[[Any], Any]) -> Callable[[Any], str | None]:
    """Return the function that cleans a name; one that is bad is none."""

    def label(raw: Any) -> str | None:
        found = clean(raw)
        return None if found.__class__ is Complaint else found

    return label


def text_of(one: Field) -> Callable[[Any], str]:
    """Return the function from a raw value to the clean one as it stands in a line; it raises NotPlain."""
    clean, watched = one.clean, one.watched

    def make(raw: Any) -> str:
        value = clean(raw)
        if value.__class__ is Complaint or (value is None and watched is not None):
            raise NotPlain
        return written(value)

    return make


def pointed(one: Field) -> Callable[[Any], tuple[str, str] | None]:
    """Return the function from a raw id to the id of the row it points to and the clean one; it raises NotPlain."""
    clean, watched, target = one.clean, one.watched, one.target
    id_of = target.id_of if target is not None else str

    def make(raw: Any) -> tuple[str, str] | None:
        value = clean(raw)
        if value.__class__ is Complaint or (value is None and watched is not None):
            raise NotPlain
        return None if value is None else (id_of(value), value)

    return make
