"""The calls of the API: verb, path below `/v1/`, answer, and whether it is only assumed to exist."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from etl.simulator import feeds, lookups
from etl.simulator.asking import ApiRequest
from etl.simulator.envelopes import Answer
from etl.simulator.world import World


@dataclass(frozen=True, slots=True)
class Route:
    """A call; `#` in its path is replaced by an id."""

    verb: str
    path: str
    answer: Callable[[World, ApiRequest], Answer]
    assumed: bool = False

    def match(self, path: str) -> tuple[int, ...] | None:
        """Return the ids in a path of this call; None if the path is of another call. Case is ignored."""
        match = re.fullmatch(re.escape(self.path).replace(r"\#", r"(\d{1,9})"), path, re.IGNORECASE)
        return tuple(map(int, match.groups())) if match else None


ROUTES = (
    Route("GET", "Contacts/LastModifiedCreated", feeds.feed("contacts")),
    Route("GET", "Contacts/LastModifiedCreatedCustomersEmployees", feeds.customers_and_employees),
    Route("GET", "Policies/LastModifiedCreated", feeds.feed("policies")),
    Route("GET", "Billing/LastModifiedCreated", feeds.feed("billing", match="created", size=100)),
    Route("GET", "Claims/LastModifiedCreated", feeds.feed("claims"), assumed=True),
    Route("GET", "Applications/LastModifiedCreated", feeds.feed("applications"), assumed=True),
    Route("GET", "Commissions/LastModifiedCreated", feeds.feed("commissions"), assumed=True),
    Route("GET", "enterprise/personaldrivers", feeds.enterprise("Drivers", "drivers")),
    Route("GET", "enterprise/personalvehicles", feeds.enterprise("Vehicles", "vehicles")),
    Route("GET", "enterprise/endorsements", feeds.endorsements),
    Route("GET", "Contacts/#/AccountInfo", lookups.account),
    Route("GET", "Contacts/#/ContactSummaryDTO", lookups.contact),
    Route("GET", "Contacts/#/Addresses", lookups.addresses),
    Route("GET", "Policies/#/PolicyInfo", lookups.under_policy("info")),
    Route("GET", "Policies/#/Quotes", lookups.under_policy("quotes")),
    Route("GET", "Policies/#/Adjustments", lookups.under_policy("adjustments")),
    Route("GET", "Policies/#/Coverages", lookups.under_policy("coverages"), assumed=True),
    Route("GET", "Policies/#/Equipment", lookups.under_policy("equipment"), assumed=True),
    Route("GET", "Policies/#/GetBinderInfo", lookups.binder),
    Route("GET", "PolicySummaryForApi", lookups.summary),
    Route("GET", "Documents/Images", lookups.images),
    Route("GET", "ACORDForms/ByCustomer/#", lookups.under_contact("forms")),
    Route("GET", "Locations/UserLocationsV2", lookups.listing("locations")),
    Route("GET", "Departments", lookups.listing("departments"), assumed=True),
    Route("GET", "Carriers", lookups.listing("carriers")),
    Route("POST", "Commissions/AgencyRules/Get", feeds.agency_rules),
    Route("POST", "Commissions/ProducerRules/Get", feeds.producer_rules),
    Route("GET", "BusinessLogic/Ping", lookups.ping),
)


def find(path: str, *, documented_only: bool = False) -> tuple[Route, tuple[int, ...]] | None:
    """Return the call of a path below `/v1/` with the ids in it; None if there is no such call."""
    for route in ROUTES:
        ids = route.match(path)
        if ids is not None and not (documented_only and route.assumed):
            return route, ids
    return None
