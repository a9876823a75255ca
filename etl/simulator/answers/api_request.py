"""An API request as the answers read it: the ids in its path and its parameters, whose casing is ignored."""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

MAX_PAGE, MAX_ENTERPRISE_PAGE = 500, 1000
DEFAULT_PAGE = 10


class RefusedRequest(Exception):
    """The request is answered with an error instead."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


@dataclass(frozen=True, slots=True)
class ApiRequest:
    """One request to one of the API's calls."""

    ids: tuple[int, ...] = ()
    query: dict[str, str] = field(default_factory=dict)  #: names in lower case, as the casing does not matter
    body: dict[str, Any] = field(default_factory=dict)  #: likewise
    href: str = ""
    end_inclusive: bool = False
    max_page: int = MAX_PAGE
    policy_info_spelling: str = "own"

    def number(self, name: str, default: int | None = None) -> int:
        """Return a whole number from the query; RefusedRequest when it is no number, or missing without a default."""
        return _whole(name, self.query.get(name.lower(), default))

    def from_body(self, name: str, default: int | None = None) -> int | None:
        """Return a whole number from the body, or the default when it is missing or null."""
        value = self.body.get(name.lower())
        return default if value is None else _whole(name, value)

    def day(self, name: str, *, required: bool = False) -> datetime | None:
        """Return the midnight UTC of a date from the query; a time of day after it is ignored."""
        text = self.query.get(name.lower(), "")
        if not text and not required:
            return None
        match = re.match(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:$|[T ])", text)
        try:
            year, month, day = map(int, match.groups()) if match else (0, 0, 0)
            return datetime(year, month, day, tzinfo=UTC)
        except ValueError:
            raise RefusedRequest(400, f"The request is invalid: {name} must be a date.") from None

    def page(self) -> tuple[int, int]:
        """Return number and size of the page that `pageNumber` and `pageSize` ask for."""
        return page_of(self.number("pageNumber", 1), self.number("pageSize", DEFAULT_PAGE), self.max_page)


def page_of(number: int, size: int, cap: int) -> tuple[int, int]:
    """Return number and size of the wanted page; raises RefusedRequest below 1 and above the cap."""
    if number < 1:
        raise RefusedRequest(400, "pageNumber must be greater than 0.")
    if not 1 <= size <= cap:
        raise RefusedRequest(400, f"pageSize must be between 1 and {cap}.")
    return number, size


def _whole(name: str, value: object) -> int:
    if not re.fullmatch(r"-?\d{1,9}", str(value)):
        raise RefusedRequest(400, f"The request is invalid: {name} must be a whole number.")
    return int(str(value))
