"""Every resource: its calls, its parents, and a column for every field of its records."""

import json
from dataclasses import astuple, fields, replace

import pytest
from api_facts import (
    API,
    CALLS,
    DETAILS,
    FACTS,
    FACTS_OF_PARTS,
    UNPAGED,
    fields_without_a_fact,
    known_fields,
    levels,
    mapped_fields,
    names,
)

from etl.api.protocol.jsonb import clean_json_reference
from etl.catalogue.facts import Facts, Level
from etl.catalogue.resource import BODY, ENTERPRISE, FEED, Changes, Envelope, Resource
from etl.cli.commands.resources import resource_to_json
from etl.errors import UsageError
from etl.models import PRODUCTION, core, staging
from etl.models.base import fields_of
from etl.resources import CATALOGUE, children_of, derived_from, find_resource
from etl.simulator.routes import ROUTES, Levels

every_resource = pytest.mark.parametrize("resource", CATALOGUE, ids=lambda resource: resource.name)
every_call = pytest.mark.parametrize(
    "resource", [resource for resource in CATALOGUE if resource.endpoints], ids=lambda resource: resource.name
)


@pytest.mark.parametrize("name", API)
@pytest.mark.fact("customer-summary", "office-fields", "policy-info", "adjustment-fields")
def test_every_field_of_the_api_is_mapped(name: str) -> None:
    mapped = {field.casefold() for field in mapped_fields(find_resource(name))} | {"ssn"}  # it is never staged
    assert {field for field in API[name].split() if field.casefold() not in mapped} == set()


def test_every_mapped_field_is_a_field_of_the_api() -> None:
    """A misspelt source fills no column, and nothing else would tell."""
    read = [entry for entry in CATALOGUE if entry.has_table and known_fields(entry)]
    unknown = {resource.name: fields for resource in read if (fields := fields_without_a_fact(resource))}
    assert unknown == {}, "add what the API sends to API in api_facts.py, a guess to ASSUMED"


def test_a_misspelt_field_is_found() -> None:
    misspelt = replace(find_resource("contacts"), changes=Changes(modified="DateModifid"))
    assert fields_without_a_fact(misspelt) == {"DateModifid"}


def test_a_carrier_is_derived_from_mapped_fields_only() -> None:
    assert {*core.FIELDS_OF_CARRIERS, "IsMGA"} == set(API["carriers"].split())


def test_every_table_is_filled_and_every_staging_table_used() -> None:
    assert {resource.model for resource in CATALOGUE if resource.has_table} == set(PRODUCTION)
    assert sorted(resource.name for resource in CATALOGUE) == sorted(staging.RAW_TABLES)
    assert len({resource.name for resource in CATALOGUE}) == len(CATALOGUE) >= 40


@every_resource
def test_it_has_a_staging_table_and_a_source(resource: Resource) -> None:
    assert staging.raw_table(resource.name).name == resource.raw_table
    assert fields_of(resource.model, resource.data_source) or not resource.has_table, "it fills no column"


@pytest.mark.fact("staged-only")
def test_what_is_only_staged_is_listed() -> None:
    staged = {resource.name for resource in CATALOGUE if not resource.has_table}
    assert staged >= {"cancellation_reasons", "carrier_fees", "policy_lines", "premium"}


def test_what_costs_a_call_per_customer_or_policy_beyond_the_first_description_is_optional() -> None:
    of_many = [*children_of("contacts"), *children_of("policies")]
    assert {resource.name for resource in of_many if not resource.is_optional} == DETAILS


@every_resource
def test_it_comes_from_calls_or_from_another_resource(resource: Resource) -> None:
    assert resource.endpoints or resource.derived
    assert all(find_resource(derivation.resource) is not resource for derivation in resource.derived)


@every_resource
def test_it_follows_its_parent_and_the_sources_that_it_is_derived_from(resource: Resource) -> None:
    position = CATALOGUE.index
    if resource.parent is not None:
        assert position(find_resource(resource.parent.resource)) < position(resource)
    sources = [find_resource(derivation.resource) for derivation in resource.derived if not derivation.fallback]
    assert not sources or min(map(position, sources)) < position(resource)
    fallbacks = [find_resource(derivation.resource) for derivation in resource.derived if derivation.fallback]
    assert all(position(resource) < position(source) for source in fallbacks), (
        "whether it is offered must be known first"
    )


