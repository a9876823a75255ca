"""From the golden bodies of the additional calls to the columns of their tables."""

from typing import Any

import pytest
from golden_rows import Parent, golden, part, read, reference, reshape

from etl.resources import find_resource

CUSTOMER = Parent("41207", EntityID=41207)
POLICY = Parent("88121", PolicyId=88121, CustomerId=41207)
OFFICE = Parent("310", LocationID=310)


CONTACT, POLICY_ROW, LOU = reference("contacts", 41207), reference("policies", 88121), reference("employees", 515)
COMMENT = "Client called about the deductible."

EXPECTED: dict[str, tuple[str, Parent | None, dict[str, str | None]]] = {
    "notes": ("notes", CUSTOMER, {
        "source_id": "412070", "contact_id": CONTACT, "policy_id": None, "comment": COMMENT, "created_by": "Lou May",
        "employee_id": LOU, "created_on": "2025-03-02 15:04:05.123000+00:00", "modified_by": "Lou May",
        "parent_note_id": "412069", "important": "False", "is_pinned": "False", "related_notes": "[]",
    }),
    "policy_notes": ("policy_notes", POLICY, {
        "source_id": "881210", "contact_id": CONTACT, "policy_id": POLICY_ROW, "comment": COMMENT,
    }),
    "tasks": ("tasks", CUSTOMER, {
        "source_id": "412070", "contact_id": CONTACT, "policy_id": POLICY_ROW, "description": None,
        "subject": "Call the client about the renewal", "status": "Completed", "priority": "Normal",
        "due_date": "2025-03-09", "completed_on": "2025-03-05 10:00:00+00:00", "assigned_to_id": LOU,
        "assigned_to": "Lou May", "created_by": "Lou May", "created_on": "2025-03-02 15:04:05.123000+00:00",
    }),
    "contact_phones": ("phones", CUSTOMER, {
        "source_id": "412070", "contact_id": CONTACT, "phone": "+13055550142", "phone_type_id": "C",
        "phone_type": "Cell", "extension": None, "notes": None, "is_preferred": "True",
    }),
    "contact_emails": ("emails", CUSTOMER, {
        "source_id": "412070", "contact_id": CONTACT, "email": "dana@example.com", "email_type_id": "H",
        "email_type": "Home", "is_preferred": "True",
    }),
    "contact_addresses": ("addresses", CUSTOMER, {
        "source_id": "412070", "contact_id": CONTACT, "address_type_id": "P", "address_type": "Physical",
        "line1": "9 Elm St", "line2": None, "city": "Hialeah", "state": "FL", "county": "Miami-Dade",
        "country_code": "US", "province": None, "zip": "33010", "latitude": "25.800000", "longitude": "-80.200000",
        "is_preferred": "True", "address_text": "9 Elm St Hialeah, FL 33010",
    }),
    "customer_details": ("customer_summary", CUSTOMER, {
        "source_id": "41207", "contact_id": CONTACT, "preferred_language": "ES", "salutation": "Ms.",
        "fein": "59-7654321", "is_prospect": "False", "is_person": "True", "birth_date": "1984-03-02", "gender": "F",
        "marital_status_id": "M", "marital_status": "Married", "customer_number": "C-1044",
        "customer_since": "2023-05-04", "customer_type": "C", "entity_status": "A", "customer_status": "A",
        "lead_source_id": "2", "location_id": reference("locations", 310), "agent_id": reference("employees", 512),
        "agent_name": "Kim Lee", "csr_id": LOU, "csr_name": "Lou May",
    }),
    "files": ("files", CUSTOMER, {
        "source_id": "412070", "contact_id": CONTACT, "title": "Declarations page", "document_type": "pdf",
        "added_by": "Lou May", "added_on": "2025-02-03 09:30:00.500000+00:00", "file_name": "declarationspage.pdf",
        "file_size": "48213", "category": "Policy", "file_relation": "Policy", "related_policy_ids": '{"88121"}',
        "added_by_id": LOU, "active": "True", "app_created": "False", "read_only": "False",
    }),
    "endorsements": ("endorsements", None, {
        "policy_id": POLICY_ROW, "contact_id": CONTACT, "agency_id": reference("agencies", 4711),
        "effective_date": "2025-06-01", "amount": "100.00", "policy_number": "PA 0042-17",
        "policy_effective_date": "2025-02-01", "line_of_business": "Personal Auto", "carrier": "Example Mutual",
        "customer_number": "C-1044", "customer_name": "Rivera, Dana", "office_name": "Hialeah",
        "office_alias": "HIAL", "binder_date": "2025-01-28", "binder_number": "B88121",
        "financed_option": "Paid in Full", "csr_name": "Lou May",
    }),
    "employee_list": ("employees", OFFICE, {
        "source_id": "512", "display_name": "Lee, Kim", "first_name": "Kim", "last_name": "Lee",
        "email": "kim.lee@agency.example.com", "phone": "+13055550112", "status": "A",
        "location_id": reference("locations", 310),
    }),
}  # fmt: skip


