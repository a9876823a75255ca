"""The calls of the API: name, verb, path below `/v1/`, answer, and how well each of its facts is known."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from etl.simulator.answers import feeds, lookups
from etl.simulator.answers.api_request import ApiRequest
from etl.simulator.answers.envelopes import Answer
from etl.simulator.world import World

#: Where a fact comes from: the vendor's pages, a public integration, or this project's assumption.
Level = Literal["vendor", "integrator", "assumed"]


@dataclass(frozen=True, slots=True)
class Route:
    """A call. `#` in its path is an id."""

    name: str
    verb: str
    path: str
    answer: Callable[[World, ApiRequest], Answer]
    level: Level  #: the source for the existence of the call and its envelope
    item: Level  #: the source for the fields of its items
    enterprise: bool = False  #: answers only with enterprise access

    def match(self, path: str) -> tuple[int, ...] | None:
        """Return the ids in a path of this call; None when it is the path of another one. Casing is ignored."""
        match = re.fullmatch(re.escape(self.path).replace(r"\#", r"(\d{1,9})"), path, re.IGNORECASE)
        return tuple(map(int, match.groups())) if match else None

    @property
    def assumed(self) -> bool:
        """Whether the call is only assumed to exist, without a source outside of this project."""
        return self.level == "assumed"


_feed, _look = feeds.feed, lookups
ROUTES = (
    # Change feeds.
    Route("contacts", "GET", "Contacts/LastModifiedCreated", _feed("contacts"), "integrator", "integrator"),
    Route(
        "customers_and_employees", "GET", "Contacts/LastModifiedCreatedCustomersEmployees",
        feeds.customers_and_employees, "vendor", "integrator",
    ),
    Route("policies", "GET", "Policies/LastModifiedCreated", _feed("policies"), "vendor", "vendor"),
    Route(
        "billing", "GET", "Billing/LastModifiedCreated", _feed("billing", match="created", size=100),
        "vendor", "vendor",
    ),
    Route("claims", "GET", "Claims/LastModifiedCreated", _feed("claims"), "assumed", "assumed"),
    Route("applications", "GET", "Applications/LastModifiedCreated", _feed("applications"), "assumed", "assumed"),
    Route("commissions", "GET", "Commissions/LastModifiedCreated", _feed("commissions"), "assumed", "assumed"),
    # Enterprise feeds.
    Route(
        "personal_drivers", "GET", "enterprise/personaldrivers", feeds.enterprise("Drivers", "drivers"),
        "vendor", "vendor", enterprise=True,
    ),
    Route(
        "personal_vehicles", "GET", "enterprise/personalvehicles", feeds.enterprise("Vehicles", "vehicles"),
        "vendor", "vendor", enterprise=True,
    ),
    Route("endorsements", "GET", "enterprise/endorsements", feeds.endorsements, "vendor", "vendor", enterprise=True),
    # Details of a contact.
    Route(
        "account", "GET", "Contacts/#/AccountInfo", _look.object_of_contact("account"), "vendor", "integrator"
    ),
    Route("contact", "GET", "Contacts/#/ContactSummaryDTO", _look.contact, "integrator", "integrator"),
    Route(
        "addresses", "GET", "Contacts/#/Addresses", _look.unpaged_page_of_contact("addresses"), "vendor", "vendor"
    ),
    Route(
        "phones", "GET", "Contacts/#/PhoneNumbers", _look.unpaged_page_of_contact("phones"), "integrator", "assumed"
    ),
    Route("emails", "GET", "Contacts/#/Emails", _look.unpaged_page_of_contact("emails"), "integrator", "assumed"),
    Route("notes", "GET", "Contacts/#/Notes", _look.page_of_contact("notes"), "integrator", "integrator"),
    Route("tasks", "GET", "Contacts/#/Tasks", _look.page_of_contact("tasks"), "integrator", "assumed"),
    Route(
        "customer_summary", "GET", "Customers/#/CustomerDetailSummary", _look.object_of_contact("customer_summary"),
        "vendor", "integrator",
    ),
    Route("documents", "GET", "Documents/Images", _look.images, "vendor", "vendor"),
    Route("files", "GET", "Files/FilesByContact", _look.files_by_contact, "integrator", "integrator"),
    Route("files_of_policy", "GET", "Files/FilesByPolicy", _look.files_by_policy, "integrator", "integrator"),
    Route(
        "acord_forms", "GET", "ACORDForms/ByCustomer/#", _look.array_of_contact("forms"), "integrator", "vendor"
    ),
    Route(
        "policies_by_customer", "GET", "Policies/ByCustomer/#", _look.policies_by_customer, "vendor", "integrator"
    ),
    # Details of a policy.
    Route("policy_info", "GET", "Policies/#/PolicyInfo", _look.policy_info, "vendor", "integrator"),
    Route("summary", "GET", "PolicySummaryForApi", _look.summary, "integrator", "integrator"),
    Route(
        "adjustments", "GET", "Policies/#/Adjustments", _look.array_of_policy("adjustments"),
        "integrator", "integrator",
    ),
    Route("quotes", "GET", "Policies/#/Quotes", _look.array_of_policy("quotes"), "vendor", "vendor"),
    Route("binder", "GET", "Policies/#/GetBinderInfo", _look.binder, "vendor", "vendor"),
    Route(
        "policy_notes", "GET", "Policies/#/Notes", _look.page_of_policy("policy_notes"), "integrator", "integrator"
    ),
    Route(
        "policy_lines", "GET", "Policies/#/PolicyLines", _look.array_of_policy("policy_lines"),
        "integrator", "assumed",
    ),
    Route("premium", "GET", "Policies/#/Premium", _look.object_of_policy("premium"), "integrator", "assumed"),
    Route("coverages", "GET", "Policies/#/Coverages", _look.array_of_policy("coverages"), "assumed", "assumed"),
    Route("equipment", "GET", "Policies/#/Equipment", _look.array_of_policy("equipment"), "assumed", "assumed"),
    # The agency and its lists.
    Route(
        "locations", "GET", "Locations/UserLocationsV2", _look.listing("locations"), "integrator", "integrator"
    ),
    Route("location", "GET", "Locations/#", _look.location, "vendor", "integrator"),
    Route(
        "cancellation_reasons", "GET", "Locations/#/Policies/CancellationReasons", _look.cancellation_reasons,
        "assumed", "vendor",
    ),
    Route(
        "carrier_fees", "GET", "Locations/#/Policies/CarrierFees", _look.carrier_fees, "assumed", "vendor"
    ),
    Route("employees", "GET", "Search/Employees/BasicSearch", _look.employees, "integrator", "integrator"),
    Route("departments", "GET", "Departments", _look.listing("departments"), "assumed", "assumed"),
    Route("carriers", "GET", "Carriers", _look.listing("carriers"), "vendor", "assumed"),
    Route("agency_rules", "POST", "Commissions/AgencyRules/Get", feeds.agency_rules, "vendor", "assumed"),
    Route("producer_rules", "POST", "Commissions/ProducerRules/Get", feeds.producer_rules, "vendor", "assumed"),
    Route("ping", "GET", "BusinessLogic/Ping", _look.ping, "integrator", "integrator"),
)  # fmt: skip
BY_NAME = {route.name: route for route in ROUTES}


def find(path: str) -> tuple[Route, tuple[int, ...]] | None:
    """Return the call of a path below `/v1/` with the ids in it; None when no call has the path."""
    for route in ROUTES:
        ids = route.match(path)
        if ids is not None:
            return route, ids
    return None
