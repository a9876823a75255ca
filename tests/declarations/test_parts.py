"""What a record yields beyond its own row: generated ids, derived records, fallbacks, stubs, computed values."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from etl.catalogue.resource import Derivation, Resource
from etl.models.base import fields_of
from etl.models.sources import first_of, value_at
from etl.resources import CATALOGUE, derived_from, find_resource
from etl.spelling import spelling_of
from etl.values import Reference, Violation

every_resource = pytest.mark.parametrize("resource", CATALOGUE, ids=lambda resource: resource.name)


def derive(name: str, source: str, record: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the records of a resource that are derived from a record of another."""
    derivation: Derivation = next(item for resource, item in derived_from(source) if resource.name == name)
    return list(derivation.make(spelling_of(find_resource(source)).respell(record)))


def id_of(name: str, record: Mapping[str, Any]) -> Any:
    """Return the id that a resource reads from its record."""
    id_source = find_resource(name).id
    record = spelling_of(find_resource(name)).respell(record)
    return id_source(record) if callable(id_source) else value_at(record, id_source)


def stubs(name: str, record: Mapping[str, Any]) -> dict[str, list[tuple[str, str | None]]]:
    """Return the stubs of rows that a record of a resource refers to, by table."""
    respelled = spelling_of(find_resource(name)).respell(record)
    return {stub.model.__tablename__: list(stub.make(respelled)) for stub in find_resource(name).stubs}


@pytest.mark.parametrize(
    ("agency_id", "expected"), [(7, 7), ("7", "7"), (None, "account"), (0, "account"), ("", "account")]
)
def test_an_office_belongs_to_its_agency_or_to_the_account(agency_id: Any, expected: Any) -> None:
    office = {"QQID": 310, "AgencyID": agency_id, "AgencyName": "Sunshine"}
    assert derive("agencies", "locations", office) == [{"AgencyID": expected, "AgencyName": "Sunshine"}]
    source = fields_of(find_resource("locations").model)["agency_id"].source
    assert callable(source)
    assert source(office) == expected
    assert all(not derivation.owned for _, derivation in derived_from("locations"))


POLICY = {
    "PolicyId": 88121, "CustomerId": 41207, "Status": "A", "PriorPolicyID": 80110, "IsDeleted": False, "LOB": "Auto",
    "EffectiveDate": "2025-02-01T00:00:00", "TotalPremium": 1842.0, "CarrierId": 77, "CreatedOn": "2025-01-09T16:20:31",
    "DateLastModified": "2025-01-28T13:02:55",
    "LOBList": [{"Name": "Auto", "Code": "PA"}, {"Name": "Home", "Code": "HO"}],
}  # fmt: skip


def test_pending_policies_are_the_fallback_of_applications() -> None:
    applications = derive("applications", "policies", POLICY | {"Status": " p"})
    assert applications == [
        {
            "ApplicationID": "policy:88121", "PolicyID": 88121, "CustomerID": 41207, "CarrierID": 77, "Status": "P",
            "LOB": "Auto", "RequestedEffectiveDate": "2025-02-01T00:00:00", "EstimatedPremium": 1842.0,
            "CreatedOn": "2025-01-09T16:20:31", "DateLastModified": "2025-01-28T13:02:55",
        }
    ]  # fmt: skip
    assert derive("applications", "policies", POLICY) == []
    assert derive("applications", "policies", POLICY | {"Status": "P", "IsDeleted": True}) == []
    assert next(item for resource, item in derived_from("policies") if resource.name == "applications").fallback


def test_every_line_of_business_is_a_fallback_for_missing_policy_details() -> None:
    parent = find_resource("policy_details").parent
    assert parent is not None
    assert parent.fallback is not None
    details = list(parent.fallback(POLICY))
    assert [id_of("policy_details", detail) for detail in details] == ["policy:88121", "policy:88121:2"]
    sources = fields_of(find_resource("policy_details").model)
    line = sources["line_of_business"].source
    assert callable(line)
    assert [line(detail) for detail in details] == ["Auto", "Home"]
    assert line({"_parent": POLICY}) == "Auto"
    assert list(parent.fallback({"PolicyId": 1, "LOBList": None})) == []