@every_resource
def test_its_parent_fields_are_those_that_its_fields_read(resource: Resource) -> None:
    if resource.parent is not None:
        parent_fields = {
            path.removeprefix("_parent.").split(".")[0]
            for field in fields_of(resource.model, resource.data_source).values()
            for path in names(field.source)
            if path.startswith("_parent.")
        }
        siblings = [other.parent for other in CATALOGUE if other.model is resource.model and other.parent is not None]
        assert parent_fields <= {name for parent in siblings for name in parent.parent_fields}
        assert set(resource.parent.parent_fields) <= set(API[resource.parent.resource].split())


@every_resource
@pytest.mark.fact("portal-password")
def test_it_stores_no_secret(resource: Resource) -> None:
    paths = {path for field in fields_of(resource.model, resource.data_source).values() for path in names(field.source)}
    assert paths.isdisjoint({"UserID", "UserPassword", "SSN"})
    removed = {"account_info": {"UserID", "UserPassword"}, "customer_details": {"DriverLicenseNo"}}
    sent = dict.fromkeys({"Kept", "SSN", *removed.get(resource.name, ())}, "078051120")
    text, _ = clean_json_reference(json.dumps(sent).encode(), resource.staging.secrets)
    assert json.loads(text) == {"Kept": "078051120"}


@pytest.mark.parametrize("name", CALLS)
def test_its_calls_are_as_listed(name: str) -> None:
    resource, (path, envelope, documented) = find_resource(name), CALLS[name]
    assert " ".join(f"{endpoint.method} {endpoint.path}" for endpoint in resource.endpoints) == path
    assert {endpoint.envelope for endpoint in resource.endpoints} == {envelope}
    assert resource.is_documented is documented


@every_call
def test_the_facts_about_its_calls_have_the_levels_of_their_sources(resource: Resource) -> None:
    calls = {f"{call.method} {call.path.replace('{parent}', '#')}" for call in resource.endpoints}
    of_routes = {call: tuple(route.levels) for route in ROUTES if (call := f"{route.verb} {route.path}") in calls}
    assert of_routes == dict.fromkeys(calls, astuple(resource.facts))


def test_the_facts_about_derived_resources_have_the_levels_of_their_sources() -> None:
    for name, facts in FACTS_OF_PARTS.items():
        assert (find_resource(name).endpoints, astuple(find_resource(name).facts)) == ((), levels(facts))


def test_the_four_facts_are_named() -> None:
    assert [fact.name for fact in fields(Facts)] == list(Levels._fields) == ["path", "envelope", "id", "fields"]


@pytest.mark.parametrize("call", FACTS)
def test_the_simulator_knows_the_levels_of_the_facts_about_its_calls(call: str) -> None:
    assert [tuple(route.levels) for route in ROUTES if f"{route.verb} {route.path}" == call] == [levels(FACTS[call])]


@pytest.mark.parametrize(
    ("name", "proven", "facts", "access"),
    [
        ("contact_addresses", True, "VVVV", "everybody"),
        ("drivers", True, "VVVV", "enterprise"),
        ("carrier_list", False, "VAAA", "everybody"),
        ("commission_rules", False, "VVAA", "everybody"),
        ("agencies", True, "AAAA", "everybody"),
    ],
)
def test_the_catalogue_as_json_says_how_well_each_fact_is_known(
    name: str, proven: bool, facts: str, access: str
) -> None:
    printed = resource_to_json(find_resource(name), offered=None)
    assert (printed["proven"], printed["access"]) == (proven, access)
    assert printed["documented"] == dict(zip(("path", "envelope", "id", "fields"), levels(facts), strict=True))


