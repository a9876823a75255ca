"""The made-up agency: the same for the same seed, whole, and in real places."""

import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
import zipcodes

from etl.simulator.book import agency, dates, drivers_vehicles, names, people, places, terms
from etl.simulator.world import World

NOW = datetime(2026, 6, 15, 16, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def world() -> World:
    return World.make(7, 1500, NOW)


def details(world: World) -> list[Any]:
    of_policies = ("info", "adjustments", "quotes", "coverages", "equipment", "policy_notes")
    of_contacts = ("account", "addresses", "documents", "files", "forms", "notes", "tasks", "customer_summary")
    policies = [world.detail(kind, int(key)) for kind in of_policies for key in world.policies]
    return policies + [world.detail(kind, int(key)) for kind in of_contacts for key in world.contacts]


def test_the_same_seed_makes_the_same_world() -> None:
    first, same, other = World.make(3, 80, NOW), World.make(3, 80, NOW), World.make(4, 80, NOW)
    assert first.book() == same.book()
    assert details(first) == details(same) == details(first)
    assert first.locations == same.locations
    assert first.book()["contacts"] != other.book()["contacts"]


def test_a_world_is_in_proportion(world: World) -> None:
    assert len(world.clients) == 1500
    assert 1.5 < len(world.policies) / len(world.clients) < 2.3
    assert len(world.locations) >= 3
    assert len(world.carriers) == 29
    assert sum(carrier["IsMGA"] for carrier in world.carriers) == 4
    assert Counter(world.contact_types.values()).keys() == {"C", "P", "H", "E", "R", "M"}
    assert len(world.contacts_of_type("R")) == 25
    assert len(world.contacts_of_type("M")) == 4
    assert len(world.contacts_of_type("E")) == len(world.agency.employees)


def test_the_type_of_a_carrier_or_employee_may_be_in_either_field(world: World) -> None:
    fields = [(contact["ContactType"], contact["ContactSubType"]) for contact in world.contacts_of_type("R", "M", "E")]
    assert {bool(kind) for kind, _ in fields} == {bool(kind) for _, kind in fields} == {True, False}
    assert all({*pair} & {"R", "M", "E"} for pair in fields)


def test_a_very_small_and_an_empty_world_can_be_made() -> None:
    assert World.make(1, 0, NOW).clients == []
    assert len(World.make(1, 1, NOW).clients) == 1


def test_records_are_spread_over_the_years(world: World) -> None:
    years = Counter(world.policies.created(key).year for key in world.policies)
    assert set(years) >= set(range(2021, 2027))
    assert all(world.policies.created(key) < NOW for key in world.policies)
    assert all((world.policies.modified(key) or NOW) <= NOW for key in world.policies)
    untouched = sum(world.contacts.modified(key) is None for key in world.clients)
    assert 0.3 < untouched / len(world.clients) < 0.46


def test_references_lead_somewhere(world: World) -> None:
    carriers = {carrier["CarrierID"] for carrier in world.carriers}
    offices = {office["LocationID"] for office in world.locations}
    staff = {contact["EntityID"] for contact in world.contacts_of_type("E")}
    for policy in world.policies.values():
        assert policy["CustomerId"] in world.contacts
        assert world.contact_types[policy["CarrierId"]] == "R"
        assert policy["MGAId"] is None or world.contact_types[policy["MGAId"]] == "M"
        (info,) = world.detail("info", policy["PolicyId"])
        assert {*policy["ProducerIDs"], info["AgentID"]} <= staff
        assert info["CsrID"] in staff | {None}
        assert {change["CSRId"] for change in world.detail("adjustments", policy["PolicyId"])} <= {info["CsrID"]}
    assert carriers == {contact["EntityID"] for contact in world.contacts_of_type("R", "M")}
    assert {office["DefaultEmployeeID"] for office in world.locations} <= staff
    assert {contact["LocationID"] for contact in world.contacts.values()} <= offices | {None}
    assert {claim["PolicyID"] for claim in world.claims.values()} <= set(world.policies)
    assert {row["ContactId"] for row in world.billing.values()} <= set(world.contacts)
    assert {department["LocationID"] for department in world.departments} == offices | {None}
    assert {carrier["ParentCarrierID"] for carrier in world.carriers} <= carriers | {None}


def test_a_renewal_follows_its_prior_term(world: World) -> None:
    renewals = [policy for policy in world.policies.values() if policy["PriorPolicyID"]]
    assert len(renewals) > 200
    for renewal in renewals:
        prior = world.policies[renewal["PriorPolicyID"]]
        assert prior["PolicyId"] < renewal["PolicyId"]
        assert prior["CustomerId"] == renewal["CustomerId"]
        assert prior["LOBId"] == renewal["LOBId"]
        letter = world.detail("info", renewal["PolicyId"])[0]["BusinessType"]
        if letter == "R":
            assert prior["ExpirationDate"] == renewal["EffectiveDate"]
        else:
            assert letter == "W"
            assert prior["Status"] == "C" or prior["ExpirationDate"] == renewal["EffectiveDate"]


def test_offices_have_another_number_than_their_id(world: World) -> None:
    for office in world.locations:
        assert isinstance(office["QQID"], str)
        assert office["QQID"] != str(office["LocationID"])


def test_business_types_and_terms_are_those_that_were_seen(world: World) -> None:
    infos = [world.detail("info", int(key))[0] for key in world.policies]
    kinds = Counter(info["BusinessType"] for info in infos)
    assert kinds.keys() == {"N", "R", "W"}
    assert kinds["W"] > 20
    assert Counter(policy["Term"] for policy in world.policies.values()).keys() == {"A", "S"}


def test_adjustments_belong_to_every_policy_that_changed(world: World) -> None:
    letters = {key: "".join(change.type for change in changes) for key, changes in world.adjustments.items()}
    assert {letter for word in letters.values() for letter in word} == {"C", "E", "R", "N"}
    assert any(word.count("C") > 1 for word in letters.values())
    without = next(int(key) for key in world.policies if key not in letters)
    assert world.detail("adjustments", without) == []
    nonrenewed = next(key for key, word in letters.items() if "N" in word)
    assert world.detail("info", nonrenewed)[0]["NonRenewal"]


def test_an_expiry_may_not_have_been_marked(world: World) -> None:
    today = dates.midnight(NOW.date())
    over = [policy for policy in world.policies.values() if (policy["ExpirationDate"] or today) < today]
    statuses = Counter(policy["Status"] for policy in over)
    assert 0.05 < statuses["A"] / len(over) < 0.35


def test_only_the_status_says_that_a_policy_is_deleted(world: World) -> None:
    pairs = {(policy["Status"] == "D", policy["IsDeleted"]) for policy in world.policies.values()}
    assert pairs == {(True, True), (True, False), (False, True), (False, False)}


def test_notes_files_and_tasks_name_their_records(world: World) -> None:
    for key in world.clients[:200]:
        owned = {None, *world.policies_of.get(key, [])}
        assert {note["AssignedContactId"] for note in world.detail("notes", key)} <= {key}
        assert {task["PolicyId"] for task in world.detail("tasks", key)} <= owned
        assert {policy for file in world.detail("files", key) for policy in file["RelatedPolicyIDs"]} <= owned
        ids = [document["BlobInfoId"] for document in world.detail("documents", key)]
        assert [file["Id"] for file in world.detail("files", key)] == ids


def test_shells_are_renewals_that_nobody_bound(world: World) -> None:
    renewals = [policy for policy in world.policies.values() if policy["PriorPolicyID"]]
    shells = [renewal for renewal in renewals if world.detail("info", renewal["PolicyId"])[0]["BinderDate"] is None]
    assert {shell["Status"] for shell in shells} == {"A", "P"}
    assert 0.02 < len(shells) / len(renewals) < 0.3
    paid = {row["PolicyIds"] for row in world.billing.values()}
    assert not paid & {str(shell["PolicyId"]) for shell in shells}


def test_every_status_occurs_and_fits_the_dates(world: World) -> None:
    today = dates.midnight(NOW.date())
    statuses = Counter(record["Status"] for record in world.policies.values())
    assert set(statuses) == {"A", "C", "D", "E", "P", "V"}
    for policy in world.policies.values():
        if policy["Status"] == "E":
            assert policy["ExpirationDate"] <= today


def test_a_canceled_policy_has_its_adjustment(world: World) -> None:
    for policy in world.policies.values():
        kinds = [change["AdjustmentType"] for change in world.detail("adjustments", policy["PolicyId"])]
        assert (kinds[-1:] == ["C"]) == (policy["Status"] == "C")
        assert ("R" in kinds) == world.detail("info", policy["PolicyId"])[0]["Reinstated"]


def test_some_policies_were_entered_before_their_client(world: World) -> None:
    early = [
        key for key in world.policies
        if world.policies.created(key) < world.contacts.created(world.policies[key]["CustomerId"])
    ]  # fmt: skip
    assert 3 <= len(early) < 0.05 * len(world.policies)


def test_every_zip_belongs_to_its_state_city_and_county(world: World) -> None:
    checked = 0
    for contact in world.contacts.values():
        code, state = (contact["Zip"] or "").strip()[:5], (contact["State"] or "").strip()
        if not code or not state:
            continue
        (zipcode,) = zipcodes.matching(code)  # type: ignore[no-untyped-call]
        assert zipcode["state"] == state
        assert zipcode["city"].upper() == contact["City"].upper()
        assert contact["County"] in {"", zipcode["county"].removesuffix(" County")}
        checked += 1
    assert checked > 1300


def test_clients_live_near_their_office() -> None:
    dice = random.Random(1)
    office = places.places_of("FL")[10]
    homes = [places.home_of_client(dice, office) for _ in range(500)]
    near = sum(home in places.around(office) for home in homes)
    assert near > 430
    assert {home.state for home in homes} <= {"FL", *places.STATES["FL"]}


def test_people_read_like_people() -> None:
    dice = random.Random(1)
    person = names.Name("Dana", None, "O'Neil", female=True)
    assert all(part.isalpha() for part in (names.first_name(dice, female=False), names.last_name(dice)))
    assert names.email(dice, person).partition("@")[0].replace(".", "").replace("_", "").rstrip("0123456789").isalpha()
    assert names.email(dice, person).partition("@")[2] in {"example.com", "example.net", "example.org"}
    digits = "".join(filter(str.isdigit, names.phone(dice, "305")))
    assert digits.removeprefix("1")[:8] == "30555501"
    assert names.business(dice, "Ocala").count(" ") >= 2


def test_a_vehicle_number_has_its_check_digit() -> None:
    assert drivers_vehicles.check_digit("1M8GDM9A_KP042788".replace("_", "0")) == "X"
    for _ in range(50):
        vin = drivers_vehicles.vin(random.Random(5), "1HG", 2019)
        assert len(vin) == 17
        assert vin[8] == drivers_vehicles.check_digit(vin)
        assert vin[9] == "K"


def test_drivers_carry_planted_secrets_and_accounts_a_login(world: World) -> None:
    key = next(iter(world.garage))
    driver = world.detail("drivers", key)[0]
    assert driver["SSN"].startswith("9")
    assert len(driver["SSN"]) == 11
    assert driver["DriverLicenseNo"]
    account = world.detail("account", world.clients[0])[0]
    summary = world.detail("customer_summary", world.clients[0])[0]
    assert (summary["SSN"] or "9").startswith("9")
    assert account["UserPassword"].startswith("portal-")
    assert account["UserID"].startswith("portal-user-")


def test_a_household_keeps_its_cars_from_term_to_term(world: World) -> None:
    renewal = next(policy for policy in world.policies.values() if policy["LOBId"] == 6 and policy["PriorPolicyID"])
    now, prior = (world.detail("vehicles", renewal[name]) for name in ("PolicyId", "PriorPolicyID"))
    assert [record["VIN"] for record in now] == [record["VIN"] for record in prior]
    assert now[0]["VehicleID"] != prior[0]["VehicleID"]


def test_coverages_of_cars_name_vehicles_of_the_same_policy(world: World) -> None:
    for key in list(world.garage)[:40]:
        vehicles = {vehicle["VehicleID"] for vehicle in world.detail("vehicles", key)}
        covered = {policy["VehicleID"] for policy in world.detail("coverages", key)} - {None}
        assert covered == vehicles


def test_equipment_is_only_on_commercial_policies(world: World) -> None:
    lines = {policy["LOB"] for policy in world.policies.values() if world.detail("equipment", policy["PolicyId"])}
    assert "Inland Marine" in lines
    assert not lines & {"Personal Auto", "Homeowners"}


def test_a_policy_of_a_merged_client_still_answers() -> None:
    world = World.make(2, 60, NOW)
    key = next(iter(world.garage))
    world.contacts.drop(world.policies[key]["CustomerId"])
    assert world.detail("vehicles", key)[0]["GarageAddressZip"] is None
    assert world.detail("info", key)[0]["PolicyID"] == key


def test_display_names_lead_to_one_employee(world: World) -> None:
    shown = [employee.display_name for employee in world.agency.employees]
    assert len(shown) == len(set(shown))
    assert world.agency.employee_by_name(f"{shown[3]}   ").display_name == shown[3]


@pytest.mark.parametrize("contacts", [1, 300, 30_000])
def test_every_office_has_producers_and_somebody_to_serve(contacts: int) -> None:
    firm = agency.make(random.Random(1), NOW, contacts)
    for office in firm.offices:
        assert firm.staff(office.id, "Producer")
        assert firm.staff(office.id, "CSR")


def test_terms_are_as_long_as_they_say() -> None:
    assert terms.later(datetime(2024, 2, 29, tzinfo=UTC).date(), 12).isoformat() == "2025-02-28"
    assert terms.later(datetime(2025, 8, 31, tzinfo=UTC).date(), 6).isoformat() == "2026-02-28"
    assert terms.later(datetime(2025, 11, 5, tzinfo=UTC).date(), 6).isoformat() == "2026-05-05"


def test_contacts_are_numbered_in_the_order_in_which_they_came(world: World) -> None:
    times = [world.contacts.created(key) for key in world.clients]
    assert list(world.contacts) == sorted(world.contacts)
    assert world.clients == list(range(people.FIRST_CONTACT, people.FIRST_CONTACT + 1500))
    assert all(later - earlier > -timedelta(days=1) for earlier, later in pairwise(times))