@pytest.mark.parametrize(
    ("detail", "expected"),
    [
        ({"PolicyDetailsID": 9, "_parent": POLICY}, 9),
        ({"PolicyDetailsID": None, "PolicyId": 5}, "policy:5"),
        ({"_parent": POLICY}, "policy:88121"),
    ],
)
def test_the_id_of_a_policy_detail_is_its_own_or_its_policys(detail: Mapping[str, Any], expected: Any) -> None:
    assert id_of("policy_details", detail) == expected


def test_a_renewal_is_derived_from_a_live_policy_with_a_prior_term() -> None:
    detail = {"BusinessType": "R", "BinderDate": "2025-01-20T00:00:00", "_parent": POLICY}
    (renewal,) = derive("renewals", "policy_details", detail)
    assert id_of("renewals", renewal) == 88121
    assert renewal == {
        "PolicyId": 88121, "PriorPolicyID": 80110, "CustomerId": 41207, "EffectiveDate": "2025-02-01T00:00:00",
        "TotalPremium": 1842.0, "BusinessType": "R", "BinderDate": "2025-01-20T00:00:00",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("policy", "business_type", "number"),
    [
        ({}, None, 1),
        ({}, "N", 0),
        ({"PriorPolicyID": None}, "R", 0),
        ({"PriorPolicyID": 0}, "R", 0),
        ({"Status": "D"}, "R", 0),
        ({"IsDeleted": True}, "R", 0),
        ({"Status": "E"}, "R", 1),
    ],
)
@pytest.mark.fact("business-type")
def test_a_renewal_is_derived_only_from_a_renewed_policy(
    policy: Mapping[str, Any], business_type: str | None, number: int
) -> None:
    detail = {"BusinessType": business_type, "_parent": {**POLICY, **policy}}
    assert len(derive("renewals", "policy_details", detail)) == number


@pytest.mark.parametrize(("date", "confirmed"), [("2025-01-20T00:00:00", True), (None, False), (" ", False)])
@pytest.mark.fact("renewal-bound")
def test_a_bound_renewal_is_confirmed(date: str | None, confirmed: bool) -> None:
    source = fields_of(find_resource("renewals").model)["is_confirmed"].source
    assert callable(source)
    assert source({"BinderDate": date}) is confirmed


@pytest.mark.parametrize(
    ("adjustment", "of_adjustment", "of_termination"),
    [
        ({"AdjustmentId": 3}, 3, 3),
        ({"AdjustmentID": 3}, 3, 3),
        ({"AdjustmentDate": "2025-04-01T00:00:00", "_parent": {"PolicyId": 88121}}, "88121:2025-04-01", None),
        ({"AdjustmentId": None, "PolicyId": 5, "AdjustmentDate": "4/1/2025 1:00:00 PM"}, "5:2025-04-01", None),
        ({"PolicyId": 5, "AdjustmentDate": "soon"}, None, None),
        ({"PolicyId": None, "AdjustmentDate": "2025-04-01"}, None, None),
    ],
)
def test_an_adjustment_is_known_by_its_id_or_by_policy_date_type_and_number(
    adjustment: Mapping[str, Any], of_adjustment: Any, of_termination: Any
) -> None:
    record = {**adjustment, "AdjustmentType": " c"}
    made_up = isinstance(of_adjustment, str)
    assert id_of("adjustments", record) == (f"{of_adjustment}:C:1" if made_up else of_adjustment)
    (termination,) = derive("terminations", "adjustments", record)
    assert id_of("terminations", termination) == (of_adjustment if made_up else of_termination)
    assert read("terminations", "adjustment_id", termination) == id_of("adjustments", record)


