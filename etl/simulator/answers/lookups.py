"""Answers of the calls about one contact, policy or office, and of the agency's lists."""

from collections.abc import Callable
from typing import Any

from etl.simulator.answers.api_request import ApiRequest, RefusedRequest, page_of
from etl.simulator.answers.envelopes import ActionResult, Answer, Array, PagedAnswer, Whole
from etl.simulator.book import agency, people, policy_records
from etl.simulator.collection import encode
from etl.simulator.world import World

Item = dict[str, Any]
Reader = Callable[[World, ApiRequest], Answer]
Finder = Callable[[World, str, int], list[Item]]

#: The fields of `Policies/ByCustomer`, a part of those of the policy feed.
BY_CUSTOMER = (
    "PolicyId", "PolicyNumber", "CustomerId", "CustomerName", "Status", "EffectiveDate", "ExpirationDate",
    "TotalPremium", "Description", "LOB", "LOBId", "WritingCarrier", "CarrierId", "MGA", "MGAId", "AgentName",
)  # fmt: skip


def array(find: Finder, kind: str) -> Reader:
    """Return the answer with a detail of a contact or policy as a bare array."""
    return lambda world, request: Array(_texts(find(world, kind, request.ids[0])))


def whole(find: Finder, kind: str) -> Reader:
    """Return the answer with a detail of a contact or policy as a bare object."""
    return lambda world, request: Whole(find(world, kind, request.ids[0])[0])


def page(find: Finder, kind: str) -> Reader:
    """Return the answer with a detail of a contact or policy in pages."""
    return lambda world, request: _page(find(world, kind, request.ids[0]), request)


def unpaged_page(find: Finder, kind: str) -> Reader:
    """Return the answer with a detail in the envelope of a page, though its number is 0: all at once."""

    def answer(world: World, request: ApiRequest) -> PagedAnswer:
        items = find(world, kind, request.ids[0])
        return PagedAnswer(_texts(items), 0, len(items), len(items), 1, request.href)

    return answer


def listing(name: str) -> Reader:
    """Return the answer with one of the agency's lists as a bare array."""
    return lambda world, _request: Array(_texts(getattr(world, name)))


def policy_info(world: World, request: ApiRequest) -> Array:
    """Answer with the only element of `PolicyInfo`, in the spelling that the simulator is set to."""
    key = request.ids[0]
    (info,) = of_policy(world, "info", key)
    is_other = request.policy_info_spelling == "summary" or (request.policy_info_spelling == "mixed" and key % 2 == 1)
    return Array(_texts([policy_records.with_summary_spelling(info) if is_other else info]))


def images(world: World, request: ApiRequest) -> Array:
    """Answer with the documents of the contact that the query names."""
    return Array(_texts(of_contact(world, "documents", request.number("entityId"))))


def files_by_contact(world: World, request: ApiRequest) -> PagedAnswer:
    """Answer with the files of the contact that the query names, in pages."""
    return _page(of_contact(world, "files", request.number("contactid")), request)


def files_by_policy(world: World, request: ApiRequest) -> PagedAnswer:
    """Answer with the files of a contact that name a policy, in pages."""
    files = of_contact(world, "files", request.number("contactid"))
    policy = request.number("policyid")
    return _page([file for file in files if policy in file["RelatedPolicyIDs"]], request)


def contact(world: World, request: ApiRequest) -> Whole:
    """Answer with a contact itself."""
    return Whole(_known(world.contacts.__getitem__, request.ids[0]))


def policies_by_customer(world: World, request: ApiRequest) -> PagedAnswer:
    """Answer with the policies of a customer, a part of the fields of each."""
    _known(world.contacts.__getitem__, request.ids[0])
    policies = [world.policies[key] for key in world.policies_of.get(request.ids[0], [])]
    items = [{name: policy[name] for name in BY_CUSTOMER} for policy in policies]
    number, size = page_of(request.number("page", 1), request.number("rowCount", 10), 99_999)
    return _cut(items, number, size, request.href)


def employees(world: World, request: ApiRequest) -> PagedAnswer:
    """Answer with the employees of an office, or of all, by status. Fields after `Email` are assumed."""
    office = request.number("locationID", 0)
    status = request.query.get("status", "A")
    items = [
        {
            "EntityID": employee["EntityID"], "DisplayName": employee["DisplayName"], "Email": employee["Email"],
            "FirstName": employee["FirstName"], "LastName": employee["LastName"], "Phone": employee["Phone"],
            "LocationID": employee["LocationID"], "Status": employee["Status"],
        }
        for employee in world.contacts_of_type(people.EMPLOYEE)
        if office in {0, employee["LocationID"]} and employee["Status"] == status
    ]  # fmt: skip
    return _page(items, request)


def location(world: World, request: ApiRequest) -> Whole:
    """Answer with one office."""
    return Whole(_location(world, request.ids[0]))


def cancellation_reasons(world: World, request: ApiRequest) -> ActionResult:
    """Answer with the reasons for cancellations that an office may choose. The item is documented, the GET inferred."""
    office = _location(world, request.ids[0])["LocationID"]
    return ActionResult(agency.cancellation_reason_items(office), None, None)


def carrier_fees(world: World, request: ApiRequest) -> ActionResult:
    """Answer with the carrier fees that an office may choose. The item is documented, the GET inferred."""
    office = _location(world, request.ids[0])["LocationID"]
    return ActionResult(agency.carrier_fee_items(office), None, None)


def summary(world: World, request: ApiRequest) -> Whole:
    """Answer with the summary of the policy that the query names."""
    return Whole(of_policy(world, "summary", request.number("policyID"))[0])


def binder(world: World, request: ApiRequest) -> ActionResult:
    """Answer with a policy's binder."""
    policy = _known(world.policies.__getitem__, request.ids[0])
    return ActionResult(policy_records.binder(policy), policy["CustomerId"], policy["PolicyId"])


def ping(_world: World, _request: ApiRequest) -> Whole:
    """Answer that the service is there."""
    return Whole("Pong")


def _location(world: World, key: int) -> Item:
    for office in world.locations:
        if office["LocationID"] == key:
            return office
    raise RefusedRequest(404, f"No record with the id {key}.")


def of_policy(world: World, kind: str, key: int) -> list[Item]:
    """Return a detail of a policy."""
    _known(world.policies.__getitem__, key)
    return world.detail(kind, key)


def of_contact(world: World, kind: str, key: int) -> list[Item]:
    """Return a detail of a contact."""
    _known(world.contacts.__getitem__, key)
    return world.detail(kind, key)


def _known(find: Callable[[int], Item], key: int) -> Item:
    try:
        return find(key)
    except KeyError:
        raise RefusedRequest(404, f"No record with the id {key}.") from None


def _page(items: list[Item], request: ApiRequest) -> PagedAnswer:
    number, size = request.page()
    return _cut(items, number, size, request.href)


def _cut(items: list[Item], number: int, size: int, href: str) -> PagedAnswer:
    wanted = items[(number - 1) * size : number * size]
    return PagedAnswer(_texts(wanted), number, size, len(items), -(-len(items) // size), href)


def _texts(items: list[Item]) -> tuple[bytes, ...]:
    return tuple(map(encode, items))
