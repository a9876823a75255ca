"""The five shapes in which the API answers."""

from dataclasses import dataclass
from typing import Any

from etl.simulator.collection import encode

HELP_PAGE = b"""<!DOCTYPE html>
<html><head><title>QQCatalyst API Help</title></head>
<body><h1>404 - Not found</h1><p>The page that you asked for does not exist.</p><a href="/Help">Help index</a>
</body></html>
"""
LOGIN_PAGE = b"""<!DOCTYPE html>
<html><head><title>Log in</title></head>
<body><form action="/login" method="post"><input name="user"><input name="password" type="password"></form>
</body></html>
"""


@dataclass(frozen=True, slots=True)
class PagedAnswer:
    """A page: JSON texts of its items, and the fields of its envelope."""

    items: tuple[bytes, ...]
    number: int
    size: int
    total: Any
    pages: Any
    href: str
    is_enterprise: bool = False
    success: bool = True

    def body(self) -> bytes:
        """Return the page in its envelope."""
        head: dict[str, Any] = {"PageNumber": self.number}
        if self.is_enterprise:
            head |= {"PageSize": self.size, "TotalItems": self.total, "TotalPages": self.pages}
        else:
            head |= {
                "PagesTotal": self.pages, "TotalItems": self.total, "IsSuccess": self.success,
                "ErrorCode": None if self.success else "5001",
                "ErrorMessage": None if self.success else "The operation did not succeed.",
                "DisplayMessage": None, "Links": [], "Href": self.href,
            }  # fmt: skip
        return b'{"Data":' + array(self.items) + b"," + encode(head)[1:]


@dataclass(frozen=True, slots=True)
class Array:
    """A bare array of items."""

    items: tuple[bytes, ...]

    def body(self) -> bytes:
        """Return the array."""
        return array(self.items)


@dataclass(frozen=True, slots=True)
class Whole:
    """A bare object or a bare value."""

    item: Any

    def body(self) -> bytes:
        """Return the object."""
        return encode(self.item)


@dataclass(frozen=True, slots=True)
class ActionResult:
    """A result in the envelope of an action."""

    result: Any
    entity: int | None
    policy: int | None
    success: bool = True

    def body(self) -> bytes:
        """Return the result in its envelope."""
        return encode({
            "Result": self.result if self.success else None, "CreatedBy": None, "EntityID": self.entity,
            "RowSource": "QQ", "PolicyID": self.policy, "IsSuccess": self.success,
            "ErrorCode": None if self.success else "5001",
            "ErrorMessage": None if self.success else "The operation did not succeed.", "InfoMessage": None,
        })  # fmt: skip


Answer = PagedAnswer | Array | Whole | ActionResult


def array(items: tuple[bytes, ...]) -> bytes:
    """Return JSON texts joined to an array."""
    return b"[" + b",".join(items) + b"]"