CANCELLATION = {
    "AdjustmentId": 3, "AdjustmentType": "C", "AdjustmentDate": "2025-04-01T00:00:00", "PremiumChange": -412.5,
    "CommissionChange": "-61.88", "PolicyId": 88121,
    "AdjustmentReasons": [
        {"ReasonId": 7, "ReasonDescription": "Non-payment "}, None,
        {"ReasonId": 9, "ReasonDescription": "Sold vehicle"},
    ],
}  # fmt: skip


@pytest.mark.fact("adjustment-types", "return-premium")
def test_only_an_adjustment_of_type_c_is_a_termination() -> None:
    assert derive("terminations", "adjustments", CANCELLATION) == [
        CANCELLATION | {"TerminationID": 3, "ReturnPremium": Decimal("412.50")}
    ]
    for other in ("E", "", None, ["C"]):
        assert derive("terminations", "adjustments", CANCELLATION | {"AdjustmentType": other}) == []


def read(name: str, column: str, record: Mapping[str, Any]) -> Any:
    """Return the raw value of a column of a resource's record."""
    source = fields_of(find_resource(name).model)[column].source
    record = spelling_of(find_resource(name)).respell(record)
    return source(record) if callable(source) else value_at(record, str(source))


@pytest.mark.fact("cancellation-reasons")
def test_a_termination_has_all_reasons_and_the_premium_that_went_back() -> None:
    assert read("terminations", "reason", CANCELLATION) == "Non-payment; Sold vehicle"
    assert read("terminations", "reason_id", CANCELLATION) == 7
    assert read("adjustments", "reasons", CANCELLATION) == ["Non-payment ", "Sold vehicle"]
    assert read("adjustments", "reason_ids", CANCELLATION) == [7, 9]
    assert read("terminations", "reason", {}) is None


@pytest.mark.fact("commissions")
def test_a_change_of_commission_is_a_commission_where_the_account_offers_none() -> None:
    (commission,) = derive("commissions", "adjustments", CANCELLATION)
    assert commission == {
        "CommissionID": "adjustment:3", "PolicyID": 88121, "TransactionType": "C", "Premium": -412.5,
        "TransactionDate": "2025-04-01T00:00:00", "Amount": "-61.88", "Status": "ADJ", "Origin": "adjustment",
    }  # fmt: skip
    assert read("commissions", "origin", commission) == "adjustment"
    assert read("commissions", "origin", {"CommissionID": 5}) == "feed"
    for nothing in (None, 0, "0.00", "soon"):
        assert derive("commissions", "adjustments", CANCELLATION | {"CommissionChange": nothing}) == []
    assert next(item for resource, item in derived_from("adjustments") if resource.name == "commissions").fallback


@pytest.mark.parametrize("codes", [("R", "C"), ("C", " r "), ("M", None), (None, "M"), ("M", "R")])
@pytest.mark.fact("contact-types")
def test_a_contact_of_type_r_or_m_is_a_carrier(codes: tuple[str | None, str | None]) -> None:
    contact = {
        "EntityID": 77, "DisplayName": "Example Mutual", "ContactType": codes[0], "ContactSubType": codes[1],
        "Phone": "(305) 555-0142", "DOB": None, "Status": "A",
    }  # fmt: skip
    (carrier,) = derive("carriers", "contacts", contact)
    assert carrier == {
        "EntityID": 77, "DisplayName": "Example Mutual", "Phone": "(305) 555-0142", "Status": "A",
        "IsMGA": "M" in codes,
    }  # fmt: skip
    assert id_of("carriers", carrier) == 77
    assert derive("employees", "contacts", contact) == []


