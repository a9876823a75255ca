"""Every production table: its columns, required, expected and personal fields, and references."""

import pytest
from sqlalchemy import CheckConstraint

from etl.models import PRODUCTION, Model, load_order, staging
from etl.models.base import EXPECTED, PRIMARY, REQUIRED, Field, field_in, row_id, row_id_text
from etl.models.core import ACCOUNT_INFO
from etl.models.staging import raw_table
from etl.models.states import RawState
from etl.resources import BY_NAME
from etl.values import Code, Kind, Reference, Violation

#: The columns of each table of the description, and of the first optional ones. `+` required: a record without it is
#: refused; `*` expected: its absence is noted. The expiration date of a policy is not expected, because continuous
#: policies have none.
COLUMNS = {
    "agencies": "name",
    "locations": (
        "agency_id qqid name* alias is_default line1 line2 city state zip phone fax email default_employee_id "
        "contact_first_name contact_last_name default_state fein active"
    ),
    "departments": "location_id manager_id name* active",
    "employees": "location_id department_id display_name* first_name last_name email phone status",
    "contacts": (
        "location_id agent_name display_name* is_person first_name middle_name last_name business_name customer_number "
        "contact_type contact_sub_type status+ birth_date marital_status phone phone_type email line1 line2 city state "
        "county zip country lead_source customer_since agent_id csr_id"
    ),
    "carriers": "parent_carrier_id name* naic is_mga phone website active",
    "quotes": (
        "policy_id+ carrier_id mga_id mga_source_id quoted_by_id quote_number status+ sub_status quote_type quote_date "
        "expiration_date base_premium conditions preferred"
    ),
    "applications": (
        "quote_id policy_id contact_id+ carrier_id application_number status+ line_of_business "
        "requested_effective_date submitted_on decision_on estimated_premium"
    ),
    "policies": (
        "contact_id+ carrier_id mga_id mga_source_id prior_policy_id policy_number* status+ effective_date* "
        "expiration_date term line_of_business lob_code acord_code policy_type package_type total_premium description "
        "agent_name "
        "producer_ids"
    ),
    "policy_details": (
        "policy_id+ line_of_business acord_code subline policy_class business_type binder_date binder_number agent_id "
        "csr_id location_id department_id non_renewal reinstated policy_source policy_source_details carrier_naic "
        "parent_carrier period premium_sent is_pending billing_type payment_plan annualized_premium fees_amount "
        "taxes_amount"
    ),
    "drivers": (
        "policy_id+ policy_detail_source_id first_name middle_name last_name birth_date gender marital_status "
        "license_state license_number license_status is_named_insured excluded requires_sr22 mvr_points "
        "incidents_last_7_years"
    ),
    "vehicles": (
        "policy_id+ policy_detail_source_id year make model vin vin_valid color vehicle_type annual_miles "
        "actual_cash_value msrp garage_line1 garage_city garage_state garage_zip"
    ),
    "coverages": "policy_id+ vehicle_id code* description limit1 limit2 deductible premium",
    "equipment": "policy_id+ description* manufacturer model serial_number year value deductible",
    "claims": (
        "policy_id+ contact_id claim_number* carrier_claim_number date_of_loss* date_reported date_closed status+ "
        "loss_type description amount_reserved amount_paid adjuster_name adjuster_phone adjuster_email loss_line1 "
        "loss_city loss_state loss_zip"
    ),
    "renewals": (
        "policy_id+ prior_policy_id+ contact_id business_type binder_date is_confirmed prior_premium renewal_premium "
        "premium_change effective_date"
    ),
    "terminations": (
        "policy_id+ contact_id adjustment_id is_current termination_date* effective_date reason_id reason "
        "return_premium"
    ),
    "adjustments": (
        "policy_id+ adjustment_type* adjusted_on* reasons reason_ids premium_change commission_change "
        "premium_due_to_agency carrier_fees_amount carrier_fees_commission csr_id endorsement_number "
        "endorsement_status days_lapsed remarks"
    ),
    "billing_records": (
        "contact_id+ location_id policy_number created_by_id billing_date* due_date payment_type is_payment is_credit "
        "is_voided amount due paid description"
    ),
    "commission_rules": (
        "kind* location_id carrier_id mga_id mga_source_id lob_id term business_type producer_id rate* is_percent "
        "effective_on* "
        "expires_on"
    ),
    "commissions": (
        "policy_id+ carrier_id producer_id rule_id transaction_type transaction_date* statement_date premium rate "
        "amount* status+ origin"
    ),
    "fees": "policy_id+ quote_id fee_type* name* amount* is_percent calculated_amount",
    "documents": (
        "contact_id+ title* document_type added_by added_on policy_numbers file_name file_size category "
        "related_policy_ids"
    ),
    "contact_phones": "contact_id+ phone* phone_type_id phone_type extension notes is_preferred",
    "contact_emails": "contact_id+ email* email_type_id email_type notes is_preferred",
    "contact_addresses": (
        "contact_id+ address_type_id address_type line1 line2 city state county country_code province zip latitude "
        "longitude notes is_preferred address_text"
    ),
    "customer_details": (
        "contact_id+ location_id display_name* salutation preferred_language is_prospect is_person first_name "
        "middle_name last_name business_name fein birth_date gender marital_status customer_number customer_since "
        "agent_id csr_id"
    ),
    "notes": (
        "contact_id+ policy_id comment* employee_id created_by created_on modified_by modified_on parent_note_id "
        "important is_pinned related_notes"
    ),
    "tasks": (
        "contact_id+ policy_id subject* description status priority due_date completed_on assigned_to_id assigned_to "
        "created_by created_on"
    ),
    "endorsements": (
        "policy_id+ contact_id agency_id effective_date* amount* policy_number policy_effective_date line_of_business "
        "carrier customer_number customer_name office_name office_alias binder_date binder_number financed_option "
        "csr_name"
    ),
    "acord_forms": (
        "contact_id policy_id api_form_id* template_id form_number edition_date state description signed locked "
        "locked_on created_on form_data"
    ),
}

