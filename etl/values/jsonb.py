"""JSON kept as received, without characters that PostgreSQL's jsonb cannot store."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar

from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeEngine

from etl.values.base import Kind, Severity, Violation
from etl.values.number import is_number, to_decimal
from etl.values.text import DAMAGED, DAMAGED_MESSAGE, replace_surrogates

MAX_DEPTH = 200


@dataclass(frozen=True)
class Json(Kind):
    """A JSON value as received, with U+FFFD in place of NUL and lone surrogates, which jsonb rejects.

    `keys` are the known keys of its objects, in the spelling that the column shows.
    """

    name: ClassVar[str] = "json"
    noun: ClassVar[str] = "nested data"
    stored_as: ClassVar[TypeEngine[Any]] = JSONB()
    accepts: ClassVar[tuple[tuple[Any, Any], ...]] = (
        ({"Limit": 1, "Names": ["a", None]}, {"Limit": 1, "Names": ["a", None]}),
        ({}, {}),
        ([], []),
        (False, False),
        (Decimal("1.10"), Decimal("1.10")),
        ("  kept as it is ", "  kept as it is "),
        (None, None),
        ("", None),
    )
    rejects: ClassVar[tuple[tuple[Any, str], ...]] = (
        (float("nan"), "json-not-finite"),
        ({"Limit": [Decimal("Infinity")]}, "json-not-finite"),
        ([10**5000], "json-too-long"),
        ([Decimal("1E+200000")], "json-too-long"),
        ({"a\x00": ["b\x00c", "half \ud83d"]}, "json-damaged"),
        (["half \ufffd"], "json-damaged"),
        ({1: "a"}, "json-type"),
        ([b"a"], "json-type"),
    )

    keys: tuple[str, ...] = ()

    def clean(self, raw: Any) -> Any:
        """Return the value, None when absent, or a Violation, with a copy if characters had to be replaced."""
        is_storable, is_damaged = True, False
        waiting = [(raw, 0)]
        while waiting:
            value, level = waiting.pop()
            if isinstance(value, str):
                storable = _storable(value)
                is_storable &= storable == value
                is_damaged |= DAMAGED in storable
            elif isinstance(value, (list, dict)):
                if level == MAX_DEPTH:
                    return self.violation("too-deep", f"is nested more than {MAX_DEPTH} levels deep")
                waiting.extend((part, level + 1) for part in value)
                if isinstance(value, dict):
                    if not all(isinstance(key, str) for key in value):
                        return self.type_violation(value)
                    waiting.extend((part, level + 1) for part in value.values())
            else:
                violation = self._scalar_violation(value)
                if violation is not None:
                    return violation
        clean = raw if is_storable else _replace_unstorable(raw)
        if is_damaged:
            return self.violation("damaged", DAMAGED_MESSAGE, Severity.REPAIRED, clean)
        return None if clean == "" else clean

    def _scalar_violation(self, value: object) -> Violation | None:
        """Return the Violation for a number that jsonb cannot hold or a value that is not JSON, None when valid."""
        if value is None or isinstance(value, bool):
            return None
        if not is_number(value):
            return self.type_violation(value)
        number = to_decimal(value, type(self))
        return number if isinstance(number, Violation) else None


def _storable(text: str) -> str:
    """Return the text with the halves of a surrogate pair joined, and U+FFFD for NUL and for a lone half."""
    return (text if text.isascii() else replace_surrogates(text)).replace("\x00", DAMAGED)


def _replace_unstorable(value: Any) -> Any:
    """Return a copy of the value whose texts and keys can be stored."""
    if isinstance(value, str):
        return _storable(value)
    if isinstance(value, list):
        return list(map(_replace_unstorable, value))
    if isinstance(value, dict):
        return {_replace_unstorable(key): _replace_unstorable(part) for key, part in value.items()}
    return value
