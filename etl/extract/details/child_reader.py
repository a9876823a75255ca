"""Reads the child records of one parent after another: every page of every call, as one answer."""

from collections.abc import Sequence
from dataclasses import replace

from etl.api.protocol import Answer, Call, Page, parent_call
from etl.catalogue.resource import Endpoint, Resource
from etl.engine.answers import FetchedPage, FetchFailed, to_fetched_page
from etl.errors import ApiUnavailable, CallFailed, EndpointRefused, NotFound
from etl.extract.id_check import IdCheck
from etl.extract.page_size import PageSource, next_smaller_size
from etl.ledger.children.queue import ChildRequest
from etl.models.states import CallOutcome


class ChildReader:
    """Reads the child records of one resource."""

    def __init__(self, api: PageSource, resource: Resource, page_size: int) -> None:
        self.api = api
        self.resource = resource
        self.page_size = page_size
        self.ids = IdCheck(resource)

    def example_call(self) -> Call:
        """Return a call for a parent that does not exist, to name the resource in a message."""
        return parent_call(self.resource, self.resource.endpoints[0], "0")

    async def read_child(self, child: ChildRequest) -> FetchedPage | FetchFailed:
        """Fetch the child records of one parent."""
        call = parent_call(self.resource, self.resource.endpoints[0], child.parent_id)
        try:
            answers: list[Answer] = []
            for endpoint in self.resource.endpoints:
                answers += await self.fetch_set(endpoint, child)
        except NotFound as error:
            return FetchFailed(child, str(error), CallOutcome.NOT_FOUND)
        except ApiUnavailable as error:
            return FetchFailed(child, str(error), is_call_failure=isinstance(error, CallFailed))
        answer = join_answers(answers)
        if answer.page.says_nothing and child.has_answered:
            reason = f"{call}: QQCatalyst answered without a list or an object, although it gave one before."
            return FetchFailed(child, reason, CallOutcome.NO_ANSWER)
        return to_fetched_page(call, answer, None, child)

    async def fetch_set(self, endpoint: Endpoint, child: ChildRequest) -> list[Answer]:
        """Fetch every page of one call for a parent, smaller ones if the API refuses the size.

        Raises ApiUnavailable when records are missing: what a complete answer lacks is deleted, so an answer that is
        shorter than it says must not count as complete.
        """
        answers: list[Answer] = []
        items: set[bytes] = set()
        may_have_more = True
        while may_have_more:
            size = min(self.page_size, endpoint.paging.largest) if endpoint.paging else 0
            call = parent_call(self.resource, endpoint, child.parent_id, len(answers) + 1, size)
            try:
                answer = await self.api.fetch(call)
            except EndpointRefused as refusal:
                smaller = next_smaller_size(size) if refusal.may_concern_size else None
                if smaller is None:
                    raise
                self.page_size = min(self.page_size, smaller)
                answers, items = [], set()  # pages of two sizes do not fit together
                continue
            self.ids.check(call, answer, child)
            answers.append(answer)
            page, items_before = answer.page, len(items)
            items.update(page.items)
            is_full = endpoint.paging is not None and len(page.items) >= size
            is_unfinished = is_full if page.total is None else len(items) < page.total
            may_have_more = endpoint.paging is not None and is_unfinished and len(items) > items_before
        if page.total is not None and len(items) < page.total:
            raise ApiUnavailable(
                f"{call}: the API reported {page.total} records of one parent but returned {len(items)}."
            )
        return answers


def join_answers(answers: Sequence[Answer]) -> Answer:
    """Return the answers of several calls for one parent as one answer, dated by the first call."""
    first, *others = answers
    if not others:
        return first
    pages = [answer.page for answer in answers]
    joined = Page(
        [item for page in pages for item in page.items],
        sum(page.total or 0 for page in pages) if any(page.total is not None for page in pages) else None,
        whole=all(page.whole for page in pages),
        replaced_escapes=sum(page.replaced_escapes for page in pages),
        says_nothing=any(page.says_nothing for page in pages),
    )
    return replace(
        first,
        page=joined,
        body=b"".join(answer.body for answer in answers),
        milliseconds=sum(answer.milliseconds for answer in answers),
        attempts=sum(answer.attempts for answer in answers),
    )
