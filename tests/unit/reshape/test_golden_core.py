"""From golden bodies to the core columns: offices, carriers, staff, policies, who handles them, adjustments, renewals.

Every expectation is derived by hand from what is known of the API.
"""

from collections.abc import Mapping
from typing import Any

import pytest
from golden_rows import Parent, derive, golden, part, read, reference, reshape

#: The fields of the policy that its details carry.
TERM = {
    **{key: golden("policies")["Data"][0][key] for key in ("PolicyId", "CustomerId", "PriorPolicyID", "Status")},
    "IsDeleted": False, "EffectiveDate": "2025-02-01T00:00:00", "ExpirationDate": "2026-02-01T00:00:00",
    "TotalPremium": 1842.0, "LOB": "Personal Auto", "LOBId": 6, "LOBList": golden("policies")["Data"][0]["LOBList"],
}  # fmt: skip
POLICY = Parent("88121", **TERM)
INFO = golden("policy_info")[0]
HIALEAH, KIM, LOU = reference("locations", 310), reference("employees", 512), reference("employees", 515)
RIVERA, POLICY_ROW = reference("contacts", 41207), reference("policies", 88121)

OFFICE = {
    "source_id": "310", "qqid": "104233", "name": "Hialeah office", "alias": "HIAL", "is_default": "True",
    "line1": "200 Palm Ave", "line2": "Suite 4", "city": "Hialeah", "state": "FL", "zip": "33010",
    "phone": "+13055550110", "fax": "+13055550111", "email": "hialeah@agency.example.com", "default_employee_id": KIM,
    "contact_first_name": "Kim", "contact_last_name": "Lee", "main_client_id": None, "default_state": "FL",
    "fein": "59-1234567", "active": None, "source_modified_at": "2024-03-01 12:00:00+00:00",
}  # fmt: skip

CUSTOMER = {
    "location_id": HIALEAH, "agent_name": "Kim Lee", "display_name": "Rivera, Dana", "is_person": "True",
    "first_name": "Dana", "middle_name": "M", "last_name": "Rivera", "business_name": "Rivera Roofing LLC",
    "customer_number": "C-1044", "contact_type": "C", "contact_type_display": "Customer", "contact_sub_type": "C",
    "status": "A", "birth_date": "1984-03-02", "marital_status": "M", "phone": "+13055550142", "phone_type": "Cell",
    "email": "dana@example.com", "primary_contact": "Dana Rivera", "line1": "9 Elm St", "line2": None,
    "city": "Hialeah", "state": "FL", "county": "Miami-Dade", "zip": "33010-1234", "country": "US",
    "source_created_at": "2023-05-04 14:11:09.130000+00:00", "source_modified_at": "2023-05-05 14:11:09.130000+00:00",
    "deleted_at": None,
}  # fmt: skip

CARRIERS = {
    "77": {
        "name": "Example Mutual", "is_mga": "False", "location_id": HIALEAH, "phone": "+18005550177",
        "email": "agents@examplemutual.example.com", "line1": "1 Mutual Plaza", "line2": "Floor 9", "city": "Tampa",
        "state": "FL", "zip": "33602-1234", "source_modified_at": None,
    },
    "95": {
        "name": "Gulfline Underwriters", "is_mga": "True", "phone": "+18005550195", "line1": "80 Harbor Dr",
        "line2": None, "city": "Savannah", "state": "GA", "zip": "31401",
    },
}  # fmt: skip

EMPLOYEE = {
    "display_name": "Lee, Kim", "first_name": "Kim", "last_name": "Lee", "phone": "+13055550112",
    "email": "kim.lee@agency.example.com", "status": "A", "location_id": HIALEAH, "contact_type": "E",
}  # fmt: skip

POLICY_COLUMNS = {
    "contact_id": RIVERA, "carrier_id": reference("carriers", 77), "mga_id": reference("carriers", 95),
    "mga_source_id": "95", "prior_policy_id": reference("policies", 80110), "policy_number": "PA 0042-17",
    "status": "A", "effective_date": "2025-02-01", "expiration_date": "2026-02-01", "term": "A",
    "line_of_business": "Personal Auto", "lob_id": "6", "lob_code": "PA", "acord_code": "AUTOP",
    "policy_type": "Personal", "package_type": "Package", "total_premium": "1842.00", "description": None,
    "customer_name": "Rivera, Dana", "agent_name": "Kim Lee", "writing_carrier": "Example Mutual",
    "mga": "Gulfline Underwriters", "producer_ids": '{"512"}', "deleted_at": None,
    "source_created_at": "2025-01-09 16:20:31.700000+00:00", "source_modified_at": "2025-01-28 13:02:55.553000+00:00",
}  # fmt: skip