COMMON_COLUMNS = (
    "id tenant source_id source_created_at source_modified_at created_at updated_at last_synced_at deleted_at "
    "is_placeholder content_hash etl_batch_id raw_id"
)

PEOPLE = (
    "agent_name display_name first_name middle_name last_name business_name birth_date marital_status phone email "
    "primary_contact line1 line2"
)

#: The columns masked for readers without access to personal data; other tables have none.
PERSONAL = {
    "locations": "contact_first_name contact_last_name fein",
    "employees": PEOPLE,
    "contacts": f"{PEOPLE} account_agent account_csr account_name opened_by",
    "quotes": "conditions",
    "policies": "description customer_name agent_name",
    "policy_details": "agent_name csr_name description",
    "drivers": ("first_name middle_name last_name birth_date gender marital_status license_number sr22_case_number"),
    "vehicles": "vin garage_line1 garage_line2",
    "coverages": "description",
    "equipment": "description serial_number",
    "claims": "description adjuster_name adjuster_phone adjuster_email loss_line1",
    "adjustments": "remarks",
    "billing_records": "description error_message",
    "documents": "title added_by file_name description tags",
    "contact_phones": "phone extension notes",
    "contact_emails": "email notes",
    "contact_addresses": "line1 line2 latitude longitude notes address_text",
    "customer_details": (
        "display_name salutation first_name middle_name last_name business_name fein birth_date gender "
        "marital_status_id marital_status agent_name csr_name"
    ),
    "notes": "comment created_by modified_by related_notes note_histories",
    "tasks": "subject description assigned_to created_by",
    "endorsements": "customer_name csr_name",
    "acord_forms": "description loss_payees form_data",
}

#: The columns that are unique together, where it is not only the source id.
UNIQUE = {
    "policies": "source_id policy_number",
    "applications": "source_id quote_id",
    "claims": "source_id claim_number",
    "renewals": "source_id policy_id",
    "terminations": "source_id policy_id",
    "billing_records": "source_id billing_date contact_id",
    "acord_forms": "source_id api_form_id",
    "commissions": "source_id policy_id",
    "fees": "source_id policy_id fee_type",
}

