"""A collection of API items, each with the times that decide in which answers it appears."""

import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, Literal, NamedTuple

from etl.simulator.book import dates

Match = Literal["either", "created", "latest"]
Item = dict[str, Any]
Key = int | str
_ENCODER = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False)
KEPT_WINDOWS = 32  #: how many windows keep the ids found in them, so that each page need not search again


class Entry(NamedTuple):
    """One item as JSON text (a third of the memory of a dictionary, and ready to be sent) and its times."""

    text: bytes
    created: datetime
    modified: datetime | None


def encode(item: Any) -> bytes:
    """Return an item as compact JSON in UTF-8."""
    return _ENCODER.encode(item).encode()


class Collection:
    """Items by id, in the order in which they were created. Reading returns copies; `change` edits an item."""

    def __init__(self) -> None:
        self._entries: dict[Key, Entry] = {}
        self._kept_windows: dict[tuple[object, ...], list[Key]] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Key]:
        return iter(self._entries)

    def __contains__(self, key: object) -> bool:
        return key in self._entries

    def __getitem__(self, key: Key) -> Item:
        item: Item = json.loads(self._entries[key].text)
        return item

    def values(self) -> Iterator[Item]:
        """Yield a copy of each item."""
        return (self[key] for key in self._entries)

    def texts(self, keys: Iterable[Key]) -> tuple[bytes, ...]:
        """Return the JSON texts of some items."""
        return tuple(self._entries[key].text for key in keys)

    def created(self, key: Key) -> datetime:
        """Return when an item was created."""
        return self._entries[key].created

    def modified(self, key: Key) -> datetime | None:
        """Return when an item was last changed; None when it never was."""
        return self._entries[key].modified

    def put(self, key: Key, item: Item, created: datetime, modified: datetime | None = None) -> None:
        """Store an item as it is, in place of one with the same id."""
        self._entries[key] = Entry(encode(item), created, modified)
        self._kept_windows.clear()

    def change(self, key: Key, at: datetime | None, **fields: Any) -> Item:
        """Set fields of an item, mark it modified at a moment (None: leave its dates), and return it."""
        entry = self._entries[key]
        item = self[key] | fields
        if at is not None:
            item |= {name: dates.plain(at) for name in ("DateLastModified",) if name in item and name not in fields}
            item |= {name: True for name in ("HasBeenModified",) if name in item and name not in fields}
        self.put(key, item, entry.created, at or entry.modified)
        return item

    def drop(self, key: Key) -> None:
        """Remove an item, as a merge or a hard delete in the vendor's database does: no answer contains it again."""
        del self._entries[key]
        self._kept_windows.clear()

    def within(
        self,
        start: datetime | None,
        end: datetime | None,
        match: Match = "either",
        among: frozenset[Key] | None = None,
    ) -> list[Key]:
        """Return the ids with a time in `[start, end)`, in order: created or modified, created, or the later one."""
        wanted = (start, end, match, among)
        if wanted not in self._kept_windows:
            if len(self._kept_windows) >= KEPT_WINDOWS:
                self._kept_windows.clear()
            self._kept_windows[wanted] = [
                key
                for key, entry in self._entries.items()
                if (among is None or key in among) and _matches(entry, start, end, match)
            ]
        return self._kept_windows[wanted]


def _matches(entry: Entry, start: datetime | None, end: datetime | None, match: Match) -> bool:
    if match == "created":
        return _inside(entry.created, start, end)
    if match == "latest":
        return _inside(entry.modified or entry.created, start, end)
    return _inside(entry.created, start, end) or (entry.modified is not None and _inside(entry.modified, start, end))


def _inside(moment: datetime, start: datetime | None, end: datetime | None) -> bool:
    return (start is None or moment >= start) and (end is None or moment < end)