@pytest.mark.parametrize("codes", [("E", "C"), ("C", "e"), (None, "E")])
def test_a_contact_of_type_e_is_an_employee(codes: tuple[str | None, str | None]) -> None:
    contact = {"EntityID": 512, "DisplayName": "Lee, Kim", "ContactType": codes[0], "ContactSubType": codes[1]}
    assert derive("employees", "contacts", contact) == [contact]
    assert derive("carriers", "contacts", contact) == []


def test_a_customer_or_a_prospect_is_neither_carrier_nor_employee() -> None:
    for codes in ("C", "P", "H", None):
        contact = {"EntityID": 1, "ContactType": codes, "ContactSubType": codes}
        assert derive("carriers", "contacts", contact) == derive("employees", "contacts", contact) == []


def test_the_id_of_an_agency_fee_is_its_policy_and_name_with_a_number_for_repeated_names() -> None:
    fees: list[dict[str, Any] | None] = [
        {"AgencyFeeName": "Broker  fee ", "Amount": 50.0, "AmountIsPercent": "False", "CalculatedAmount": 50.0},
        {"AgencyFeeName": "Broker fee", "Amount": 10.0},
        {"AgencyFeeName": None, "Amount": 1.0},
        None,
    ]
    records = derive("fees", "policies", {"PolicyId": 88121, "PolicyAgencyFees": fees})
    expected = ["policy:88121:Broker fee", "policy:88121:Broker fee:2", "policy:88121:unnamed"]
    assert [id_of("fees", fee) for fee in records] == expected
    assert records[0] == {**(fees[0] or {}), "FeeID": expected[0], "FeeType": "agency", "PolicyID": 88121}
    assert derive("fees", "policies", {"PolicyId": 1, "PolicyAgencyFees": "none"}) == []


def test_the_id_of_a_carrier_fee_is_its_quote_and_number() -> None:
    quote = {"QuoteID": 12, "PolicyID": 5, "QuoteCarrierFees": [{"QuoteID": 12, "CarrierFeeID": 4, "Amount": 25.0}]}
    (fee,) = derive("fees", "quotes", quote)
    assert id_of("fees", fee) == "quote:12:4"
    assert (fee["FeeType"], fee["PolicyID"], fee["QuoteID"]) == ("carrier", 5, 12)
    name = fields_of(find_resource("fees").model)["name"].source
    assert callable(name)
    assert name(fee) == "Carrier fee 4"
    assert name({"AgencyFeeName": "Broker fee"}) == "Broker fee"
    assert name({}) is None


@pytest.mark.fact("commission-rule-id")
def test_the_id_of_a_commission_rule_is_its_kind_and_number() -> None:
    for name in ("RuleID", "AgencyRuleID", "ProducerRuleID", "ID"):
        assert id_of("commission_rules", {name: 8, "_call": {"kind": "agency"}}) == "agency:8"
    assert id_of("commission_rules", {"CommissionRuleID": 8, "_call": {"kind": "agency"}}) == "agency:8"
    assert id_of("commission_rules", {"CommissionRuleID": 8, "_call": {"kind": "producer"}}) == "producer:8"
    assert id_of("commission_rules", {"CommissionRuleID": None, "_call": {"kind": "agency"}}) is None
    kinds = [dict(endpoint.implies)["kind"] for endpoint in find_resource("commission_rules").endpoints]
    assert kinds == ["agency", "producer"]
    rule = fields_of(find_resource("commissions").model)["rule_id"].source
    assert callable(rule)
    assert rule({"CommissionRuleID": 8}) == "agency:8"
    assert rule({"CommissionRuleID": None}) is None


def test_an_agent_with_only_a_name_becomes_an_employee() -> None:
    assert stubs("contacts", {"AgentName": " Kim  Lee "}) == {"employees": [("name:Kim Lee", "Kim Lee")]}
    assert stubs("contacts", {"AgentName": "N/A"}) == {"employees": []}
    assert stubs("contacts", {"AgentName": 7.5})["employees"] in ([], [("name:7.5", "7.5")])
    detail = {"AgentID": 512, "AgentName": "Kim Lee", "CSRID": 0, "CSRName": "Ana Ruiz"}
    assert stubs("policy_details", detail) == {"employees": [("name:Ana Ruiz", "Ana Ruiz")]}


