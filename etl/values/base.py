"""What a kind of value is: one room for cleaning, column type, examples and the words of the complaint."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any, ClassVar, Self

from sqlalchemy.types import TypeEngine


class Severity(StrEnum):
    """How much a finding costs the record it speaks of."""

    REFUSED = "refused"  #: the record cannot be trusted at all; nothing of it reaches production
    DROPPED = "dropped"  #: this value is bad; the record loads with NULL in its place
    REPAIRED = "repaired"  #: the value was wrong in a way with one safe cure, which was applied
    NOTED = "noted"  #: worth knowing; the value stays


@dataclass(frozen=True, slots=True)
class Complaint:
    """What a kind has against a raw value, and the value that stands in its place (None: nothing does)."""

    rule: str  #: stable, kebab-case, `<kind>-<what>`: `email-no-domain`
    words: str  #: for a person, without the value: "has no domain after the @"
    severity: Severity = Severity.DROPPED
    value: Any = None


#: What a value of each JSON type is called in a complaint.
_JSON_WORDS = {
    bool: "true or false",
    int: "a number",
    float: "a number",
    Decimal: "a number",
    str: "text",
    list: "a list",
    dict: "an object",
}


class Kind(ABC):
    """A kind of value. Subclasses are frozen dataclasses: two with the same settings are equal.

    `clean` is total and pure: for any JSON value it returns the clean value, None for *absent* (null, blank, a
    placeholder text where the kind says so), or a Complaint for *bad*; it raises nothing and never hangs. It is
    idempotent: `clean(clean(x)) == clean(x)`.
    """

    #: Stable, kebab-case: the first part of every rule of this kind.
    name: ClassVar[str]
    #: What one value is called in a sentence, with its article: "an e-mail address".
    noun: ClassVar[str]
    #: Pairs of a raw value and its clean value (None: absent), for `example()`. Tests and the documentation show them.
    accepts: ClassVar[tuple[tuple[Any, Any], ...]] = ()
    #: Pairs of a raw value and the rule that complains of it, for `example()`.
    rejects: ClassVar[tuple[tuple[Any, str], ...]] = ()

    @property
    @abstractmethod
    def column_type(self) -> TypeEngine[Any]:
        """The PostgreSQL type that holds clean values."""

    @abstractmethod
    def clean(self, raw: Any) -> Any:
        """Return the clean value, None when absent, or a Complaint."""

    @classmethod
    def example(cls) -> Self:
        """Return the instance that `accepts` and `rejects` speak of."""
        return cls()

    def describe(self) -> str:
        """Return one sentence for the data dictionary: what a value of this kind is and in which form it is kept."""
        return (type(self).__doc__ or "").partition("\n")[0]

    @classmethod
    def complain(cls, what: str, words: str, severity: Severity = Severity.DROPPED, value: object = None) -> Complaint:
        """Return a complaint whose rule is this kind's name and `what`."""
        return Complaint(f"{cls.name}-{what}", words, severity, value)

    @classmethod
    def wrong_type(cls, raw: object) -> Complaint:
        """Return the complaint of a JSON type that never holds this kind."""
        found = _JSON_WORDS.get(type(raw), "no JSON value")
        return cls.complain("type", f"is {found}, which cannot be read as {cls.noun}")
