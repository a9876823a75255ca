"""Numbers records of one answer that have no id of their own and would share a computed one."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any

import msgspec

from etl.spelling import Spelling

Item = tuple[int, bytes]  #: the position in the answer, and the JSON text

_sorted = msgspec.json.Encoder(decimal_format="number", order="sorted").encode


def numbered(
    items: list[Item], spelling: Spelling, shared: Callable[[Mapping[str, Any]], str | None]
) -> Iterator[Item]:
    """Yield the items; of those that share a key, each after the first with its number.

    They are counted in the order of their content, so that the order of the answer does not matter.
    """
    alike: defaultdict[str, list[tuple[bytes, int]]] = defaultdict(list)
    for position, item in items if len(items) > 1 else ():
        with suppress(msgspec.DecodeError, ValueError):  # what is no object becomes a bad record later
            record = spelling.decode(item)
            if (key := shared(record)) is not None:
                alike[key].append((_sorted(record), position))
    numbers = {
        position: number
        for group in alike.values()
        for number, (_, position) in enumerate(sorted(group), start=1)
        if number > 1
    }
    for position, item in items:
        number = numbers.get(position)
        yield position, item if number is None else with_members(item, b',"_call":{"number":%d}' % number)


def with_members(text: bytes, members: bytes) -> bytes:
    """Return an object's text with more members at its end; they begin with a comma."""
    begun = text[:-1].rstrip()
    return begun + (members[1:] if begun == b"{" else members) + b"}"
