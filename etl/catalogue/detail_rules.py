"""Which details are read and in which order: the rules that the catalogue declares for a parent. Pure.

The child queue applies the same rules in SQL (`etl.ledger.children.parent_conditions`), and a test compares the two.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import IntEnum, StrEnum
from typing import Any, ClassVar

from etl.models.sources import is_one_of

#: A policy that ends within this many days is about to be renewed or lost: its details are read first.
EXPIRES_SOON_DAYS = 90
#: A policy that ended within this many days (13 months) still counts in reports about the last year.
RECENTLY_ENDED_DAYS = 396


class Priority(IntEnum):
    """How much the details of a parent are worth: details of a lower number are read first."""

    SAMPLE = 0  #: a few parents whose answers decide whether others are asked for at all
    EXPIRING = 1  #: policies in force or pending that end soon
    IN_FORCE = 2  #: other policies in force or pending
    CUSTOMER = 3  #: active customers
    ENDED = 4  #: policies that ended recently
    OTHER_CONTACT = 5  #: former customers, and prospects that a live policy names
    LONG_ENDED = 6  #: policies that ended long ago


#: The priorities of active parents, whose details are refreshed more often.
ACTIVE = (Priority.SAMPLE, Priority.EXPIRING, Priority.IN_FORCE, Priority.CUSTOMER)


class Need(StrEnum):
    """Whether a parent gets a call."""

    YES = "yes"
    NO = "no"
    IF_SAMPLE_HAS_ANY = "if the sample has any"


#: Years that occur in real dates; `0001` and `9999` mean no date. Each form has its groups in another order.
_YEAR, _MONTH, _DAY = "((19|20|21)[0-9]{2})", "(0?[1-9]|1[0-2])", "(0?[1-9]|[12][0-9]|3[01])"
ISO_DAY = rf"^\s*{_YEAR}[-/]{_MONTH}[-/]{_DAY}([^0-9]|$)"
US_DAY = rf"^\s*{_MONTH}/{_DAY}/{_YEAR}([^0-9]|$)"
#: Milliseconds since 1970, up to the year 2286.
MILLISECONDS = r"^\s*/Date[(](-?[0-9]{1,13})([-+][0-9]{4})?[)]/\s*$"


def read_day(text: object) -> date | None:
    """Return the day in a text that the API sends as a date, None if there is none.

    An impossible day such as 30 February counts as the days after the month's first, since only the order matters.
    """
    if not isinstance(text, str):
        return None
    if match := re.search(ISO_DAY, text):
        return date(int(match[1]), int(match[3]), 1) + timedelta(days=int(match[4]) - 1)
    if match := re.search(US_DAY, text):
        return date(int(match[3]), int(match[1]), 1) + timedelta(days=int(match[2]) - 1)
    if match := re.search(MILLISECONDS, text):
        return date(1970, 1, 1) + timedelta(milliseconds=int(match[1]))
    return None


#: A field of a parent, and the codes that it may have.
Codes = tuple[str, tuple[str, ...]]


def has_code(record: Mapping[str, Any], codes: Codes) -> bool:
    """Return whether a field of a record has one of some codes, read as columns are cleaned."""
    return is_one_of(record.get(codes[0]), codes[1])


@dataclass(frozen=True, slots=True)
class EqualValue:
    """The same value for every record: for parents that are few."""

    priority: Priority = Priority.IN_FORCE
    active: ClassVar[None] = None

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields of the parent's record that decide: none."""
        return ()

    def find_priority(self, record: Mapping[str, Any], today: date) -> Priority:  # noqa: ARG002 (as of a term)
        """Return the priority of a record."""
        return self.priority


@dataclass(frozen=True, slots=True)
class TermValue:
    """The value of a policy, by its status and its term. Dates decide what is in force: an expiry is no change.

    In force or pending are the parents with an active status whose term has not ended; without an end it is continuous.
    """

    begins: str
    ends: str
    active: Codes

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields of the parent's record that decide."""
        return (self.begins, self.ends, self.active[0])

    def find_priority(self, record: Mapping[str, Any], today: date) -> Priority:
        """Return the priority of a record."""
        ends = read_day(record.get(self.ends))
        if has_code(record, self.active) and (ends is None or ends >= today):
            is_soon = ends is not None and ends <= today + timedelta(days=EXPIRES_SOON_DAYS)
            return Priority.EXPIRING if is_soon else Priority.IN_FORCE
        ended = ends or read_day(record.get(self.begins))
        is_recent = ended is not None and ended >= today - timedelta(days=RECENTLY_ENDED_DAYS)
        return Priority.ENDED if is_recent else Priority.LONG_ENDED


@dataclass(frozen=True, slots=True)
class ContactValue:
    """The value of a contact: active customers come before anybody else."""

    kinds: tuple[str, ...]  #: coded fields, any of which decides
    others: tuple[str, ...]  #: the codes of contacts that are no customers
    active: Codes

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields of the parent's record that decide."""
        return (*self.kinds, self.active[0])

    def find_priority(self, record: Mapping[str, Any], today: date) -> Priority:  # noqa: ARG002 (as of a term)
        """Return the priority of a record."""
        is_other = any(has_code(record, (field, self.others)) for field in self.kinds)
        return Priority.CUSTOMER if has_code(record, self.active) and not is_other else Priority.OTHER_CONTACT


@dataclass(frozen=True, slots=True)
class NearStart:
    """A call only for parents that begin or began within some days, and for those with a code."""

    begins: str
    days: int
    always: Codes

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields of the parent's record that decide."""
        return (self.begins, self.always[0])

    def find_need(self, record: Mapping[str, Any], today: date) -> Need:
        """Return whether a record gets a call."""
        begins = read_day(record.get(self.begins))
        is_near = begins is not None and abs((begins - today).days) <= self.days
        return Need.YES if is_near or has_code(record, self.always) else Need.NO


@dataclass(frozen=True, slots=True)
class IfChanged:
    """A call for parents that were ever changed, and for those with a code.

    That the others have nothing is inferred: it is checked with a sample of them. If one of the sample has a record,
    every parent gets a call.
    """

    flag: str  #: true in the records that were changed
    modified: str
    created: str
    always: Codes
    sample: int  #: number of unchanged parents that are asked for

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields of the parent's record that decide."""
        return (self.flag, self.modified, self.created, self.always[0])

    def find_need(self, record: Mapping[str, Any], today: date) -> Need:  # noqa: ARG002 (as near a start)
        """Return whether a record gets a call. A record is changed if its times, as text, are in that order."""
        is_flagged = is_one_of(record.get(self.flag), (True,))
        modified, created = record.get(self.modified), record.get(self.created)
        is_later = isinstance(modified, str) and isinstance(created, str) and modified > created
        is_changed = is_flagged or is_later or has_code(record, self.always)
        return Need.YES if is_changed else Need.IF_SAMPLE_HAS_ANY


Value = TermValue | ContactValue | EqualValue
NeedRule = NearStart | IfChanged
