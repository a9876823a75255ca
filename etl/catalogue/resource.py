"""The classes that the catalogue is written in: endpoint, envelope, parent, derivation, resource."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from etl.catalogue.detail_rules import NeedRule, Value
from etl.catalogue.facts import Facts
from etl.models.base import PRIMARY, DataSource, Model, StagedOnly
from etl.models.sources import is_one_of

Record = Mapping[str, Any]
Derive = Callable[[Record], Iterable[Record]]


class Envelope(StrEnum):
    """The five shapes in which the API wraps its records."""

    PAGE = "page"  #: Data[], PageNumber, PagesTotal, TotalItems, IsSuccess, ErrorCode ...
    ENTERPRISE = "enterprise page"  #: Data[], PageNumber, PageSize, TotalItems, TotalPages
    ACTION = "action result"  #: Result{}, IsSuccess, ErrorCode ...
    ARRAY = "bare array"
    OBJECT = "bare object"


@dataclass(frozen=True, slots=True)
class Paging:
    """How a call names its page and page size, where they are sent, and the largest page size."""

    page: str = "pageNumber"
    size: str = "pageSize"
    largest: int = 500
    in_body: bool = False


@dataclass(frozen=True, slots=True)
class Dates:
    """How a feed names its first and last day, and whether the last is included."""

    start: str = "startDate"
    end: str = "endDate"
    end_included: bool = False
    field: str = "modified or created"  #: the dates of a record that the feed filters by
    shown: bool = True  #: whether the records have these dates


FEED = Paging()
ENTERPRISE = Paging(largest=1000)
BODY = Paging(page="PageNo", size="PageSize", in_body=True)
DAYS = Dates()


@dataclass(frozen=True, slots=True)
class Nested:
    """For responses whose items are not records but contain a list of them: a complete set per parent.

    The item's other fields are added to each record under `_parent`. Totals of the envelope count items.
    """

    list: str
    parent: str  #: the resource that the item describes
    parent_id: str  #: the item's field with that parent's source id
    #: The item's fields that tell the items of one parent apart; without them a parent has one item.
    key: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One call of the API. `{parent}` in path or query is replaced by the parent's source id."""

    path: str
    envelope: Envelope
    paging: Paging | None = None
    dates: Dates | None = None
    method: str = "GET"
    query: tuple[tuple[str, str], ...] = ()
    #: Facts that follow from the call and are not in its records; added to each record under `_call`.
    implies: tuple[tuple[str, str], ...] = ()
    nested: Nested | None = None
    #: What the records of one answer without an id of their own share; those that share it are numbered, and the number
    #: is added to each after the first as `_call.number`. None for records with an id.
    numbered_by: Callable[[Record], str | None] | None = None


@dataclass(frozen=True, slots=True)
class ParentFilter:
    """Which records of a parent resource get calls of their own: a rule over coded fields, any of which decides."""

    fields: tuple[str, ...]
    excluded: tuple[str, ...]  #: codes of records that never get a call
    if_referenced: tuple[str, ...]  #: codes of records that get a call once a live row refers to them
    referrer: tuple[str, str]  #: the table of such rows and its column; the resource has the name of the table

    def is_met(self, record: Record) -> bool:
        """Return whether a record always gets a call, even without a reference to it."""
        return not self._has_any(record, (*self.excluded, *self.if_referenced))

    def may_be_met(self, record: Record) -> bool:
        """Return whether a record gets a call if a row refers to it."""
        return not self._has_any(record, self.excluded)

    def _has_any(self, record: Record, codes: tuple[str, ...]) -> bool:
        """Return whether any of the fields has one of some codes."""
        return any(is_one_of(record.get(field), codes) for field in self.fields)


@dataclass(frozen=True, slots=True)
class Parent:
    """The parent resource of a resource that is read with one call for each record of the parent."""

    resource: str
    #: What the details of a record of the parent are worth: the order in which they are read.
    value: Value
    #: Fields of the parent's record that the child needs; added to each child record under `_parent`.
    parent_fields: tuple[str, ...] = ()
    #: The parents that get a call; None: all.
    parent_filter: ParentFilter | None = None
    #: Which of them get a call today; None: all.
    need: NeedRule | None = None
    #: Creates substitute records from the parent's record when the answer for a parent is empty.
    fallback: Derive | None = None
    #: True: read only when ETL_RESOURCES or the command line names it, since it costs a call per customer or policy.
    optional: bool = False

    @property
    def deciding_fields(self) -> tuple[str, ...]:
        """The fields of the parent's record that decide whether and when it gets a call."""
        filter_fields = self.parent_filter.fields if self.parent_filter is not None else ()
        return (*filter_fields, *self.value.fields, *(self.need.fields if self.need is not None else ()))


