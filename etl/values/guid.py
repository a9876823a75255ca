"""UUIDs, which .NET calls GUIDs."""

import re
from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.types import TypeEngine

from etl.values.base import Kind, Violation
from etl.values.text import clean_word

_LONGEST = 60
_FORM = re.compile(r"(?:urn:uuid:)?([0-9a-f]{8}(-?)(?:[0-9a-f]{4}\2){3}[0-9a-f]{12})", re.ASCII | re.IGNORECASE)
_PLAIN = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.ASCII)


@dataclass(frozen=True)
class Uuid(Kind):
    """A UUID; the nil UUID, all zeros, is absent."""

    name: ClassVar[str] = "uuid"
    noun: ClassVar[str] = "a unique id"
    stored_as: ClassVar[TypeEngine[Any]] = sa.Uuid()
    accepts: ClassVar[tuple[tuple[Any, Any], ...]] = (
        ("6f9619ff-8b86-d011-b42d-00c04fc964ff", UUID("6f9619ff-8b86-d011-b42d-00c04fc964ff")),
        (" {6F9619FF-8B86-D011-B42D-00C04FC964FF} ", UUID("6f9619ff-8b86-d011-b42d-00c04fc964ff")),
        ("6F9619FF8B86D011B42D00C04FC964FF", UUID("6f9619ff-8b86-d011-b42d-00c04fc964ff")),
        ("urn:uuid:6f9619ff-8b86-d011-b42d-00c04fc964ff", UUID("6f9619ff-8b86-d011-b42d-00c04fc964ff")),
        (None, None),
        ("", None),
        ("N/A", None),
        ("00000000-0000-0000-0000-000000000000", None),
    )
    rejects: ClassVar[tuple[tuple[Any, str], ...]] = (
        ("6f9619ff-8b86-d011-b42d-00c04fc964f", "uuid-format"),
        ("6f9619ff-8b86d011-b42d-00c04fc964ff", "uuid-format"),
        ("6f9619ff-8b86-d011-b42d-00c04fc964fg", "uuid-format"),
        ("{6f9619ff-8b86-d011-b42d-00c04fc964ff", "uuid-format"),
        ("41207", "uuid-format"),
        (41207, "uuid-format"),
        (True, "uuid-type"),
        ([], "uuid-type"),
    )

    def clean(self, raw: Any) -> UUID | Violation | None:
        """Return the UUID, None when absent, or a Violation."""
        if isinstance(raw, UUID):
            return raw if raw.int else None
        if type(raw) is str and _PLAIN.fullmatch(raw):
            uuid = UUID(raw)
            return uuid if uuid.int else None
        text = clean_word(raw, type(self), _LONGEST)
        if not isinstance(text, str):
            return text
        parts = _FORM.fullmatch(text[1:-1] if text[0] == "{" and text[-1] == "}" else text)
        if parts is None:
            return self.violation("format", "is not a unique id, which has 32 digits and letters from a to f")
        return self.clean(UUID(parts[1]))
