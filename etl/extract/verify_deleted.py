"""Verifies deletions: records missing from a full scan are requested individually, where the API has a call for it."""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import msgspec

from etl.api.connection import Connection
from etl.api.protocol import Answer, Refused, Vanished, parent_call
from etl.catalogue import Endpoint, Resource
from etl.errors import ApiUnavailable, UnexpectedResponse
from etl.models.sources import value_at
from etl.record import decode
from etl.values import source_id

#: Records of a resource that are requested in one run; the others keep their rows until the next run.
MOST = 1000


@dataclass(frozen=True, slots=True)
class DeletionCheck:
    """The result of requesting missing records individually."""

    gone: frozenset[str]  #: the API no longer has them
    doubtful: frozenset[str]  #: they still exist, could not be checked, or were not requested
    answered: int = 0  #: how many of them still exist


def verify_deleted(api: Connection, resource: Resource, source_ids: Collection[str]) -> DeletionCheck | None:
    """Request each missing record; return the result, None where the API has no such call.

    An account may lack the call and then refuse it for every record; that does not make the full scan doubtful.
    """
    endpoint, sorted_ids = resource.single, sorted(source_ids)
    if endpoint is None or not sorted_ids:
        return None
    try:
        exists_by_id = api.wire.ask(ask_all(api, resource, endpoint, sorted_ids[:MOST]))
    except Refused:
        return None
    confirmed = frozenset(source_id for source_id, exists in exists_by_id.items() if exists is False)
    still_exist = sum(exists is True for exists in exists_by_id.values())
    return DeletionCheck(confirmed, frozenset(sorted_ids) - confirmed, still_exist)


async def ask_all(
    api: Connection, resource: Resource, endpoint: Endpoint, source_ids: Collection[str]
) -> dict[str, bool | None]:
    """Return of each record whether the API still has it, None where it could not say. Raises Refused."""
    found: dict[str, bool | None] = {}

    async def ask(one: str) -> None:
        found[one] = await lives(api, resource, endpoint, one)

    try:
        async with asyncio.TaskGroup() as group:
            for one in source_ids:
                group.create_task(ask(one))
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None
    return found


async def lives(api: Connection, resource: Resource, endpoint: Endpoint, one: str) -> bool | None:
    """Tell whether the API still has a record of this id, None where it could not say. Raises Refused."""
    try:
        return is_it(resource, await api.api.fetch(parent_call(resource, endpoint, one)), one)
    except Vanished:
        return False
    except (ApiUnavailable, UnexpectedResponse):
        return None


def is_it(resource: Resource, answer: Answer, one: str) -> bool:
    """Tell whether an answer is the record of this id: an empty one is not, nor is that into which it was merged.

    A record that does not say who it is counts as the one that was asked for.
    """
    if not answer.page.items:
        return False
    named = source_id(identity(resource, decode(msgspec.Raw(answer.page.items[0]))))
    return named == one if isinstance(named, str) else True


def identity(resource: Resource, record: dict[str, Any]) -> Any:
    """Return what a record says its id is; calls for single records spell the name in another case."""
    names = {name.casefold(): value for name, value in record.items()}
    return value_at(names, resource.id.casefold()) if isinstance(resource.id, str) else None