@dataclass(frozen=True, slots=True)
class Derivation:
    """Records created from parts of another resource's record; the parts of one record are a complete set."""

    resource: str  #: the resource whose records hold the parts
    make: Derive
    #: False: several records may contain the same part, so no record owns it and no set is complete.
    owned: bool = True
    #: True: only created while the account does not offer the resource itself.
    fallback: bool = False
    #: The list in the record that holds the parts. A record without it says nothing about them; None: any record does.
    list: str | None = None
    #: The fields that say what a record is. A record in which all are blank says nothing about its parts.
    types: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SoftReference:
    """A column whose text identifies a row of another table without a foreign key to it."""

    column: str
    #: The column with the name of that row; None if its source id is the name.
    label: str | None = None
    #: What precedes the column's text in the source id.
    prefix: str = ""
    #: The foreign key to that table, if there is one; the text is not used where it is set.
    unless: str | None = None


@dataclass(frozen=True, slots=True)
class ReferenceStub:
    """A row for another table from a reference to it: it creates placeholders and never overwrites better data."""

    model: type[Model]
    make: Callable[[Record], Iterable[tuple[str, str | None]]]  #: returns the source ids and names in a record
    #: The columns in which rows keep these source ids and names, for the tables that have these columns.
    soft_references: tuple[SoftReference, ...] = ()


@dataclass(frozen=True, slots=True)
class Changes:
    """What shows that a record was created, changed or deleted."""

    modified: str | None = None  #: the field with the time of the last change
    created: str | None = None  #: the field with the time of creation
    #: The call that returns one record, to check a record that lists no longer contain.
    single: Endpoint | None = None

    @property
    def times(self) -> tuple[str, ...]:
        """The fields with times that a record has."""
        return tuple(name for name in (self.modified, self.created) if name)


@dataclass(frozen=True, slots=True)
class Staging:
    """What staging does with fields that no column reads."""

    #: Fields removed before staging, at any depth of the record, beside those that `etl.sensitive` knows by their name.
    secrets: tuple[str, ...] = ()
    #: Known fields that staging keeps and that have no column; they are not reported as new.
    known_unmapped: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Resource:
    """A collection of the API and the table it fills. `etl.resources` lists all of them."""

    name: str
    model: type[Model]
    id: str | Callable[[Record], Any]
    #: Where its records come from: calls, and parts of the records of other resources.
    sources: tuple[Endpoint | Derivation, ...]
    changes: Changes = Changes()
    parent: Parent | None = None
    staging: Staging = Staging()
    stubs: tuple[ReferenceStub, ...] = ()
    data_source: DataSource = PRIMARY
    #: How well its call is known, or, if it is derived, its part of another resource's records.
    facts: Facts = field(kw_only=True)

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """Its calls."""
        return tuple(source for source in self.sources if isinstance(source, Endpoint))

    @property
    def derived(self) -> tuple[Derivation, ...]:
        """The parts of other resources' records that are records of it."""
        return tuple(source for source in self.sources if isinstance(source, Derivation))

    @property
    def nested(self) -> Nested | None:
        """How the items of its calls contain its records, None if they are its records."""
        return next((endpoint.nested for endpoint in self.endpoints), None)

    @property
    def is_optional(self) -> bool:
        """Whether it is read only when it is named."""
        return self.parent is not None and self.parent.optional

    @property
    def is_documented(self) -> bool:
        """Whether every account can be expected to offer its calls; a derived resource has none that may be absent."""
        return not self.endpoints or self.facts.is_documented

    @property
    def needs_enterprise_access(self) -> bool:
        """Whether only enterprise credentials open its calls."""
        return any(endpoint.envelope is Envelope.ENTERPRISE for endpoint in self.endpoints)

    @property
    def access(self) -> str:
        """Who is given its calls."""
        return "enterprise" if self.needs_enterprise_access else "everybody"

    @property
    def is_whole_list(self) -> bool:
        """Whether it is read as a whole each time, without dates or parents."""
        return bool(self.endpoints) and self.parent is None and not any(point.dates for point in self.endpoints)

    @property
    def raw_table(self) -> str:
        """The staging table of this resource."""
        return f"raw_{self.name}"

    @property
    def has_table(self) -> bool:
        """Whether its records become rows of a production table; otherwise they are only staged."""
        return self.model is not StagedOnly

    @property
    def table(self) -> str:
        """The table that holds its records: the production table, or the staging table if there is no other."""
        return str(self.model.__tablename__) if self.has_table else self.raw_table
