"""Record ids of the source as canonical text, for every JSON type that they come in."""

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar

from etl.values.base import Kind, Violation
from etl.values.number import is_number, to_decimal
from etl.values.text import clean_text

LONGEST_ID = 200
_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)
_FAST_PATH_LIMIT = 10**18  # integers below it need no further checks
_FAST_PATH_LENGTH = 31  # a GUID has at least 32 characters


@dataclass(frozen=True)
class SourceId(Kind):
    """The source's id of a record as canonical text: 1, "1", " 1 " and 1.0 are one id, "01" is another."""

    name: ClassVar[str] = "source-id"
    noun: ClassVar[str] = "an id"
    accepts: ClassVar[tuple[tuple[Any, Any], ...]] = (
        (1, "1"),
        ("1", "1"),
        (" 1 ", "1"),
        (1.0, "1"),
        (Decimal("1.0"), "1"),
        (Decimal("1E+2"), "100"),
        ("01", "01"),
        (-1, "-1"),
        ("policy:88121:Broker fee", "policy:88121:Broker fee"),
        ("6F9619FF-8B86-D011-B42D-00C04FC964FF", "6f9619ff-8b86-d011-b42d-00c04fc964ff"),
        ("{6F9619FF-8B86-D011-B42D-00C04FC964FF}", "6f9619ff-8b86-d011-b42d-00c04fc964ff"),
        (None, None),
        ("", None),
        ("   ", None),
    )
    rejects: ClassVar[tuple[tuple[Any, str], ...]] = (
        (True, "source-id-type"),
        ("41207\x00", "source-id-damaged"),
        ("41207\ufffd", "source-id-damaged"),
        ([1], "source-id-type"),
        ({"ID": 1}, "source-id-type"),
        (1.5, "source-id-fraction"),
        (Decimal("0.1"), "source-id-fraction"),
        (float("inf"), "source-id-not-finite"),
        (Decimal("1E+999999"), "source-id-too-long"),
        ("9" * 201, "source-id-too-long"),
    )

    def clean(self, raw: Any) -> str | Violation | None:
        """Return the canonical id, None when blank, or a Violation."""
        return canonical_id(raw, type(self))


def source_id(raw: Any) -> str | Violation | None:
    """Return the canonical id of a record, None when blank, or a Violation: `SourceId` as a plain function."""
    return canonical_id(raw, SourceId)


def canonical_id(raw: object, kind: type[Kind]) -> str | Violation | None:
    """Return the canonical id, None when blank, or the kind's Violation."""
    if type(raw) is int and -_FAST_PATH_LIMIT < raw < _FAST_PATH_LIMIT:
        return str(raw)
    if type(raw) is str and len(raw) <= _FAST_PATH_LENGTH and raw.isascii() and raw.isalnum():
        return raw
    if is_number(raw):
        return _id_from_number(raw, kind)
    text = clean_text(raw, kind, LONGEST_ID)
    if not isinstance(text, str):
        return text
    bare = text[1:-1] if text[0] == "{" and text[-1] == "}" else text
    return bare.lower() if _GUID.fullmatch(bare) else text


def _id_from_number(raw: float | Decimal, kind: type[Kind]) -> str | Violation:
    """Return a number without a fraction as the digits of an id, or the kind's Violation."""
    number = to_decimal(raw, kind)
    if isinstance(number, Violation):
        return number
    if number != number.to_integral_value():
        return kind.violation("fraction", "is a number with decimals, which cannot be an id")
    return str(int(number))
