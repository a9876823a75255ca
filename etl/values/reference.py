"""References to another record by its source id."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.types import TypeEngine

from etl.values.base import Kind, Violation
from etl.values.identifier import canonical_id

#: Ids that mean "none": the source's insert calls accept -1 for "no policy".
NULL_IDS = frozenset({"0", "-1", "00000000-0000-0000-0000-000000000000"})


@dataclass(frozen=True)
class Reference(Kind):
    """A reference to a row of another table: cleaned to the source id, stored as that row's computed UUID.

    `table` is the production table referred to. `label` is the API field beside the id that holds the name; it names
    the placeholder row until the record itself arrives; a function of the record where the field has several spellings.
    Of two tables that refer to each other, one is `deferred`: its foreign key is created after both tables.
    """

    name: ClassVar[str] = "reference"
    noun: ClassVar[str] = "an id of another record"
    stored_as: ClassVar[TypeEngine[Any]] = sa.Uuid()
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
        ("41207\x00", "reference-damaged"),
        ([41207], "reference-type"),
        ({"EntityID": 41207}, "reference-type"),
        (1.5, "reference-fraction"),
        ("9" * 201, "reference-too-long"),
    )

    table: str
    label: str | Callable[[Mapping[str, Any]], Any] | None = None
    deferred: bool = False

    @classmethod
    def example(cls) -> "Reference":
        """Return a reference to a contact."""
        return cls("contacts")

    def clean(self, raw: Any) -> str | Violation | None:
        """Return the canonical id of the record referred to, None when there is none, or a Violation."""
        target_id = canonical_id(raw, type(self))
        return None if target_id in NULL_IDS else target_id
