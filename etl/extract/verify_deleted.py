"""A second look: records that no reading met are asked for one by one, where the API has a call for it."""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import msgspec

from etl.api.connection import Connection
from etl.api.protocol import Answer, EndpointRefused, NotFound, parent_call
from etl.catalogue import Endpoint, Resource
from etl.errors import ApiUnavailable, ShapeChanged
from etl.models.sources import value_at
from etl.record import decode
from etl.values import source_id

#: So many records of a resource are asked for in one run; the others keep their rows until the next.
MOST = 1000


@dataclass(frozen=True, slots=True)
class Look:
    """What came of asking for records one by one."""

    gone: frozenset[str]  #: the API says that it has them no longer
    doubtful: frozenset[str]  #: it still answers, failed to answer, or was not asked
    answered: int = 0  #: how many of them it still answers


def second_look(api: Connection, resource: Resource, source_ids: Collection[str]) -> Look | None:
    """Ask for each record of which no reading told; return what came of it, None where there is no such call.

    An account may not have the call, and then says so of every record; that is no reason to doubt a whole reading.
    """
    endpoint, wanted = resource.single, sorted(source_ids)
    if endpoint is None or not wanted:
        return None
    try:
        answers = api.wire.run(ask_all(api, resource, endpoint, wanted[:MOST]))
    except EndpointRefused:
        return None
    gone = frozenset(one for one, lives in answers.items() if lives is False)
    return Look(gone, frozenset(wanted) - gone, sum(lives is True for lives in answers.values()))


async def ask_all(
    api: Connection, resource: Resource, endpoint: Endpoint, source_ids: Collection[str]
) -> dict[str, bool | None]:
    """Return of each record whether the API still has it, None where it could not say. Raises EndpointRefused."""
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
    """Tell whether the API still has a record of this id, None where it could not say. Raises EndpointRefused."""
    try:
        return is_it(resource, await api.api.fetch(parent_call(resource, endpoint, one)), one)
    except NotFound:
        return False
    except (ApiUnavailable, ShapeChanged):
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
