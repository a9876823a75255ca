"""Answers of the change feeds and the commission rules: which records, cut into pages."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from etl.simulator.answers.api_request import MAX_ENTERPRISE_PAGE, ApiRequest, RefusedRequest, page_of
from etl.simulator.answers.envelopes import PagedAnswer
from etl.simulator.book import dates, drivers_vehicles, people, policies
from etl.simulator.book.terms import ENDORSEMENT
from etl.simulator.collection import Collection, Match, encode
from etl.simulator.details import csr_of, office_id
from etl.simulator.world import World

Reader = Callable[[World, ApiRequest], PagedAnswer]
Texts = Callable[[Sequence[Any]], tuple[bytes, ...]]


def feed(name: str, *, match: Match = "either", size: int = 10) -> Reader:
    """Return the answer of a `LastModifiedCreated` feed over one of the world's collections."""

    def answer(world: World, request: ApiRequest) -> PagedAnswer:
        collection: Collection = getattr(world, name)
        keys = collection.within(*_window(request), match=match)
        return _page(request, keys, collection.texts, request.number("pageSize", size))

    return answer


def customers_and_employees(world: World, request: ApiRequest) -> PagedAnswer:
    """Answer with the customers and employees among the contacts; prospects, carriers and MGAs are left out."""
    wanted = {people.CUSTOMER, people.EMPLOYEE}
    keys = [key for key in world.contacts.within(*_window(request)) if world.contact_types[int(key)] in wanted]
    return _page(request, keys, world.contacts.texts, request.number("pageSize", 10))


def _window(request: ApiRequest) -> tuple[datetime | None, datetime | None]:
    end = request.day("endDate")
    return request.day("startDate"), end + dates.DAY if end and request.end_inclusive else end


def _page(request: ApiRequest, keys: Sequence[Any], texts: Texts, size: int) -> PagedAnswer:
    number, size = page_of(request.number("pageNumber", 1), size, request.max_page)
    return _cut(keys, texts, number, size, request.href)


def _cut(
    keys: Sequence[Any], texts: Texts, number: int, size: int, href: str, *, is_enterprise: bool = False
) -> PagedAnswer:
    wanted = keys[(number - 1) * size : number * size]
    return PagedAnswer(texts(wanted), number, size, len(keys), -(-len(keys) // size), href, is_enterprise)


def enterprise(name: str, kind: str) -> Reader:
    """Return the answer of an enterprise feed with one row per policy, and drivers or vehicles nested under it."""

    def answer(world: World, request: ApiRequest) -> PagedAnswer:
        def texts(keys: Sequence[Any]) -> tuple[bytes, ...]:
            return tuple(encode(_garage_row(world, key, name, kind)) for key in keys)

        keys = world.policies.within(*_modified_window(request), match="latest", among=frozenset(world.garage))
        return _enterprise_page(request, keys, texts)

    return answer


def _garage_row(world: World, key: int, name: str, kind: str) -> dict[str, Any]:
    touched = world.policies.modified(key) or world.policies.created(key)
    items = world.detail(kind, key)
    return drivers_vehicles.row(world.agency.tenant, world.policies[key], name, items, dates.seven_digits(touched))


def endorsements(world: World, request: ApiRequest) -> PagedAnswer:
    """Answer with a row per policy that was touched in the window, its endorsements nested under it."""
    start, end = _modified_window(request)
    endorsed = frozenset(
        key for key, changes in world.adjustments.items() if any(change.type == ENDORSEMENT for change in changes)
    )
    keys = world.policies.within(start, end, match="latest", among=endorsed)

    def texts(keys: Sequence[Any]) -> tuple[bytes, ...]:
        return tuple(encode(_endorsement(world, key)) for key in keys)

    return _enterprise_page(request, keys, texts)


def _endorsement(world: World, key: int) -> dict[str, Any]:
    policy = world.policies[key]
    office = world.agency.office(office_id(world, policy))
    changes = [change for change in world.adjustments[key] if change.type == ENDORSEMENT]
    csr = csr_of(world, policy)
    name = csr.display_name if csr else ""
    return policies.endorsement_row(world.agency.tenant, policy, world.facts[key], changes, office, name)


def _modified_window(request: ApiRequest) -> tuple[datetime | None, datetime | None]:
    """Both ends are required and both are inclusive."""
    end = request.day("modifiedEndDate", required=True)
    return request.day("modifiedStartDate", required=True), end + dates.DAY if end else None


def _enterprise_page(request: ApiRequest, keys: Sequence[Any], texts: Texts) -> PagedAnswer:
    number, size = page_of(request.number("pageNumber"), request.number("pageSize", 100), MAX_ENTERPRISE_PAGE)
    return _cut(keys, texts, number, size, request.href, is_enterprise=True)


def agency_rules(world: World, request: ApiRequest) -> PagedAnswer:
    """Answer with the rules of what carriers pay, filtered by the body."""
    return _rules(world.agency_rules, request)


def producer_rules(world: World, request: ApiRequest) -> PagedAnswer:
    """Answer with the rules of what producers are paid, filtered by the body."""
    producers = request.body.get("producerlist") or []
    if not isinstance(producers, list):
        raise RefusedRequest(400, "The request is invalid: ProducerList must be an array.")
    rules = [rule for rule in world.producer_rules if not producers or rule["ProducerID"] in producers]
    return _rules(rules, request)


def _rules(rules: list[dict[str, Any]], request: ApiRequest) -> PagedAnswer:
    filters = {name: request.from_body(name) for name in ("OfficeId", "MgaId", "CarrierId", "LobId", "Term")}
    wanted = [rule for rule in rules if all(value is None or rule[name] == value for name, value in filters.items())]
    number, size = page_of(
        request.from_body("PageNo", 1) or 0, request.from_body("PageSize", 100) or 0, request.max_page
    )
    return _cut(wanted, lambda items: tuple(map(encode, items)), number, size, request.href)
