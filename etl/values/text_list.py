"""Several texts in one field: a JSON array, or one string with separators."""

import re
from dataclasses import dataclass
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from etl.values.base import Complaint, Kind
from etl.values.text import is_placeholder, text_of

_LONGEST_ITEM = 200
_LONGEST = 20_000
_MOST_ITEMS = 1_000
#: Ids below it are plain numbers, whose text needs no second look.
_PLAIN = 10**18
_SEPARATOR = re.compile(r"[,;|\r\n\t]")


@dataclass(frozen=True)
class TextList(Kind):
    """Several ids, numbers or names as a list of texts, each once, in the order of the source.

    A string is parted at commas, semicolons, bars, tabs and line ends: the vendor does not say which it uses.
    """

    name: ClassVar[str] = "text-list"
    noun: ClassVar[str] = "a list of texts"
    accepts: ClassVar[tuple[tuple[Any, Any], ...]] = (
        ([512, 513], ["512", "513"]),
        (["PA 0042-17", " HO 1 "], ["PA 0042-17", "HO 1"]),
        ("88121,88122", ["88121", "88122"]),
        ("PA 0042-17; HO 1;", ["PA 0042-17", "HO 1"]),
        ("88121|88121", ["88121"]),
        (88121, ["88121"]),
        ([1, None, "", "N/A"], ["1"]),
        (None, None),
        ("", None),
        (" , ; ", None),
        ([], None),
    )
    rejects: ClassVar[tuple[tuple[Any, str], ...]] = (
        ([["512"]], "text-list-type"),
        ([{"ID": 512}], "text-list-type"),
        ([True], "text-list-type"),
        ({"ID": 512}, "text-list-type"),
        (True, "text-list-type"),
        ("x" * 201, "text-list-too-long"),
        (list(range(1001)), "text-list-too-many"),
        ("x," * 10_001, "text-list-too-long"),
    )

    @property
    def column_type(self) -> ARRAY[str]:
        """Array of text."""
        return ARRAY(sa.Text())

    def clean(self, raw: Any) -> list[str] | Complaint | None:
        """Return the texts, None when there is none, or a Complaint."""
        if isinstance(raw, str):
            if len(raw) > _LONGEST:
                return self.complain("too-long", f"is longer than the {_LONGEST:,} characters that are read")
            raw = _SEPARATOR.split(raw)
        items = raw if isinstance(raw, list) else [raw]
        if len(items) == 1 and type(items[0]) is int and -_PLAIN < items[0] < _PLAIN:
            return [str(items[0])]
        if len(items) > _MOST_ITEMS:
            return self.complain("too-many", f"has more than {_MOST_ITEMS:,} entries")
        if all(type(item) is int and -_PLAIN < item < _PLAIN for item in items):
            return list(dict.fromkeys(map(str, items))) or None
        return self._texts(items)

    def _texts(self, items: list[Any]) -> list[str] | Complaint | None:
        """Return the distinct texts of the items, None when all are blank, or the first item's Complaint."""
        found: dict[str, None] = {}
        for item in items:
            text = text_of(item, type(self), _LONGEST_ITEM)
            if isinstance(text, Complaint):
                return text
            if text is not None and not is_placeholder(text):
                found[text] = None
        return list(found) or None
