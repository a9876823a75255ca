"""How well the facts about a call are known: path, envelope, id and fields, each at one of three levels."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """Where a fact comes from, the best source first."""

    VENDOR = "vendor"  #: the vendor's help pages, walkthrough or sample application say so
    INTEGRATOR = "integrator"  #: a public integration uses it
    ASSUMED = "assumed"  #: this project concludes it; nobody has published it


VENDOR, INTEGRATOR, ASSUMED = Level


@dataclass(frozen=True, slots=True)
class Facts:
    """The levels of the four facts about a resource.

    Of a derived resource, path and envelope are those of its records inside the records of the other resource.
    """

    path: Level  #: method and path of the call
    envelope: Level  #: what its answer wraps the records in
    id: Level  #: the name of the field that identifies a record, or that there is none
    fields: Level  #: the names of the other fields

    @property
    def is_documented(self) -> bool:
        """Whether records can be counted on to arrive and to be identified: fields may be unknown."""
        return ASSUMED not in (self.path, self.envelope, self.id)


ALL_VENDOR = Facts(VENDOR, VENDOR, VENDOR, VENDOR)
ALL_INTEGRATOR = Facts(INTEGRATOR, INTEGRATOR, INTEGRATOR, INTEGRATOR)
ALL_ASSUMED = Facts(ASSUMED, ASSUMED, ASSUMED, ASSUMED)
PATH_SEEN = Facts(INTEGRATOR, ASSUMED, ASSUMED, ASSUMED)