@pytest.mark.fact("unread-calls")
def test_the_calls_that_are_known_and_not_requested_are_listed() -> None:
    requested = {
        f"{call.method} {call.path.replace('{parent}', '#')}" for entry in CATALOGUE for call in entry.endpoints
    }
    of_deletions = {"GET Contacts/#/ContactSummaryDTO", "GET PolicySummaryForApi"}
    assert set(FACTS) - requested - of_deletions - {"GET BusinessLogic/Ping"} <= {
        "GET Contacts/LastModifiedCreatedCustomersEmployees", "GET Policies/ByCustomer/#",
        "GET Policies/#/GetBinderInfo", "GET Files/FilesByPolicy", "GET Locations/#",
    }  # fmt: skip


@pytest.mark.parametrize("unknown", ["path", "envelope", "id", "fields"])
def test_a_call_may_be_absent_if_its_path_envelope_or_id_is_assumed(unknown: str) -> None:
    entry = find_resource("billing_records")
    doubtful = replace(entry, facts=replace(entry.facts, **{unknown: Level.ASSUMED}))
    assert (entry.is_documented, doubtful.is_documented) == (True, unknown == "fields")


@every_call
def test_only_children_are_read_per_parent(resource: Resource) -> None:
    for endpoint in resource.endpoints:
        names_parent = "{parent}" in endpoint.path + str(endpoint.query)
        assert names_parent is (resource.parent is not None)


@every_call
def test_its_paging_and_dates_fit_its_envelope(resource: Resource) -> None:
    paged = {"GET page": FEED, "POST page": BODY, "GET enterprise page": ENTERPRISE}
    for endpoint in resource.endpoints:
        is_whole = resource.name in UNPAGED
        assert endpoint.paging == (None if is_whole else paged.get(f"{endpoint.method} {endpoint.envelope}"))
        dated = endpoint.envelope is Envelope.ENTERPRISE or (
            endpoint.envelope is Envelope.PAGE and endpoint.method == "GET" and resource.parent is None
        )
        assert (endpoint.dates is not None) is dated


@pytest.mark.fact("feed-filter", "enterprise-filter")
def test_the_feeds_declare_the_date_that_they_filter_by() -> None:
    filters = {
        resource.name: resource.endpoints[0].dates.field
        for resource in CATALOGUE
        if resource.endpoints and resource.endpoints[0].dates
    }
    assert filters["contacts"] == filters["policies"] == filters["claims"] == "modified or created"
    assert filters["drivers"] == filters["vehicles"] == filters["endorsements"] == "modified"
    assert filters["billing_records"] == "created"
    unshown = {entry.name for entry in CATALOGUE for call in entry.endpoints if call.dates and not call.dates.shown}
    assert unshown == {"billing_records", "endorsements"}


def test_a_resource_is_found_by_name() -> None:
    assert find_resource("contacts").model.__tablename__ == "contacts"


def test_an_unknown_name_is_reported_with_a_suggestion_and_all_names() -> None:
    with pytest.raises(UsageError, match=r"'polices'.*Did you mean policies\?.*locations.*premium") as error:
        find_resource("polices")
    assert error.value.exit_status == 2


def test_a_name_unlike_any_other_gets_no_suggestion() -> None:
    with pytest.raises(UsageError) as error:
        find_resource("zzz")
    assert "Did you mean" not in str(error.value)


def test_children_and_derived_resources_are_found_from_their_source() -> None:
    assert {resource.name for resource in children_of("contacts")} >= {
        "account_info", "documents", "acord_forms", "notes", "tasks", "contact_phones", "contact_emails",
        "contact_addresses", "files", "customer_details",
    }  # fmt: skip
    assert {resource.name for resource in children_of("locations")} >= {
        "employee_list", "cancellation_reasons", "carrier_fees"
    }  # fmt: skip
    assert [resource.name for resource, _ in derived_from("contacts")] == ["employees", "carriers"]
    assert {resource.name for resource in children_of("policies")} >= {
        "policy_details", "adjustments", "quotes", "coverages", "equipment", "policy_notes", "policy_lines", "premium"
    }  # fmt: skip
    assert [resource.name for resource, _ in derived_from("adjustments")] == ["commissions", "terminations"]
    assert [resource.name for resource in children_of("claims")] == []
    assert [resource.name for resource, _ in derived_from("policies")] == ["applications", "fees"]
    assert [resource.name for resource, _ in derived_from("quotes")] == ["fees"]
    assert [resource.name for resource, _ in derived_from("policy_details")] == ["renewals"]