HANDLED_BY = {"agent_id": KIM, "agent_name": "Kim Lee", "csr_id": LOU, "csr_name": "Lou May"}
DETAIL = {
    "source_id": "policy:88121", "policy_id": POLICY_ROW, **HANDLED_BY, "line_of_business": "Personal Auto",
    "lob_id": "6", "lob_code": "PA", "acord_code": "AUTOP", "subline": "Package", "policy_class": "Personal",
    "business_type": "W", "binder_date": "2025-01-28", "binder_number": "B88121", "location_id": None,
    "department_id": None, "non_renewal": "False", "reinstated": "False", "is_pending": "False", "period": "Annual",
    "premium_sent": "1842.00", "policy_source": "Referral", "policy_source_details": None, "carrier_naic": "12345",
    "parent_carrier": "Example Group", "description": "Renewal created by the system", "billing_type": None,
}  # fmt: skip

ADJUSTMENTS = {
    "881211": {
        "policy_id": POLICY_ROW, "adjustment_type": "E", "adjusted_on": "2025-04-01", "premium_change": "120.50",
        "commission_change": "12.05", "premium_due_to_agency": "120.50", "carrier_fees_amount": "25.00",
        "carrier_fees_commission": "2.50", "csr_id": LOU, "endorsement_number": "1", "endorsement_status": "Issued",
        "days_lapsed": "0", "remarks": None,
    },
    "881212": {
        "policy_id": POLICY_ROW, "adjustment_type": "C", "adjusted_on": "2025-06-01",
        "reasons": '{"Non-payment of premium","Rewritten with another carrier"}', "reason_ids": '{"1","3"}',
        "premium_change": "-1232.04", "commission_change": "-123.20", "premium_due_to_agency": "0.00",
        "carrier_fees_amount": "0.00", "carrier_fees_commission": "0.00", "csr_id": LOU, "endorsement_number": None,
        "endorsement_status": None, "days_lapsed": "14", "remarks": "Cancellation notice received from the carrier",
    },
}  # fmt: skip

TERMINATION = {
    "source_id": "881212", "policy_id": POLICY_ROW, "contact_id": RIVERA,
    "adjustment_id": reference("adjustments", 881212), "adjustment_type": "C", "termination_date": "2025-06-01",
    "reason_id": "1", "reason": "Non-payment of premium; Rewritten with another carrier", "return_premium": "1232.04",
}  # fmt: skip

COMMISSIONS = {
    "adjustment:881211": {
        "policy_id": POLICY_ROW, "transaction_date": "2025-04-01", "premium": "120.50", "amount": "12.05",
        "origin": "adjustment",
    },
    "adjustment:881212": {
        "policy_id": POLICY_ROW, "transaction_date": "2025-06-01", "premium": "-1232.04", "amount": "-123.20",
        "origin": "adjustment",
    },
}  # fmt: skip

RENEWAL = {
    "source_id": "88121", "policy_id": POLICY_ROW, "prior_policy_id": reference("policies", 80110),
    "contact_id": RIVERA, "business_type": "W", "binder_date": "2025-01-28", "is_confirmed": "True",
    "renewal_premium": "1842.00", "effective_date": "2025-02-01",
}  # fmt: skip

OLDER_OFFICE = {
    "LocationName": "Name", "StreetAddressLine1": "Line1", "StreetAddressLine2": "Line2", "PhoneNumber": "Phone",
    "EmailAddress": "Email",
}  # fmt: skip


