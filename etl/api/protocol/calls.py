"""Calls of the API as values, with path, parameters and body."""

from dataclasses import dataclass
from datetime import date, timedelta
from urllib.parse import quote, urlencode

import msgspec

from etl.catalogue.resource import Endpoint, Envelope, Resource

#: Placeholder for the parent's source id in an endpoint's path or query.
PARENT = "{parent}"


@dataclass(frozen=True, slots=True)
class Call:
    """One request, with the facts needed to interpret its answer."""

    method: str
    path: str  #: below the API's address, percent-encoded
    query: tuple[tuple[str, str], ...]
    body: bytes | None
    resource: str
    envelope: Envelope
    documented: bool  #: whether every account is known to offer it
    endpoint: int = 0  #: its index in the resource's endpoints
    page: int | None = None
    parent_id: str | None = None
    divisible: bool = False  #: whether the caller makes a smaller call where the server fails at this one
    attempts: int | None = None  #: the most attempts; None: those of the retry policy

    @property
    def target(self) -> str:
        """Path and query of the request."""
        return f"{self.path}?{urlencode(self.query, quote_via=quote)}" if self.query else self.path

    def __str__(self) -> str:
        return f"{self.resource}, page {self.page}" if self.page else self.resource


def page_call(
    resource: Resource, endpoint: Endpoint, first_day: date | None, last_day: date | None, page: int, size: int
) -> Call:
    """Return the call for one page of a feed.

    The range ends at the start of `last_day` (exclusive). The size is at most the endpoint's largest.
    """
    parameters: list[tuple[str, str | int]] = []
    if endpoint.dates and first_day and last_day:
        end = last_day - timedelta(days=1) if endpoint.dates.end_included else last_day
        parameters += [(endpoint.dates.start, first_day.isoformat()), (endpoint.dates.end, end.isoformat())]
    if endpoint.paging:
        parameters += [(endpoint.paging.page, page), (endpoint.paging.size, min(size, endpoint.paging.largest))]
    return _call(resource, endpoint, parameters, page=page)


def parent_call(resource: Resource, endpoint: Endpoint, parent_id: str, page: int = 1, size: int | None = None) -> Call:
    """Return the call for the records of one parent; if paged, for a page of at most this size. None: the largest."""
    paging = endpoint.paging
    parameters: list[tuple[str, str | int]] = []
    if paging:
        parameters = [(paging.page, page), (paging.size, min(size or paging.largest, paging.largest))]
    return _call(resource, endpoint, parameters, parent_id=parent_id)


def whole_call(resource: Resource, endpoint: Endpoint) -> Call:
    """Return the call for a whole list that is neither paged nor filtered."""
    return _call(resource, endpoint, [])


def _call(
    resource: Resource,
    endpoint: Endpoint,
    parameters: list[tuple[str, str | int]],
    *,
    page: int | None = None,
    parent_id: str | None = None,
) -> Call:
    """Return the call with its parameters in the query or in the body, as the endpoint requires."""
    in_body = endpoint.paging is not None and endpoint.paging.in_body
    fixed = tuple((name, value.replace(PARENT, parent_id or "")) for name, value in endpoint.query)
    variable = () if in_body else tuple((name, str(value)) for name, value in parameters)
    return Call(
        method=endpoint.method,
        path=endpoint.path.replace(PARENT, quote(parent_id or "", safe="")),
        query=fixed + variable,
        body=msgspec.json.encode(dict(parameters)) if in_body else None,
        resource=resource.name,
        envelope=endpoint.envelope,
        documented=resource.is_documented and endpoint != resource.changes.single,
        endpoint=0 if endpoint == resource.changes.single else resource.endpoints.index(endpoint),
        page=page,
        parent_id=parent_id,
    )