@pytest.mark.parametrize("name", EXPECTED)
@pytest.mark.fact("policy-notes", "files", "staff-search", "customer-summary")
def test_a_golden_body_becomes_these_columns(name: str) -> None:
    body, parent, expected = EXPECTED[name]
    reshaped = reshape(name, body, parent)
    (row,) = reshaped.rows.values()
    assert part(row, expected) == expected
    assert reshaped.findings == []


@pytest.mark.parametrize(
    ("name", "body", "parent", "source_id"),
    [
        ("cancellation_reasons", "cancellation_reasons", OFFICE, "310:1"),
        ("carrier_fees", "carrier_fees", OFFICE, "310:1"),
        ("policy_lines", "policy_lines", POLICY, "881210"),
        ("premium", "premium", POLICY, "88121"),
    ],
)
@pytest.mark.fact("staged-only")
def test_what_is_only_staged_has_an_id_and_its_set(name: str, body: str, parent: Parent, source_id: str) -> None:
    records = read(name, body, parent)
    assert [record.source_id for record in records.records] == [source_id]
    assert [(read_set.key.partition(":")[2], read_set.source_ids) for read_set in records.sets] == [
        (parent.parent_id, frozenset({source_id}))
    ]


@pytest.mark.fact("license-number")
def test_the_identity_numbers_of_a_customer_are_removed() -> None:
    (record,) = read("customer_details", "customer_summary", CUSTOMER).records
    assert b"912-34-5678" not in record.raw
    assert b"D123456789012" not in record.raw


@pytest.mark.fact("phones-and-emails")
def test_a_record_without_an_id_of_its_own_is_identified_by_contact_kind_and_value() -> None:
    id_of: Any = find_resource("contact_phones").id
    phone = {"EntityID": 41207, "PhoneTypeID": "C", "PhoneNumber": "(305) 555-0142"}
    assert id_of(phone) == id_of(phone | {"PhoneNumber": "305-555-0142"})
    assert id_of(phone) != id_of(phone | {"PhoneTypeID": "H"})
    assert id_of(phone) != id_of(phone | {"EntityID": 41208})
    assert id_of(phone).startswith("41207:")
    assert "5550142" not in id_of(phone)
    assert id_of({"PhoneNumber": "(305) 555-0142"}) is None


@pytest.mark.fact("endorsement-id")
def test_two_endorsements_of_one_policy_are_two_sets() -> None:
    body = golden("endorsements")
    (item,) = body["Data"]
    later = {**item, "EndorsementEffectiveDate": "2025-07-01T00:00:00"}
    later["PolicyAdjustments"] = [{**item["PolicyAdjustments"][0], "EndorsementEffectiveDate": "2025-07-01T00:00:00"}]
    records = read("endorsements", {**body, "Data": [item, later], "TotalItems": 2})
    assert len({record.source_id for record in records.records}) == 2
    assert len(records.item_ids) == len(set(records.item_ids)) == 2
    assert [len(read_set.source_ids) for read_set in records.sets] == [1, 1]
