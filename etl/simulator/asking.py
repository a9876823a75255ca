"""A request as the answers see it: whom it speaks of, its parameters in any casing, and what is wrong with them."""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

MAX_PAGE, MAX_ENTERPRISE_PAGE = 500, 1000


class Refused(Exception):
    """The request is answered with an error instead."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


@dataclass(frozen=True, slots=True)
class Ask:
    """One request to one of the API's calls."""

    ids: tuple[int, ...] = ()
    query: dict[str, str] = field(default_factory=dict)  #: names in lower case, as the vendor's server ignores it
    body: dict[str, Any] = field(default_factory=dict)  #: likewise
    href: str = ""
    end_inclusive: bool = False

    def number(self, name: str, default: int | None = None) -> int:
        """Return a whole number from the query; refuses one that is missing without default, or no number."""
        return _whole(name, self.query.get(name.lower(), default))

    def from_body(self, name: str, default: int | None = None) -> int | None:
        """Return a whole number from the body, or the default when it is missing or null."""
        value = self.body.get(name.lower())
        return default if value is None else _whole(name, value)

    def day(self, name: str, *, required: bool = False) -> datetime | None:
        """Return the midnight UTC of a date from the query; a time of day that came with it does not count."""
        text = self.query.get(name.lower(), "")
        if not text and not required:
            return None
        found = re.match(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:$|[T ])", text)
        try:
            year, month, day = map(int, found.groups()) if found else (0, 0, 0)
            return datetime(year, month, day, tzinfo=UTC)
        except ValueError:
            raise Refused(400, f"The request is invalid: {name} must be a date.") from None


def page_of(number: int, size: int, cap: int) -> tuple[int, int]:
    """Return number and size of the wanted page; refuses what is below one or above the cap."""
    if number < 1:
        raise Refused(400, "pageNumber must be greater than 0.")
    if not 1 <= size <= cap:
        raise Refused(400, f"pageSize must be between 1 and {cap}.")
    return number, size


def _whole(name: str, value: object) -> int:
    if not re.fullmatch(r"-?\d{1,9}", str(value)):
        raise Refused(400, f"The request is invalid: {name} must be a whole number.")
    return int(str(value))
