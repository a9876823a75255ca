"""Cleaning time of each kind of value, on the data set and on the kind's examples."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

import etl.values
from benchmarks.sample import Sample, apply_to_all, load_samples, microseconds
from benchmarks.table import figure, markdown
from etl.api.protocol import read_page
from etl.models.base import fields_of
from etl.record import decode
from etl.reshape.reshaper import value_reader
from etl.values import Kind

#: How often the few examples are cleaned in one round.
TIMES = 200


def measure_kinds(records: int) -> None:
    """Measure and print every kind."""
    measure_records(records // 2)
    measure_examples()


def measure_records(records: int) -> None:
    """Print the cleaning time of each field for the values of the data set."""
    rows = [row for sample in load_samples(records) for row in measure_sample(sample)]
    rows.sort(key=lambda row: -float(row[3].replace(",", "")))
    print(markdown(["field", "kind", "values", "microseconds/value"], rows))


def measure_sample(sample: Sample) -> Iterator[list[str]]:
    """Yield a table row for each field of a feed that has values."""
    pages = (read_page(sample.call, 200, {}, body) for body in sample.bodies)
    decoded = [decode(item) for page in pages for item in page.items]
    for column, column_field in fields_of(sample.resource.model).items():
        read_value = value_reader(column_field.source)
        values = [value for record in decoded if (value := read_value(record)) is not None]
        if values:
            time = microseconds(apply_to_all(column_field.kind.clean, values), len(values))
            yield [f"{sample.resource.name}.{column}", column_field.kind.name, f"{len(values):,}", figure(time)]


def measure_examples() -> None:
    """Print the cleaning time of each kind's accepted and rejected examples."""
    rows = []
    for kind in list_kinds():
        example = kind.example()
        accepted, rejected = [raw for raw, _ in kind.accepts], [raw for raw, _ in kind.rejects]
        rows.append([kind.name, measure_values(example, accepted), measure_values(example, rejected)])
    print("\n" + markdown(["kind", "accepted, microseconds", "rejected, microseconds"], rows))


def measure_values(kind: Kind, examples: Iterable[Any]) -> str:
    """Return the average time of one example."""
    many = [*examples] * TIMES
    return figure(microseconds(apply_to_all(kind.clean, many), len(many))) if many else "-"


def list_kinds() -> list[type[Kind]]:
    """Return all kinds, by name."""
    by_name: dict[str, list[type[Kind]]] = defaultdict(list)
    for name in etl.values.__all__:
        kind = getattr(etl.values, name)
        if isinstance(kind, type) and issubclass(kind, Kind) and kind is not Kind:
            by_name[kind.name].append(kind)
    return [kind for name in sorted(by_name) for kind in by_name[name]]
