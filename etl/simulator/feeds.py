"""Answers of the change feeds and the commission rules, in pages."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from etl.simulator.asking import MAX_ENTERPRISE_PAGE, MAX_PAGE, ApiRequest, RefusedRequest, page_of
from etl.simulator.book import agency, garage, policies, stamps
from etl.simulator.book.details import office_of
from etl.simulator.collection import Collection, Key, Match, encode
from etl.simulator.envelopes import PagedAnswer
from etl.simulator.world import World

Reader = Callable[[World, ApiRequest], PagedAnswer]
Texts = Callable[[Sequence[Any]], tuple[bytes, ...]]

CUSTOMER = b'"ContactSubType":"C"'


def feed(name: str, *, match: Match = "either", size: int = 10) -> Reader:
    """Return the answer of a `LastModifiedCreated` feed over one of the world's collections."""

    def answer(world: World, ask: ApiRequest) -> PagedAnswer:
        collection: Collection = getattr(world, name)
        keys = collection.within(*_window(ask), match=match)
        return _page(ask, keys, collection.texts, ask.number("pageSize", size))

    return answer


def customers_and_employees(world: World, ask: ApiRequest) -> PagedAnswer:
    """Answer with customers (no prospects) and, after them, the employees."""
    start, end = _window(ask)
    everyone = world.contacts.within(start, end)
    # Parsing the JSON of 100,000 contacts for each page would take a second.
    customers = [key for key, text in zip(everyone, world.contacts.texts(everyone), strict=True) if CUSTOMER in text]
    keys = customers + world.employees.within(start, end)

    def texts(keys: Sequence[Key]) -> tuple[bytes, ...]:
        return tuple((world.contacts if key in world.contacts else world.employees).texts([key])[0] for key in keys)

    return _page(ask, keys, texts, ask.number("pageSize", 10))


def _window(ask: ApiRequest) -> tuple[datetime | None, datetime | None]:
    end = ask.day("endDate")
    return ask.day("startDate"), end + stamps.DAY if end and ask.end_inclusive else end


def _page(ask: ApiRequest, items: Sequence[Any], texts: Texts, size: int) -> PagedAnswer:
    number, size = page_of(ask.number("pageNumber", 1), size, MAX_PAGE)
    return _cut(items, texts, number, size, ask.href)


def _cut(
    items: Sequence[Any], texts: Texts, number: int, size: int, href: str, *, is_enterprise: bool = False
) -> PagedAnswer:
    wanted = items[(number - 1) * size : number * size]
    return PagedAnswer(texts(wanted), number, size, len(items), -(-len(items) // size), href, is_enterprise)


def enterprise(name: str, kind: str) -> Reader:
    """Return the answer of an enterprise feed with one row per policy, and drivers or vehicles nested under it."""

    def answer(world: World, ask: ApiRequest) -> PagedAnswer:
        def texts(keys: Sequence[Any]) -> tuple[bytes, ...]:
            return tuple(encode(_garage_row(world, key, name, kind)) for key in keys)

        keys = world.policies.within(*_modified_window(ask), match="latest", among=frozenset(world.garage))
        return _enterprise_page(ask, keys, texts)

    return answer


def _garage_row(world: World, key: int, name: str, kind: str) -> dict[str, Any]:
    touched = world.policies.modified(key) or world.policies.created(key)
    items = world.detail(kind, key)
    return garage.row(world.agency.tenant, world.policies[key], name, items, stamps.seven_digits(touched))


def endorsements(world: World, ask: ApiRequest) -> PagedAnswer:
    """Answer with a row for each endorsement of the policies that were changed in the window."""
    start, end = _modified_window(ask)
    endorsed = frozenset(
        key for key, changes in world.adjustments.items() if any(change.kind == "E" for change in changes)
    )
    keys = world.policies.within(start, end, match="latest", among=endorsed)

    def texts(keys: Sequence[Any]) -> tuple[bytes, ...]:
        return tuple(encode(_endorsement(world, key)) for key in keys)

    return _enterprise_page(ask, keys, texts)


def _endorsement(world: World, key: int) -> dict[str, Any]:
    policy = world.policies[key]
    offices: dict[int | None, agency.Office] = {office.id: office for office in world.agency.offices}
    change = [adjustment for adjustment in world.adjustments[key] if adjustment.kind == "E"][-1]
    csr = world.detail("info", key)[0]["CSRName"] or ""
    return policies.endorsement_row(world.agency.tenant, policy, change, offices.get(office_of(world, policy)), csr)


def _modified_window(ask: ApiRequest) -> tuple[datetime | None, datetime | None]:
    """Both ends are required and both are inclusive."""
    end = ask.day("modifiedEndDate", required=True)
    return ask.day("modifiedStartDate", required=True), end + stamps.DAY if end else None


def _enterprise_page(ask: ApiRequest, items: Sequence[Any], texts: Texts) -> PagedAnswer:
    number, size = page_of(ask.number("pageNumber"), ask.number("pageSize", 100), MAX_ENTERPRISE_PAGE)
    return _cut(items, texts, number, size, ask.href, is_enterprise=True)


def agency_rules(world: World, ask: ApiRequest) -> PagedAnswer:
    """Answer with the rules for payments by carriers, filtered by the body."""
    return _rules(world.agency_rules, ask)


def producer_rules(world: World, ask: ApiRequest) -> PagedAnswer:
    """Answer with the rules for payments to producers, filtered by the body."""
    producers = ask.body.get("producerlist") or []
    if not isinstance(producers, list):
        raise RefusedRequest(400, "The request is invalid: ProducerList must be an array.")
    rules = [rule for rule in world.producer_rules if not producers or rule["ProducerID"] in producers]
    return _rules(rules, ask)


def _rules(rules: list[dict[str, Any]], ask: ApiRequest) -> PagedAnswer:
    filters = {name: ask.from_body(name) for name in ("OfficeId", "MgaId", "CarrierId", "LobId", "Term")}
    matching = [rule for rule in rules if all(value is None or rule[name] == value for name, value in filters.items())]
    number, size = page_of(ask.from_body("PageNo", 1) or 0, ask.from_body("PageSize", 100) or 0, MAX_PAGE)
    return _cut(matching, lambda items: tuple(map(encode, items)), number, size, ask.href)
