"""JSON kept as it came, but for what PostgreSQL's jsonb cannot hold."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar

from sqlalchemy.dialects.postgresql import JSONB

from etl.values.base import Complaint, Kind
from etl.values.number import exact, is_number
from etl.values.text import joined

MOST_LEVELS = 200


@dataclass(frozen=True)
class Json(Kind):
    """A JSON value as it came, without NUL and half characters, which jsonb refuses."""

    name: ClassVar[str] = "json"
    noun: ClassVar[str] = "JSON"
    accepts: ClassVar[tuple[tuple[Any, Any], ...]] = (
        ({"Limit": 1, "Names": ["a", None]}, {"Limit": 1, "Names": ["a", None]}),
        ({}, {}),
        ([], []),
        (False, False),
        (Decimal("1.10"), Decimal("1.10")),
        ("  kept as it is ", "  kept as it is "),
        ({"a\x00": ["b\x00c", "half \ud83d"]}, {"a": ["bc", "half \ufffd"]}),
        (None, None),
        ("", None),
        ("\x00", None),
    )
    rejects: ClassVar[tuple[tuple[Any, str], ...]] = (
        (float("nan"), "json-not-finite"),
        ({"Limit": [Decimal("Infinity")]}, "json-not-finite"),
        ([10**5000], "json-too-long"),
        ([Decimal("1E+200000")], "json-too-long"),
        ({1: "a"}, "json-type"),
        ([b"a"], "json-type"),
    )

    @property
    def column_type(self) -> JSONB:
        """Binary JSON."""
        return JSONB()

    def clean(self, raw: Any) -> Any:
        """Return the value, copied only where something had to go, None when absent, or a Complaint."""
        soiled = False
        waiting = [(raw, 0)]
        while waiting:
            value, level = waiting.pop()
            if isinstance(value, str):
                soiled = soiled or _is_soiled(value)
            elif isinstance(value, (list, dict)):
                if level == MOST_LEVELS:
                    return self.complain("too-deep", f"is nested more than {MOST_LEVELS} levels deep")
                waiting.extend((part, level + 1) for part in value)
                if isinstance(value, dict):
                    if not all(isinstance(key, str) for key in value):
                        return self.wrong_type(value)
                    waiting.extend((part, level + 1) for part in value.values())
            else:
                fault = self._fault(value)
                if fault is not None:
                    return fault
        found = _storable(raw) if soiled else raw
        return None if found == "" else found

    def _fault(self, value: object) -> Complaint | None:
        """Return the Complaint of a number jsonb has no digits for, or of what is no JSON; None when all is well."""
        if value is None or isinstance(value, bool):
            return None
        if not is_number(value):
            return self.wrong_type(value)
        number = exact(value, type(self))
        return number if isinstance(number, Complaint) else None


def _is_soiled(text: str) -> bool:
    """Return whether the text holds what jsonb refuses: a NUL, or a half of a surrogate pair."""
    if text.isascii():
        return "\x00" in text
    return joined(text) != text or "\x00" in text


def _storable(value: Any) -> Any:
    """Return a copy of the value in which every text and key can be stored."""
    if isinstance(value, str):
        return joined(value).replace("\x00", "")
    if isinstance(value, list):
        return list(map(_storable, value))
    if isinstance(value, dict):
        return {_storable(key): _storable(part) for key, part in value.items()}
    return value