def renamed(record: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """Return a record with other names of some keys."""
    return {names.get(key, key): value for key, value in record.items()}


def contact(**changes: Any) -> dict[str, Any]:
    """Return a page with the customer, changed."""
    body = golden("contacts")
    return {**body, "Data": [{**body["Data"][0], **changes}], "TotalItems": 1}


def policies(**changes: Any) -> dict[str, Any]:
    """Return a page with the policy, changed."""
    body = golden("policies")
    return {**body, "Data": [{**body["Data"][0], **changes}]}


@pytest.mark.parametrize("names", [{}, OLDER_OFFICE], ids=["own spelling", "older spelling"])
def test_an_office_is_known_by_its_location_id_and_has_the_vendors_number_beside_it(names: Mapping[str, str]) -> None:
    (office,) = golden("locations")
    reshaped = reshape("locations", [renamed(office, names)])
    assert part(reshaped.rows["310"], OFFICE) == OFFICE
    assert reshaped.findings == []


def test_a_customer_fills_the_columns_of_contacts() -> None:
    reshaped = reshape("contacts", "contacts")
    assert part(reshaped.rows["41207"], CUSTOMER) == CUSTOMER
    assert {key: row["contact_type"] or row["contact_sub_type"] for key, row in reshaped.rows.items()} == {
        "41207": "C", "41208": "P", "77": "R", "95": "M", "512": "E",
    }  # fmt: skip
    assert reshaped.findings == []


def test_carriers_and_managing_agencies_among_the_contacts_fill_carriers() -> None:
    reshaped = derive("carriers", "contacts", "contacts")
    assert {key: part(reshaped.rows[key], columns) for key, columns in CARRIERS.items()} == CARRIERS
    assert set(reshaped.rows) == {"77", "95"}
    assert reshaped.findings == []


def test_staff_among_the_contacts_fill_employees() -> None:
    reshaped = derive("employees", "contacts", "contacts")
    assert set(reshaped.rows) == {"512"}
    assert part(reshaped.rows["512"], EMPLOYEE) == EMPLOYEE


@pytest.mark.parametrize(
    ("kind", "sub_kind", "tables"),
    [
        ("R", None, {"carriers"}), (None, "R", {"carriers"}), ("C", "M", {"carriers"}), ("m ", "", {"carriers"}),
        ("E", "", {"employees"}), ("", "E", {"employees"}), ("C", "C", set()), ("P", "P", set()), ("H", "H", set()),
        (None, None, set()),
    ],
)  # fmt: skip
def test_either_type_of_a_contact_tells_its_kind(kind: str | None, sub_kind: str | None, tables: set[str]) -> None:
    body = contact(ContactType=kind, ContactSubType=sub_kind)
    assert {name for name in ("carriers", "employees") if derive(name, "contacts", body).rows} == tables


def test_a_policy_fills_its_columns() -> None:
    reshaped = reshape("policies", "policies")
    assert part(reshaped.rows["88121"], POLICY_COLUMNS) == POLICY_COLUMNS
    assert reshaped.findings == []


@pytest.mark.parametrize("status", ["A", "C", "E", "P", "V"])
def test_every_known_status_is_stored_and_only_d_deletes(status: str) -> None:
    reshaped = reshape("policies", policies(Status=status, Term="S"))
    assert part(reshaped.rows["88121"], {"status": "", "term": "", "deleted_at": ""}) == {
        "status": status, "term": "S", "deleted_at": None,
    }  # fmt: skip
    assert reshaped.findings == []
    assert reshape("policies", policies(Status="D", IsDeleted=False)).rows["88121"]["deleted_at"] is not None


@pytest.mark.parametrize(
    "names",
    [
        {},
        {"Agent": "AgentName", "CsrID": "CSRID", "CSR": "CSRName", "CarrierNAIC": "WritingCarrierNAIC"},
        {"Agent": "AgentName"},
        {"CsrID": "CSRID", "CSR": "CSRName"},
        {"CSR": "CSRName"},
        {"CsrID": "CSRId", "CSR": "Csr", "AgentID": "AgentId", "Agent": "AGENT", "PolicyID": "PolicyId"},
    ],
    ids=["PolicyInfo", "PolicySummaryForApi", "agent of the other", "CSR of the other", "name of the other", "casing"],
)
def test_the_agent_and_the_csr_are_read_in_either_spelling(names: Mapping[str, str]) -> None:
    reshaped = reshape("policy_details", [renamed(INFO, names)], POLICY)
    assert part(reshaped.rows["policy:88121"], DETAIL) == DETAIL
    assert reshaped.findings == []
    assert {stub for stub in reshaped.stubs if stub[0] == "employees"} == {
        ("employees", "512", "Kim Lee"), ("employees", "515", "Lou May"),
    }  # fmt: skip


def test_of_two_spellings_those_of_policy_info_win_so_that_an_id_keeps_its_own_name() -> None:
    others = {"AgentName": "Ann Poe", "CSRID": 520, "CSRName": "Bo Dell"}
    reshaped = reshape("policy_details", [{**others, **INFO}], POLICY)
    assert part(reshaped.rows["policy:88121"], HANDLED_BY) == HANDLED_BY
    assert {stub for stub in reshaped.stubs if stub[0] == "employees"} == {
        ("employees", "512", "Kim Lee"), ("employees", "515", "Lou May"),
    }  # fmt: skip


@pytest.mark.parametrize("blank", [None, "", " "])
def test_a_blank_name_leaves_the_place_to_the_other_spelling(blank: str | None) -> None:
    info = {**INFO, "Agent": blank, "AgentName": "Kim Lee", "CSR": blank, "CSRName": "Lou May"}
    row = reshape("policy_details", [info], POLICY).rows["policy:88121"]
    assert part(row, HANDLED_BY) == HANDLED_BY


@pytest.mark.parametrize("nobody", [None, 0, -1])
def test_a_csr_without_an_id_is_known_by_name(nobody: int | None) -> None:
    reshaped = reshape("policy_details", [{**INFO, "CsrID": nobody}], POLICY)
    row = reshaped.rows["policy:88121"]
    assert (row["csr_id"], row["csr_name"]) == (None, "Lou May")
    assert ("employees", "name:Lou May", "Lou May") in reshaped.stubs


@pytest.mark.parametrize("lines", [None, []])
def test_the_line_of_business_is_that_of_policy_info_where_the_policy_lists_none(lines: list[Any] | None) -> None:
    row = reshape("policy_details", "policy_info", Parent("88121", **{**TERM, "LOBList": lines})).rows["policy:88121"]
    assert (row["line_of_business"], row["lob_id"]) == ("Personal Auto", "6")


def test_adjustments_of_every_type_fill_their_columns() -> None:
    reshaped = reshape("adjustments", "adjustments", POLICY)
    assert {key: part(reshaped.rows[key], columns) for key, columns in ADJUSTMENTS.items()} == ADJUSTMENTS
    assert set(reshaped.rows) == set(ADJUSTMENTS)
    assert reshaped.findings == [("adjustment_type", "code-unknown")]  # only the meaning of C is known


def test_a_cancellation_is_a_termination_with_all_of_its_reasons() -> None:
    reshaped = derive("terminations", "adjustments", "adjustments", POLICY)
    assert set(reshaped.rows) == {"881212"}
    assert part(reshaped.rows["881212"], TERMINATION) == TERMINATION


def test_a_cancellation_without_reasons_is_a_termination_too() -> None:
    body = [{**golden("adjustments")[1], "AdjustmentReasons": []}]
    row = derive("terminations", "adjustments", body, POLICY).rows["881212"]
    assert (row["reason"], row["reason_id"], row["termination_date"]) == (None, None, "2025-06-01")


def test_what_adjustments_change_of_the_commission_are_commissions() -> None:
    reshaped = derive("commissions", "adjustments", "adjustments", POLICY)
    assert {key: part(reshaped.rows[key], columns) for key, columns in COMMISSIONS.items()} == COMMISSIONS
    assert set(reshaped.rows) == set(COMMISSIONS)


def without_ids(*changes: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return cancellations of one day without ids of their own, each changed."""
    (_, cancellation) = golden("adjustments")
    del cancellation["AdjustmentId"]
    return [{**cancellation, **change} for change in changes]


#: Adjustments without an id: two cancellations of one day, one of another, and an endorsement.
NAMELESS = without_ids(
    {"PremiumChange": -10.0, "CommissionChange": -1.0},
    {"PremiumChange": -20.0, "CommissionChange": -2.0},
    {"AdjustmentDate": "2025-07-01T00:00:00", "CommissionChange": 0.0},
    {"AdjustmentType": "E", "PremiumChange": 5.0, "CommissionChange": 0.5},
)


def test_adjustments_without_an_id_differ_by_policy_date_type_and_number() -> None:
    rows = reshape("adjustments", NAMELESS, POLICY).rows
    assert set(rows) == {"88121:2025-06-01:C:1", "88121:2025-06-01:C:2", "88121:2025-07-01:C:1", "88121:2025-06-01:E:1"}
    assert {row["premium_change"] for row in rows.values()} == {"-10.00", "-20.00", "-1232.04", "5.00"}


@pytest.mark.parametrize("name", ["adjustments", "terminations", "commissions"])
def test_the_order_of_the_answer_does_not_change_which_adjustment_has_which_id(name: str) -> None:
    def rows(body: list[dict[str, Any]]) -> dict[str, list[str | None]]:
        made = reshape(name, body, POLICY) if name == "adjustments" else derive(name, "adjustments", body, POLICY)
        amounts = ("premium_change", "return_premium", "amount")
        return {key: [row[column] for column in amounts if column in row] for key, row in made.rows.items()}

    assert rows(NAMELESS) == rows(NAMELESS[::-1]) == rows(NAMELESS[1:] + NAMELESS[:1])
    respelled = [{key.upper(): value for key, value in reversed(item.items())} for item in NAMELESS]
    assert rows(respelled) == rows(NAMELESS)


def test_what_comes_of_adjustments_without_an_id_keeps_the_number() -> None:
    terminations = derive("terminations", "adjustments", NAMELESS, POLICY).rows
    assert {key: row["adjustment_id"] for key, row in terminations.items()} == {
        "88121:2025-06-01": reference("adjustments", "88121:2025-06-01:C:1"),
        "88121:2025-06-01:2": reference("adjustments", "88121:2025-06-01:C:2"),
        "88121:2025-07-01": reference("adjustments", "88121:2025-07-01:C:1"),
    }
    commissions = derive("commissions", "adjustments", NAMELESS, POLICY).rows
    assert set(commissions) == {f"adjustment:88121:2025-06-01:{ending}" for ending in ("C:1", "C:2", "E:1")}


def test_an_adjustment_with_an_id_is_never_numbered() -> None:
    twice = golden("adjustments")[:1] * 2
    records = read("adjustments", twice, POLICY)
    assert [record.source_id for record in records.records] == ["881211", "881211"]
    assert records.records[0].raw == records.records[1].raw


@pytest.mark.parametrize("odd", [7, None, "text", [1]])
def test_what_is_no_adjustment_does_not_disturb_the_numbers(odd: Any) -> None:
    records = read("adjustments", [NAMELESS[0], odd, NAMELESS[1]], POLICY)
    assert {record.source_id for record in records.records} == {"88121:2025-06-01:C:1", "88121:2025-06-01:C:2"}
    assert [bad.position for bad in records.bad] == [1]


@pytest.mark.parametrize("business_type", ["R", "W"])
def test_a_renewal_and_a_rewrite_are_distinguished(business_type: str) -> None:
    body = [{**INFO, "BusinessType": business_type}]
    row = derive("renewals", "policy_details", body, POLICY).rows["88121"]
    assert part(row, RENEWAL) == {**RENEWAL, "business_type": business_type}


def test_a_shell_is_a_renewal_that_is_not_confirmed() -> None:
    body = [{**INFO, "BusinessType": "R", "BinderDate": None}]
    row = derive("renewals", "policy_details", body, POLICY).rows["88121"]
    assert (row["binder_date"], row["is_confirmed"]) == (None, "False")


@pytest.mark.parametrize(
    ("info", "term"),
    [
        ({"BusinessType": "N"}, {}),
        ({"BusinessType": "R"}, {"PriorPolicyID": None}),
        ({"BusinessType": "W"}, {"PriorPolicyID": 0}),
        ({"BusinessType": "R"}, {"Status": "D"}),
    ],
    ids=["new business", "no prior term", "prior term 0", "deleted"],
)
def test_what_replaces_no_term_is_no_renewal(info: Mapping[str, Any], term: Mapping[str, Any]) -> None:
    parent = Parent("88121", **{**TERM, **term})
    assert derive("renewals", "policy_details", [{**INFO, **info}], parent).rows == {}


def test_fees_have_their_name_and_a_carriers_fee_without_one_its_number() -> None:
    (agency,) = derive("fees", "policies", "policies").rows.values()
    assert part(agency, {"source_id": "", "fee_type": "", "name": "", "amount": "", "is_percent": ""}) == {
        "source_id": "policy:88121:Broker fee", "fee_type": "agency", "name": "Broker fee", "amount": "50.0000",
        "is_percent": "False",
    }  # fmt: skip
    (carrier,) = derive("fees", "quotes", "quotes", POLICY).rows.values()
    assert part(carrier, {"source_id": "", "fee_type": "", "name": "", "policy_id": "", "amount": ""}) == {
        "source_id": "quote:881211:1", "fee_type": "carrier", "name": "Carrier fee 1", "policy_id": POLICY_ROW,
        "amount": "25.0000",
    }  # fmt: skip
