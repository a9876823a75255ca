"""The calls of the API: name, verb, path below `/v1/`, answer, and how well each of its facts is known."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

from etl.simulator.answers import feeds, lookups
from etl.simulator.answers.api_request import ApiRequest
from etl.simulator.answers.envelopes import Answer
from etl.simulator.world import World

#: Where a fact comes from: the vendor's pages, a public integration, or this project's assumption.
Level = Literal["vendor", "integrator", "assumed"]


class Levels(NamedTuple):
    """Where the four facts about a call come from."""

    path: Level  #: that the call exists
    envelope: Level
    id: Level  #: the name of the field that identifies an item, or that there is none
    fields: Level  #: the names of the other fields


VENDOR: Level = "vendor"
INTEGRATOR: Level = "integrator"
ASSUMED: Level = "assumed"
ALL_VENDOR = Levels(VENDOR, VENDOR, VENDOR, VENDOR)
ALL_INTEGRATOR = Levels(INTEGRATOR, INTEGRATOR, INTEGRATOR, INTEGRATOR)
ALL_ASSUMED = Levels(ASSUMED, ASSUMED, ASSUMED, ASSUMED)
PATH_SEEN = Levels(INTEGRATOR, ASSUMED, ASSUMED, ASSUMED)


@dataclass(frozen=True, slots=True)
class Route:
    """A call. `#` in its path is an id."""

    name: str
    verb: str
    path: str
    answer: Callable[[World, ApiRequest], Answer]
    levels: Levels
    enterprise: bool = False  #: answers only with enterprise access

    def match(self, path: str) -> tuple[int, ...] | None:
        """Return the ids in a path of this call; None when it is the path of another one. Casing is ignored."""
        match = re.fullmatch(re.escape(self.path).replace(r"\#", r"(\d{1,9})"), path, re.IGNORECASE)
        return tuple(map(int, match.groups())) if match else None

    @property
    def assumed(self) -> bool:
        """Whether the call is only assumed to exist, without a source outside of this project."""
        return self.levels.path == ASSUMED


_feed, _look = feeds.feed, lookups
ROUTES = (
    # Change feeds.
    Route("contacts", "GET", "Contacts/LastModifiedCreated", _feed("contacts"), ALL_INTEGRATOR),
    Route(
        "customers_and_employees", "GET", "Contacts/LastModifiedCreatedCustomersEmployees",
        feeds.customers_and_employees, Levels(VENDOR, VENDOR, ASSUMED, ASSUMED),
    ),
    Route("policies", "GET", "Policies/LastModifiedCreated", _feed("policies"), ALL_VENDOR),
    Route("billing", "GET", "Billing/LastModifiedCreated", _feed("billing", match="created", size=100), ALL_VENDOR),
    Route("claims", "GET", "Claims/LastModifiedCreated", _feed("claims"), ALL_ASSUMED),
    Route("applications", "GET", "Applications/LastModifiedCreated", _feed("applications"), ALL_ASSUMED),
    Route("commissions", "GET", "Commissions/LastModifiedCreated", _feed("commissions"), ALL_ASSUMED),
    # Enterprise feeds.
    Route(
        "personal_drivers", "GET", "enterprise/personaldrivers", feeds.enterprise("Drivers", "drivers"),
        ALL_VENDOR, enterprise=True,
    ),
    Route(
        "personal_vehicles", "GET", "enterprise/personalvehicles", feeds.enterprise("Vehicles", "vehicles"),
        ALL_VENDOR, enterprise=True,
    ),
    Route("endorsements", "GET", "enterprise/endorsements", feeds.endorsements, ALL_VENDOR, enterprise=True),
    # Details of a contact.
    Route(
        "account", "GET", "Contacts/#/AccountInfo", _look.whole(_look.of_contact, "account"),
        Levels(VENDOR, INTEGRATOR, INTEGRATOR, INTEGRATOR),
    ),
    Route("contact", "GET", "Contacts/#/ContactSummaryDTO", _look.contact, ALL_INTEGRATOR),
    Route("addresses", "GET", "Contacts/#/Addresses", _look.unpaged_page(_look.of_contact, "addresses"), ALL_VENDOR),
    Route("phones", "GET", "Contacts/#/PhoneNumbers", _look.unpaged_page(_look.of_contact, "phones"), PATH_SEEN),
    Route("emails", "GET", "Contacts/#/Emails", _look.unpaged_page(_look.of_contact, "emails"), PATH_SEEN),
    Route("notes", "GET", "Contacts/#/Notes", _look.page(_look.of_contact, "notes"), ALL_INTEGRATOR),
    Route("tasks", "GET", "Contacts/#/Tasks", _look.page(_look.of_contact, "tasks"), PATH_SEEN),
    Route(
        "customer_summary", "GET", "Customers/#/CustomerDetailSummary",
        _look.whole(_look.of_contact, "customer_summary"),
        Levels(VENDOR, VENDOR, VENDOR, INTEGRATOR),
    ),
    Route("documents", "GET", "Documents/Images", _look.images, ALL_VENDOR),
    Route("files", "GET", "Files/FilesByContact", _look.files_by_contact, ALL_INTEGRATOR),
    Route("files_of_policy", "GET", "Files/FilesByPolicy", _look.files_by_policy, ALL_INTEGRATOR),
    Route(
        "acord_forms", "GET", "ACORDForms/ByCustomer/#", _look.array(_look.of_contact, "forms"),
        Levels(INTEGRATOR, ASSUMED, VENDOR, VENDOR),
    ),
    Route(
        "policies_by_customer", "GET", "Policies/ByCustomer/#", _look.policies_by_customer,
        Levels(VENDOR, VENDOR, INTEGRATOR, INTEGRATOR),
    ),
    # Details of a policy.
    Route(
        "policy_info", "GET", "Policies/#/PolicyInfo", _look.policy_info,
        Levels(VENDOR, INTEGRATOR, INTEGRATOR, INTEGRATOR),
    ),
    Route("summary", "GET", "PolicySummaryForApi", _look.summary, ALL_INTEGRATOR),
    Route("adjustments", "GET", "Policies/#/Adjustments", _look.array(_look.of_policy, "adjustments"), ALL_INTEGRATOR),
    Route("quotes", "GET", "Policies/#/Quotes", _look.array(_look.of_policy, "quotes"), ALL_VENDOR),
    Route("binder", "GET", "Policies/#/GetBinderInfo", _look.binder, ALL_VENDOR),
    Route("policy_notes", "GET", "Policies/#/Notes", _look.page(_look.of_policy, "policy_notes"), ALL_INTEGRATOR),
    Route("policy_lines", "GET", "Policies/#/PolicyLines", _look.array(_look.of_policy, "policy_lines"), PATH_SEEN),
    Route("premium", "GET", "Policies/#/Premium", _look.whole(_look.of_policy, "premium"), PATH_SEEN),
    Route("coverages", "GET", "Policies/#/Coverages", _look.array(_look.of_policy, "coverages"), ALL_ASSUMED),
    Route("equipment", "GET", "Policies/#/Equipment", _look.array(_look.of_policy, "equipment"), ALL_ASSUMED),
    # The agency and its lists.
    Route(
        "locations", "GET", "Locations/UserLocationsV2", _look.listing("locations"),
        Levels(VENDOR, INTEGRATOR, INTEGRATOR, INTEGRATOR),
    ),
    Route("location", "GET", "Locations/#", _look.location, Levels(VENDOR, ASSUMED, INTEGRATOR, INTEGRATOR)),
    Route(
        "cancellation_reasons", "GET", "Locations/#/Policies/CancellationReasons", _look.cancellation_reasons,
        Levels(ASSUMED, ASSUMED, VENDOR, VENDOR),
    ),
    Route(
        "carrier_fees", "GET", "Locations/#/Policies/CarrierFees", _look.carrier_fees,
        Levels(ASSUMED, ASSUMED, VENDOR, VENDOR),
    ),
    Route("employees", "GET", "Search/Employees/BasicSearch", _look.employees, ALL_INTEGRATOR),
    Route("departments", "GET", "Departments", _look.listing("departments"), ALL_ASSUMED),
    Route("carriers", "GET", "Carriers", _look.listing("carriers"), Levels(VENDOR, ASSUMED, ASSUMED, ASSUMED)),
    Route(
        "agency_rules", "POST", "Commissions/AgencyRules/Get", feeds.agency_rules,
        Levels(VENDOR, VENDOR, ASSUMED, ASSUMED),
    ),
    Route(
        "producer_rules", "POST", "Commissions/ProducerRules/Get", feeds.producer_rules,
        Levels(VENDOR, VENDOR, ASSUMED, ASSUMED),
    ),
    Route("ping", "GET", "BusinessLogic/Ping", _look.ping, PATH_SEEN),
)  # fmt: skip
BY_NAME = {route.name: route for route in ROUTES}


def find(path: str) -> tuple[Route, tuple[int, ...]] | None:
    """Return the call of a path below `/v1/` with the ids in it; None when no call has the path."""
    for route in ROUTES:
        ids = route.match(path)
        if ids is not None:
            return route, ids
    return None
