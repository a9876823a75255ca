"""Answers of the calls about one contact or policy, and of the agency's lists."""

from collections.abc import Callable
from typing import Any

from etl.simulator.asking import ApiRequest, RefusedRequest
from etl.simulator.book import covers
from etl.simulator.collection import encode
from etl.simulator.envelopes import ActionResult, Answer, Array, PagedAnswer, Whole
from etl.simulator.world import World

Reader = Callable[[World, ApiRequest], Answer]


def under_policy(kind: str) -> Reader:
    """Return the answer with the child records of a policy: a bare array."""
    return lambda world, ask: Array(_texts(_policy_detail(world, kind, ask.ids[0])))


def under_contact(kind: str) -> Reader:
    """Return the answer with the child records of a contact: a bare array."""
    return lambda world, ask: Array(_texts(_contact_detail(world, kind, ask.ids[0])))


def listing(name: str) -> Reader:
    """Return the answer with one of the agency's lists: a bare array."""
    return lambda world, _ask: Array(_texts(getattr(world, name)))


def images(world: World, ask: ApiRequest) -> Array:
    """Answer with the documents of the contact that the query names."""
    return Array(_texts(_contact_detail(world, "documents", ask.number("entityId"))))


def account(world: World, ask: ApiRequest) -> Whole:
    """Answer with a contact's account."""
    return Whole(_contact_detail(world, "account", ask.ids[0])[0])


def contact(world: World, ask: ApiRequest) -> Whole:
    """Answer with a contact itself."""
    return Whole(_known(world.person, ask.ids[0]))


def addresses(world: World, ask: ApiRequest) -> PagedAnswer:
    """Answer with a contact's addresses, in the envelope of a page that is not really paged: its number is 0."""
    items = _contact_detail(world, "addresses", ask.ids[0])
    return PagedAnswer(_texts(items), 0, len(items), len(items), 1, ask.href)


def summary(world: World, ask: ApiRequest) -> Whole:
    """Answer with the summary of the policy that the query names."""
    return Whole(covers.summary(_known(world.policies.__getitem__, ask.number("policyID"))))


def binder(world: World, ask: ApiRequest) -> ActionResult:
    """Answer with a policy's binder."""
    policy = _known(world.policies.__getitem__, ask.ids[0])
    return ActionResult(covers.binder(policy), policy["CustomerId"], policy["PolicyId"])


def ping(_world: World, _ask: ApiRequest) -> Whole:
    """Answer that the service is available."""
    return Whole("Pong")


def _policy_detail(world: World, kind: str, key: int) -> list[dict[str, Any]]:
    _known(world.policies.__getitem__, key)
    return world.detail(kind, key)


def _contact_detail(world: World, kind: str, key: int) -> list[dict[str, Any]]:
    _known(world.person, key)
    return world.detail(kind, key)


def _known(find: Callable[[int], dict[str, Any]], key: int) -> dict[str, Any]:
    try:
        return find(key)
    except KeyError:
        raise RefusedRequest(404, f"No record with the id {key}.") from None


def _texts(items: list[dict[str, Any]]) -> tuple[bytes, ...]:
    return tuple(map(encode, items))