@pytest.mark.fact("agent-spelling")
def test_an_agent_of_a_detail_is_known_in_either_spelling() -> None:
    detail = {"Agent": "Kim Lee", "CsrID": 513, "CSR": "Ana Ruiz"}
    assert stubs("policy_details", detail) == {"employees": [("name:Kim Lee", "Kim Lee")]}
    for spelling in ({"CsrID": 513, "CSR": "Ana Ruiz"}, {"CSRID": 513, "CSRName": "Ana Ruiz"}):
        assert read("policy_details", "csr_id", spelling) == 513
        assert read("policy_details", "csr_name", spelling) == "Ana Ruiz"


@pytest.mark.parametrize(("name", "field"), [("policies", "MGAId"), ("quotes", "MGAID"), ("commission_rules", "MgaId")])
def test_a_managing_general_agency_is_a_reference_to_a_carrier(name: str, field: str) -> None:
    about = fields_of(find_resource(name).model)
    assert about["mga_id"].source == about["mga_source_id"].source == field
    label = "MGA" if name == "policies" else None
    assert about["mga_id"].kind == Reference("carriers", label=label)


@pytest.mark.parametrize(
    ("vin", "expected"),
    [
        ("1HGCM82633A004352", True),
        ("1hgcm82633a004352", True),
        ("1HGCM82643A004352", False),
        ("ABC", False),
        (None, None),
    ],
)
def test_the_check_digit_of_a_vin_is_verified(vin: Any, expected: bool | None) -> None:
    source = fields_of(find_resource("vehicles").model)["vin_valid"].source
    assert callable(source)
    assert source({"VIN": vin}) is expected


@pytest.mark.parametrize(("signature", "expected"), [(5, True), ("5", True), (None, False), (0, False), (-1, False)])
def test_a_form_with_a_signature_is_signed(signature: Any, expected: bool) -> None:
    source = fields_of(find_resource("acord_forms").model)["signed"].source
    assert callable(source)
    assert source({"SignatureID": signature}) is expected


class ConstantRecord(dict[str, Any]):
    """A record with the same value under every key."""

    def __init__(self, value: Any) -> None:
        super().__init__()
        self.value = value

    def get(self, key: str, default: Any = None) -> Any:
        """Return the value."""
        del key, default
        return self.value


HOSTILE: tuple[Any, ...] = (
    None,
    "",
    " ",
    0,
    -1,
    True,
    1.5,
    "x" * 300,
    [],
    [None],
    {},
    {"a": 1},
    [[{}]],
    "\x00",
    "\ud800",
)


@every_resource
@pytest.mark.parametrize("value", HOSTILE, ids=lambda value: repr(value)[:12])
def test_its_functions_accept_any_value(resource: Resource, value: Any) -> None:
    record = ConstantRecord(value)
    for field in fields_of(resource.model, resource.data_source).values():
        if callable(field.source):
            result = field.source(record)
            assert not isinstance(result, Violation)
    if callable(resource.id):
        resource.id(record)
    for derivation in resource.derived:
        assert all(isinstance(derived, Mapping) for derived in derivation.make(record))
    for stub in resource.stubs:
        assert all(isinstance(source_id, str) for source_id, _ in stub.make(record))
    if resource.parent is not None and resource.parent.fallback is not None:
        assert all(isinstance(replacement, Mapping) for replacement in resource.parent.fallback(record))


def test_the_first_path_with_a_value_is_taken() -> None:
    source = first_of("A", "B.0.C", "D")
    assert source({"A": " ", "B": [{"C": 0}], "D": 3}) == 0
    assert source({"A": None, "B": [], "D": 3}) == 3
    assert source({}) is None
    assert str(source) == "A or B.0.C or D"
