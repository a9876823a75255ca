"""Microseconds that each kind of value takes: on the values of the book, and on its own examples."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

import etl.values
from benchmarks.sample import Sample, each, microseconds, samples
from benchmarks.table import figure, markdown
from etl.api.protocol import read
from etl.models.base import fields_of
from etl.record import decode
from etl.reshape.reshaper import value_reader
from etl.values import Kind

#: Examples are few and quick: they are gone through so many times in one round.
TIMES = 200


def kinds(records: int) -> None:
    """Measure every kind and print it."""
    on_the_book(records // 2)
    on_examples()


def on_the_book(records: int) -> None:
    """Print what cleaning takes, field by field, for the values that the book has."""
    rows = [row for sample in samples(records) for row in of_sample(sample)]
    rows.sort(key=lambda row: -float(row[3].replace(",", "")))
    print(markdown(["field", "kind", "values", "microseconds a value"], rows))


def of_sample(sample: Sample) -> Iterator[list[str]]:
    """Yield a line for each field of a feed that has values."""
    pages = (read(sample.call, 200, {}, body) for body in sample.bodies)
    decoded = [decode(item) for page in pages for item in page.items]
    for column, about in fields_of(sample.resource.model).items():
        look = value_reader(about.source)
        values = [value for one in decoded if (value := look(one)) is not None]
        if values:
            took = microseconds(each(about.kind.clean, values), len(values))
            yield [f"{sample.resource.name}.{column}", about.kind.name, f"{len(values):,}", figure(took)]


def on_examples() -> None:
    """Print what the examples of each kind take: those it accepts, and those it complains of."""
    rows = []
    for kind in every_kind():
        one = kind.example()
        accepted, rejected = [raw for raw, _ in kind.accepts], [raw for raw, _ in kind.rejects]
        rows.append([kind.name, of_examples(one, accepted), of_examples(one, rejected)])
    print("\n" + markdown(["kind", "accepted, microseconds", "complained of, microseconds"], rows))


def of_examples(kind: Kind, examples: Iterable[Any]) -> str:
    """Return what one example takes on average."""
    many = [*examples] * TIMES
    return figure(microseconds(each(kind.clean, many), len(many))) if many else "-"


def every_kind() -> list[type[Kind]]:
    """Return all kinds, by name."""
    named: dict[str, list[type[Kind]]] = defaultdict(list)
    for name in etl.values.__all__:
        one = getattr(etl.values, name)
        if isinstance(one, type) and issubclass(one, Kind) and one is not Kind:
            named[one.name].append(one)
    return [one for name in sorted(named) for one in named[name]]
