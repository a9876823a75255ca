"""The base class of all kinds of value, and the violation that a kind reports."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any, ClassVar, Self

import sqlalchemy as sa
from sqlalchemy.types import TypeEngine

from etl.docstrings import docstring_of


class Severity(StrEnum):
    """What a finding costs its record."""

    REFUSED = "refused"  #: the record cannot be trusted; it does not reach production
    DROPPED = "dropped"  #: the value is bad; the record loads with NULL in its place
    REPAIRED = "repaired"  #: the value was wrong and had one safe fix, which was applied
    NOTED = "noted"  #: worth knowing; the value is kept


@dataclass(frozen=True, slots=True)
class Violation:
    """The rule that a raw value broke, and the value that replaces it (None: no value)."""

    rule: str  #: stable, kebab-case, `<kind>-<what>`: `email-no-domain`
    message: str  #: a predicate without the value: "has nothing after the @"
    severity: Severity = Severity.DROPPED
    value: Any = None


#: The name of each JSON type in a message.
_JSON_TYPE_NAMES = {
    bool: "true or false",
    int: "a number",
    float: "a number",
    Decimal: "a number",
    str: "text",
    list: "a list",
    dict: "a group of fields",
}


class Kind(ABC):
    """A kind of value. Subclasses are frozen dataclasses: two with the same settings are equal.

    `clean` is total and pure: for any JSON value it returns the clean value, None for *absent* (null, blank, a
    placeholder text where the kind says so), or a Violation for *bad*. It never raises and never hangs. It is
    idempotent: `clean(clean(x)) == clean(x)`.
    """

    #: Stable, kebab-case: the first part of every rule of this kind.
    name: ClassVar[str]
    #: The name of one value in a sentence, with its article: "an email address".
    noun: ClassVar[str]
    #: The PostgreSQL type that holds clean values; a kind whose settings decide about it defines `column_type`.
    stored_as: ClassVar[TypeEngine[Any]] = sa.Text()
    #: Pairs of a raw value and its clean value (None: absent), for `example()`; used by tests and documentation.
    accepts: ClassVar[tuple[tuple[Any, Any], ...]] = ()
    #: Pairs of a raw value and the rule that it breaks, for `example()`.
    rejects: ClassVar[tuple[tuple[Any, str], ...]] = ()

    @property
    def column_type(self) -> TypeEngine[Any]:
        """The PostgreSQL type that holds clean values."""
        return self.stored_as

    @abstractmethod
    def clean(self, raw: Any) -> Any:
        """Return the clean value, None when absent, or a Violation."""

    @classmethod
    def example(cls) -> Self:
        """Return the instance that `accepts` and `rejects` apply to."""
        return cls()

    def describe(self) -> str:
        """Return one sentence for the data dictionary: what a value of this kind is and how it is stored."""
        return docstring_of(type(self)).partition("\n")[0]

    @classmethod
    def violation(
        cls, what: str, message: str, severity: Severity = Severity.DROPPED, value: object = None
    ) -> Violation:
        """Return a violation of the rule `<kind>-<what>`."""
        return Violation(f"{cls.name}-{what}", message, severity, value)

    @classmethod
    def type_violation(cls, raw: object) -> Violation:
        """Return the violation for a JSON type that cannot hold this kind."""
        type_name = _JSON_TYPE_NAMES.get(type(raw), "of an unknown type")
        return cls.violation("type", f"is {type_name}, which cannot be read as {cls.noun}")
