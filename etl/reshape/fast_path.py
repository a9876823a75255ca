"""The fast path of cleaning: one function per resource, generated from its columns and compiled once.

It gives the same result as the reference path in `etl.reshape.reshaper` for records without violations or missing
expected values. For all other records it raises NeedsReferencePath, and the reference path cleans them. Recurring
values (dates, places, codes) are cleaned and encoded once and cached.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

from etl.copy_text import NULL, format_field
from etl.errors import NeedsReferencePath
from etl.values import Severity, Violation

#: Cleans a record's fields into a line of COPY text, and adds the stubs of its references.
FastPath = Callable[[Mapping[str, Any], list[Any]], str]
#: Maximum number of cached values per field.
MAX_CACHED_VALUES = 2048


class PointsTo(Protocol):
    """The target of a reference."""

    table: str
    name: Callable[[Mapping[str, Any]], Any] | None

    def id_of(self, source_id: str) -> str:
        """Return the id of the row of a source id."""


class FieldSpec(Protocol):
    """How one column gets its value."""

    @property
    def path(self) -> tuple[str | int, ...]:
        """The keys and positions that lead to the value; empty where a function reads it."""

    @property
    def read(self) -> Callable[[Mapping[str, Any]], Any]:
        """Reads the raw value."""

    @property
    def clean(self) -> Callable[[Any], Any]:
        """Cleans the raw value."""

    @property
    def target(self) -> PointsTo | None:
        """The target, if the column is a reference."""

    @property
    def severity_if_missing(self) -> Severity | None:
        """The severity of a missing value; None if a missing value is fine."""


class ValueCache(dict[Any, Any]):
    """Cached results for raw values of one JSON type; missing results are computed, and a full cache is cleared.

    An instance holds one type only: 1, 1.0 and true are the same key.
    """

    def __init__(self, make: Callable[[Any], Any], max_size: int) -> None:
        super().__init__()
        self.make = make
        self.max_size = max_size

    def __missing__(self, raw: Any) -> Any:
        made = self.make(raw)
        if len(self) >= self.max_size:
            self.clear()
        self[raw] = made
        return made


def compile_fast_path(
    fields: Sequence[FieldSpec],
    others: Iterable[tuple[str, Callable[[Mapping[str, Any]], Iterable[tuple[str, str | None]]]]],
    max_cached_ids: int,
    clean_label: Callable[[Any], Any],
) -> FastPath:
    """Return the function for records of these fields, with the stubs made by `others`.

    `max_cached_ids` limits the cache of a field that refers to other rows.
    """
    names: dict[str, Any] = {
        "NULL": NULL,
        "NeedsReferencePath": NeedsReferencePath,
        "label": name_cleaner(clean_label),
    }
    names["labels"] = ValueCache(names["label"], MAX_CACHED_VALUES)
    lines = ["def fast_path(record, stubs):", "    get = record.get"]
    for number, spec in enumerate(fields):
        lines += column_lines(number, spec, names, max_cached_ids)
    for number, (table, make) in enumerate(others):
        names |= {f"table_other{number}": table, f"make{number}": make}
        lines += [
            f"    for source_id, name in make{number}(record):",
            f"        stubs.append((table_other{number}, source_id, name))",
        ]
    values = ", ".join(f"v{number}" for number in range(len(fields)))
    lines.append(f"    return '\\t'.join(({values},))")
    exec("\n".join(lines), names)  # noqa: S102 (only our own names and numbers; keys of the declarations as literals)
    fast_path: FastPath = names["fast_path"]
    return fast_path


def column_lines(number: int, spec: FieldSpec, names: dict[str, Any], max_cached_ids: int) -> list[str]:
    """Return the lines that read, clean and encode one field into `v<number>`; add the names they use to `names`."""
    make = reference_cleaner(spec) if spec.target is not None else text_cleaner(spec)
    bound = max_cached_ids if spec.target is not None else MAX_CACHED_VALUES
    names |= {f"{kind}{number}": ValueCache(make, bound) for kind in "sib"} | {f"o{number}": make}
    names[f"r{number}"] = spec.read
    cleaned = (
        f"s{number}[raw] if (kind := raw.__class__) is str else i{number}[raw] if kind is int "
        f"else b{number}[raw] if kind is bool else o{number}(raw)"
    )
    lines = [*read_lines(number, spec), "    if raw is None:"]
    lines.append(
        "        raise NeedsReferencePath" if spec.severity_if_missing is not None else f"        v{number} = NULL"
    )
    if spec.target is None:
        return [*lines, "    else:", f"        v{number} = {cleaned}"]
    names |= {f"t{number}": spec.target.table, f"n{number}": spec.target.name}
    label = f"clean_name(n{number}(record), label, labels)" if spec.target.name else "None"
    names["clean_name"] = clean_name
    return [
        *lines,
        "    else:",
        f"        resolved = {cleaned}",
        "        if resolved is None:",
        f"            v{number} = NULL",
        "        else:",
        f"            v{number} = resolved[0]",
        f"            stubs.append((t{number}, resolved[1], {label}))",
    ]


def read_lines(number: int, spec: FieldSpec) -> list[str]:
    """Return the lines that read one field's raw value: by following its path, or by calling a function."""
    if not spec.path:
        return [f"    raw = r{number}(record)"]
    lines = [f"    raw = get({spec.path[0]!r})"]
    for step in spec.path[1:]:
        if isinstance(step, int):
            lines.append(f"    raw = raw[{step}] if raw.__class__ is list and {step} < len(raw) else None")
        else:
            lines.append(f"    raw = raw.get({step!r}) if raw.__class__ is dict else None")
    return lines


def clean_name(raw: Any, label: Callable[[Any], Any], labels: Mapping[str, Any]) -> Any:
    """Return the clean name of a reference's target."""
    return None if raw is None else labels[raw] if raw.__class__ is str else label(raw)


def name_cleaner(clean: Callable[[Any], Any]) -> Callable[[Any], str | None]:
    """Return the function that cleans a name; an invalid name becomes None."""

    def label(raw: Any) -> str | None:
        name = clean(raw)
        return None if name.__class__ is Violation else name

    return label


def text_cleaner(spec: FieldSpec) -> Callable[[Any], str]:
    """Return the function from a raw value to its COPY text; it raises NeedsReferencePath."""
    clean, severity_if_missing = spec.clean, spec.severity_if_missing

    def make(raw: Any) -> str:
        value = clean(raw)
        if value.__class__ is Violation or (value is None and severity_if_missing is not None):
            raise NeedsReferencePath
        return format_field(value)

    return make


def reference_cleaner(spec: FieldSpec) -> Callable[[Any], tuple[str, str] | None]:
    """Return the function from a raw id to the target row's id and the source id; it raises NeedsReferencePath."""
    clean, severity_if_missing, target = spec.clean, spec.severity_if_missing, spec.target
    id_of = target.id_of if target is not None else str

    def make(raw: Any) -> tuple[str, str] | None:
        value = clean(raw)
        if value.__class__ is Violation or (value is None and severity_if_missing is not None):
            raise NeedsReferencePath
        return None if value is None else (id_of(value), value)

    return make