every_model = pytest.mark.parametrize("model", PRODUCTION, ids=lambda model: model.__tablename__)
every_listed_model = pytest.mark.parametrize(
    "model", [model for model in PRODUCTION if model.__tablename__ in COLUMNS], ids=lambda model: model.__tablename__
)
every_staging_table = pytest.mark.parametrize("name", BY_NAME)


def fields(model: type[Model]) -> dict[str, Field]:
    fields = {column.name: field_in(column.info) for column in model.__table__.columns}
    return {name: field for name, field in fields.items() if field is not None}


def marked(model: type[Model], mark: str) -> set[str]:
    return {name[:-1] for name in COLUMNS[model.__tablename__].split() if name.endswith(mark)}


def test_there_are_twenty_three_tables_of_the_first_description_adjustments_and_the_optional_tables() -> None:
    assert set(COLUMNS) - {model.__tablename__ for model in PRODUCTION} == set()
    optional = "notes tasks contact_phones contact_emails contact_addresses customer_details endorsements".split()
    assert len(COLUMNS) == 23 + len(["adjustments", *optional])


@every_listed_model
def test_it_has_its_columns(model: type[Model]) -> None:
    expected = {name.rstrip("+*") for name in COLUMNS[model.__tablename__].split()} | set(COMMON_COLUMNS.split())
    assert expected - {column.name for column in model.__table__.columns} == set()


@every_listed_model
def test_its_required_and_expected_fields_are_as_listed(model: type[Model]) -> None:
    assert {name for name, field in fields(model).items() if field.presence is REQUIRED} == marked(model, "+")
    assert {name for name, field in fields(model).items() if field.presence is EXPECTED} == marked(model, "*")


@every_listed_model
def test_its_personal_columns_are_as_listed(model: type[Model]) -> None:
    personal = {name for name, field in fields(model).items() if field.personal}
    assert personal == set(PERSONAL.get(model.__tablename__, "").split())


@every_model
def test_a_person_may_be_called_null_in_every_name_column(model: type[Model]) -> None:
    """In names of offices, carriers and businesses, and in middle names, such words mean no value."""
    kept = {name for name, field in fields(model).items() if isinstance(field.kind.clean("Null"), Violation)}
    names = {f"{start}{end}" for start in ("", "contact_") for end in ("first_name", "last_name")} | {"display_name"}
    assert {name for name in fields(model) if name in names} <= kept


@every_model
def test_its_check_constraints_require_the_required_columns(model: type[Model]) -> None:
    checks = [item for item in model.__table__.constraints if isinstance(item, CheckConstraint)]  # type: ignore[attr-defined]
    conditions = " ".join(str(check.sqltext) for check in checks)
    assert {name for name in fields(model) if f"{name} IS NOT NULL" in conditions} == {
        name for name, field in fields(model).items() if field.presence is REQUIRED
    }
    assert all(str(check.sqltext).startswith("is_placeholder OR ") for check in checks)


@every_listed_model
def test_its_unique_columns_are_as_listed(model: type[Model]) -> None:
    assert model.unique_columns == tuple(UNIQUE.get(model.__tablename__, "source_id").split())
    assert set(model.unique_columns) <= {column.name for column in model.__table__.columns}


@every_model
def test_its_label_is_one_of_its_text_columns(model: type[Model]) -> None:
    if model.label is not None:
        assert str(model.__table__.columns[model.label].type) == "TEXT"


@every_model
def test_its_column_types_are_those_of_the_kinds(model: type[Model]) -> None:
    for name, field in fields(model).items():
        assert repr(model.__table__.columns[name].type) == repr(field.kind.column_type), name


@every_model
def test_every_reference_points_to_a_production_table(model: type[Model]) -> None:
    tables = {table.__tablename__: table for table in PRODUCTION}
    for name, field in fields(model).items():
        if isinstance(field.kind, Reference):
            target = tables[field.kind.table]
            assert {key.column for key in model.__table__.columns[name].foreign_keys} == {target.__table__.columns.id}
            assert field.kind.label is None or target.label is not None, f"{name} has a label, but its table has none"


