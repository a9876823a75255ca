"""A pointer to another record, by the source's id of it."""

from dataclasses import dataclass
from typing import Any, ClassVar

import sqlalchemy as sa

from etl.values.base import Complaint, Kind
from etl.values.identifier import canonical_id

#: Ids by which the source says "none": its own insert calls take -1 for "no policy".
NOBODY = frozenset({"0", "-1", "00000000-0000-0000-0000-000000000000"})


@dataclass(frozen=True)
class Reference(Kind):
    """A pointer to a row of another table: cleaned to the source's id, stored as that row's computed UUID.

    `table` is the production table pointed to; `label` the API field beside the id that names the thing, with which
    a placeholder row is named until the record itself arrives.
    """

    name: ClassVar[str] = "reference"
    noun: ClassVar[str] = "an id of another record"
    accepts: ClassVar[tuple[tuple[Any, Any], ...]] = (
        (41207, "41207"),
        ("41207 ", "41207"),
        (41207.0, "41207"),
        ("6F9619FF-8B86-D011-B42D-00C04FC964FF", "6f9619ff-8b86-d011-b42d-00c04fc964ff"),
        (None, None),
        ("", None),
        (0, None),
        (-1, None),
        ("0", None),
        ("-1", None),
        ("00000000-0000-0000-0000-000000000000", None),
    )
    rejects: ClassVar[tuple[tuple[Any, str], ...]] = (
        (True, "reference-type"),
        ([41207], "reference-type"),
        ({"EntityID": 41207}, "reference-type"),
        (1.5, "reference-fraction"),
        ("9" * 201, "reference-too-long"),
    )

    table: str
    label: str | None = None

    @classmethod
    def example(cls) -> "Reference":
        """Return a pointer to a contact."""
        return cls("contacts")

    @property
    def column_type(self) -> sa.Uuid[Any]:
        """UUID: the computed key of the row pointed to."""
        return sa.Uuid()

    def clean(self, raw: Any) -> str | Complaint | None:
        """Return the canonical id of the thing pointed to, None when it points nowhere, or a Complaint."""
        found = canonical_id(raw, type(self))
        return None if found in NOBODY else found
