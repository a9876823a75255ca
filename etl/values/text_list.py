"""Lists of texts in one field: a JSON array, or one string with separators."""

import re
from dataclasses import dataclass
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import TypeEngine

from etl.values.base import Kind, Violation
from etl.values.text import clean_text, is_placeholder

_LONGEST_ITEM = 200
_LONGEST = 20_000
_MAX_ITEMS = 1_000
#: Integers below it need no further checks.
_FAST_PATH_LIMIT = 10**18
_SEPARATOR = re.compile(r"[,;|\r\n\t]")


@dataclass(frozen=True)
class TextList(Kind):
    """Several ids, numbers or names as a list of distinct texts, in the order of the source.

    A string is split at commas, semicolons, bars, tabs and line ends: the vendor does not say which it uses.
    """

    name: ClassVar[str] = "text-list"
    noun: ClassVar[str] = "a list of texts"
    stored_as: ClassVar[TypeEngine[Any]] = ARRAY(sa.Text())
    accepts: ClassVar[tuple[tuple[Any, Any], ...]] = (
        ([512, 513], ["512", "513"]),
        (["PA 0042-17", " HO 1 "], ["PA 0042-17", "HO 1"]),
        ("88121,88122", ["88121", "88122"]),
        ("PA 0042-17; HO 1;", ["PA 0042-17", "HO 1"]),
        ("88121|88121", ["88121"]),
        (88121, ["88121"]),
        ([12345.0], ["12345"]),
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
        ("PA 0042\ud83c;HO 1", "text-list-damaged"),
        ("x" * 201, "text-list-too-long"),
        (list(range(1001)), "text-list-too-many"),
        ("x," * 10_001, "text-list-too-long"),
    )

    def clean(self, raw: Any) -> list[str] | Violation | None:
        """Return the texts, None when there are none, or a Violation."""
        if isinstance(raw, str):
            if len(raw) > _LONGEST:
                return self.violation("too-long", f"is longer than {_LONGEST:,} characters")
            raw = _SEPARATOR.split(raw)
        items = raw if isinstance(raw, list) else [raw]
        if len(items) == 1 and type(items[0]) is int and -_FAST_PATH_LIMIT < items[0] < _FAST_PATH_LIMIT:
            return [str(items[0])]
        if len(items) > _MAX_ITEMS:
            return self.violation("too-many", f"has more than {_MAX_ITEMS:,} entries")
        if all(type(item) is int and -_FAST_PATH_LIMIT < item < _FAST_PATH_LIMIT for item in items):
            return list(dict.fromkeys(map(str, items))) or None
        return self._clean_items(items)

    def _clean_items(self, items: list[Any]) -> list[str] | Violation | None:
        """Return the distinct texts of the items, None when all are blank, or the first item's Violation."""
        texts: dict[str, None] = {}
        for item in items:
            text = clean_text(item, type(self), _LONGEST_ITEM)
            if isinstance(text, Violation):
                return text
            if text is not None and not is_placeholder(text):
                texts[text] = None
        return list(texts) or None