@every_model
def test_every_reference_has_an_index(model: type[Model]) -> None:
    columns = [index.columns.keys() for index in model.__table__.indexes]  # type: ignore[attr-defined]
    indexed = {names[0] for names in columns if names}  # an index on an expression has none
    assert {name for name, field in fields(model).items() if isinstance(field.kind, Reference)} <= indexed


@every_model
def test_it_has_one_sentence_for_the_dictionary(model: type[Model]) -> None:
    sentence = model.__doc__ or ""
    assert sentence.strip().endswith(".")
    assert len(sentence) > 20


@every_model
def test_its_status_is_a_status_code_or_a_word(model: type[Model]) -> None:
    status = fields(model).get("status")
    if status is not None and isinstance(status.kind, Code):
        assert status.kind.status
        assert not status.kind.closed


@every_model
def test_only_statuses_are_status_codes(model: type[Model]) -> None:
    status_codes = {name for name, field in fields(model).items() if isinstance(field.kind, Code) and field.kind.status}
    assert status_codes <= {"status"}


@every_model
def test_its_kinds_are_hashable(model: type[Model]) -> None:
    for field in fields(model).values():
        assert isinstance(field.kind, Kind)
        hash(field.kind)


def test_the_account_details_of_a_contact_have_their_own_source() -> None:
    contacts = next(model for model in PRODUCTION if model.__tablename__ == "contacts")
    sources = {name: field.data_source for name, field in fields(contacts).items()}
    assert {name for name, source in sources.items() if source == ACCOUNT_INFO} >= {
        "lead_source",
        "customer_since",
        "agent_id",
        "csr_id",
    }
    assert set(sources.values()) == {PRIMARY, ACCOUNT_INFO}


def test_load_order_puts_every_table_after_those_it_refers_to() -> None:
    order = [model.__tablename__ for model in load_order()]
    assert sorted(order) == sorted(model.__tablename__ for model in PRODUCTION)
    broken = set()
    for model in PRODUCTION:
        for key in model.__table__.foreign_keys:
            table, target = model.__tablename__, key.column.table.name
            if table != target and order.index(target) > order.index(table):
                broken.add((table, target))
    assert broken == {("departments", "employees"), ("locations", "employees")}, "only cycles with employees are broken"


def test_load_order_is_the_same_each_time() -> None:
    assert load_order() == load_order()


def test_a_row_id_is_a_valid_uuid_that_depends_on_each_part() -> None:
    ids = {row_id(*parts) for parts in (("a", "t", "1"), ("b", "t", "1"), ("a", "u", "1"), ("a", "t", "2"))}
    assert len(ids) == 4
    assert {value.version for value in ids} == {8}
    assert str(row_id("a", "t", "1")) == row_id_text("a\x1ft\x1f", "1")


@every_staging_table
def test_a_staging_table_has_its_columns(name: str) -> None:
    table = raw_table(name)
    expected = (
        "id created_at updated_at raw_data source_id etl_batch_id status error_message retry_count tenant "
        "source_modified_at content_hash page loaded_at finding_count"
    )
    assert table.fullname == f"raw.raw_{name}"
    assert set(expected.split()) - set(table.columns.keys()) == set()


@every_staging_table
def test_a_staging_table_has_one_newest_version_per_record(name: str) -> None:
    newest = next(index for index in raw_table(name).indexes if index.unique)
    assert [column.name for column in newest.columns] == ["tenant", "source_id"]
    assert str(newest.dialect_options["postgresql"]["where"]) == "superseded_at IS NULL"


@every_staging_table
def test_a_staging_table_guards_its_states(name: str) -> None:
    constraints = raw_table(name).constraints
    checks = {item.name: str(item.sqltext) for item in constraints if isinstance(item, CheckConstraint)}
    status_check = checks[f"ck_raw_{name}_status_known"]
    assert all(f"'{state.value}'" in status_check for state in RawState)
    assert "loaded_at IS NULL" in checks[f"ck_raw_{name}_loaded_when_through"]


def test_an_unknown_staging_table_raises_key_error() -> None:
    with pytest.raises(KeyError):
        staging.raw_table("addresses")
