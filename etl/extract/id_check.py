"""Checks that the answers of an undocumented call hold what it is declared to return."""

from dataclasses import replace

from etl.api.protocol import Answer, Call, make_records
from etl.catalogue.resource import Resource
from etl.errors import UnexpectedResponse
from etl.ledger.children.queue import ChildRequest
from etl.models.sources import describe_source

#: Items of a page of an undocumented resource that are looked at for the declared id.
ID_SAMPLE = 10


class IdCheck:
    """Whether the items of one resource have the declared id."""

    def __init__(self, resource: Resource) -> None:
        self.resource = resource
        self.has_seen_ids = False  #: whether an answer held the declared id

    def check(self, call: Call, answer: Answer, child: ChildRequest | None = None) -> None:
        """Raise UnexpectedResponse when an undocumented call answers with items of which none has the declared id.

        Once items had it, one without it is a faulty record of its own.
        """
        if self.has_seen_ids or self.resource.is_documented or not answer.page.items:
            return
        sample = replace(answer.page, items=answer.page.items[:ID_SAMPLE])
        endpoint = self.resource.endpoints[call.endpoint]
        if not make_records(self.resource, endpoint, sample, requested_at=answer.requested_at, parent=child).item_ids:
            raise UnexpectedResponse(f"{call}: the items have no {describe_source(self.resource.id)}.")
        self.has_seen_ids = True
