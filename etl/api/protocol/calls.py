"""What to ask: each call of the API as a value, with its path, parameters and body."""

from dataclasses import dataclass
from datetime import date, timedelta
from urllib.parse import quote, urlencode

import msgspec

from etl.catalogue import Endpoint, Envelope, Resource

#: Stands in an endpoint's path or query for the parent's source id.
PARENT = "{parent}"


@dataclass(frozen=True, slots=True)
class Call:
    """One request, and what must be known of it to judge its answer."""

    method: str
    path: str  #: below the API's address, percent-encoded
    query: tuple[tuple[str, str], ...]
    body: bytes | None
    resource: str
    envelope: Envelope
    proven: bool  #: whether every account is known to offer it
    endpoint: int = 0  #: its place among the resource's endpoints
    page: int | None = None
    parent_id: str | None = None

    @property
    def target(self) -> str:
        """Path and query as they stand in the request."""
        return f"{self.path}?{urlencode(self.query, quote_via=quote)}" if self.query else self.path

    def __str__(self) -> str:
        return f"{self.resource}, page {self.page}" if self.page else self.resource


def page_call(
    resource: Resource, endpoint: Endpoint, first_day: date | None, last_day: date | None, page: int, size: int
) -> Call:
    """Return the call for one page of a feed.

    The days reach from the first to the midnight that begins the last; a size beyond what the endpoint grants is cut.
    """
    facts: list[tuple[str, str | int]] = []
    if endpoint.dates and first_day and last_day:
        end = last_day - timedelta(days=1) if endpoint.dates.end_included else last_day
        facts += [(endpoint.dates.start, first_day.isoformat()), (endpoint.dates.end, end.isoformat())]
    if endpoint.paging:
        facts += [(endpoint.paging.page, page), (endpoint.paging.size, min(size, endpoint.paging.largest))]
    return _call(resource, endpoint, facts, page=page)


def parent_call(resource: Resource, endpoint: Endpoint, parent_id: str) -> Call:
    """Return the call for what belongs to one parent; where it is paged, for all of it that one page grants."""
    paging = endpoint.paging
    return _call(
        resource, endpoint, [(paging.page, 1), (paging.size, paging.largest)] if paging else [], parent_id=parent_id
    )


def whole_call(resource: Resource, endpoint: Endpoint) -> Call:
    """Return the call for a whole list that is neither paged nor filtered."""
    return _call(resource, endpoint, [])


def _call(
    resource: Resource,
    endpoint: Endpoint,
    facts: list[tuple[str, str | int]],
    *,
    page: int | None = None,
    parent_id: str | None = None,
) -> Call:
    """Return the call with these facts where the endpoint wants them: in the query or in the body."""
    in_body = endpoint.paging is not None and endpoint.paging.in_body
    fixed = tuple((name, value.replace(PARENT, parent_id or "")) for name, value in endpoint.query)
    asked = () if in_body else tuple((name, str(value)) for name, value in facts)
    return Call(
        method=endpoint.method,
        path=endpoint.path.replace(PARENT, quote(parent_id or "", safe="")),
        query=fixed + asked,
        body=msgspec.json.encode(dict(facts)) if in_body else None,
        resource=resource.name,
        envelope=endpoint.envelope,
        proven=resource.documented and endpoint != resource.single,
        endpoint=0 if endpoint == resource.single else resource.endpoints.index(endpoint),
        page=page,
        parent_id=parent_id,
    )
