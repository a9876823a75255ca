"""Verifies deletions: records missing from a full scan are requested individually, where the API has a call for it."""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass

from etl.api.connection import ApiConnection
from etl.api.protocol import Answer, parent_call
from etl.catalogue.resource import Endpoint, Resource
from etl.errors import ApiUnavailable, EndpointRefused, NotFound, UnexpectedResponse
from etl.models.sources import value_at
from etl.spelling import spelling_of
from etl.values import source_id

#: Records of a resource that are requested in one run; the others keep their rows until the next run.
MAX_CHECKS = 1000


@dataclass(frozen=True, slots=True)
class DeletionCheck:
    """The result of requesting missing records individually."""

    confirmed: frozenset[str]  #: the API no longer has them
    unconfirmed: frozenset[str]  #: they still exist, could not be checked, or were not requested
    still_exist: int = 0  #: how many of them still exist


def verify_deleted(api: ApiConnection, resource: Resource, source_ids: Collection[str]) -> DeletionCheck | None:
    """Request each missing record; return the result, None where the API has no such call.

    An account may lack the call and then refuse it for every record; that does not make the full scan doubtful.
    """
    endpoint, sorted_ids = resource.changes.single, sorted(source_ids)
    if endpoint is None or not sorted_ids:
        return None
    try:
        exists_by_id = api.event_loop.run(check_all(api, resource, endpoint, sorted_ids[:MAX_CHECKS]))
    except EndpointRefused:
        return None
    confirmed = frozenset(source_id for source_id, exists in exists_by_id.items() if exists is False)
    still_exist = sum(exists is True for exists in exists_by_id.values())
    return DeletionCheck(confirmed, frozenset(sorted_ids) - confirmed, still_exist)


async def check_all(
    api: ApiConnection, resource: Resource, endpoint: Endpoint, source_ids: Collection[str]
) -> dict[str, bool | None]:
    """Return for each record whether the API still has it, None where it could not tell. Raises EndpointRefused."""
    exists_by_id: dict[str, bool | None] = {}

    async def check_one(source_id: str) -> None:
        exists_by_id[source_id] = await exists_in_api(api, resource, endpoint, source_id)

    try:
        async with asyncio.TaskGroup() as group:
            for source_id in source_ids:
                group.create_task(check_one(source_id))
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None
    return exists_by_id


async def exists_in_api(api: ApiConnection, resource: Resource, endpoint: Endpoint, source_id: str) -> bool | None:
    """Return whether the API still has a record, None where it could not tell. Raises EndpointRefused."""
    try:
        answer = await api.api.fetch(parent_call(resource, endpoint, source_id))
        return None if answer.page.says_nothing else is_answer_about(resource, answer, source_id)
    except NotFound:
        return False
    except (ApiUnavailable, UnexpectedResponse):
        return None


def is_answer_about(resource: Resource, answer: Answer, requested_id: str) -> bool:
    """Return whether an answer is the record of this id: not when it is the record it was merged into.

    A record without an id counts as the requested one.
    """
    record = spelling_of(resource).decode(answer.page.items[0])
    answered_id = source_id(value_at(record, resource.id) if isinstance(resource.id, str) else None)
    return answered_id == requested_id if isinstance(answered_id, str) else True
