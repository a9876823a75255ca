"""Every resource: its calls, its parents, and a column for every field of its records."""

from collections.abc import Iterator
from typing import Any

import pytest

from etl.catalogue import BODY, ENTERPRISE, FEED, Envelope, Resource
from etl.errors import UsageError
from etl.models import PRODUCTION, core, staging
from etl.models.base import Source, fields_of
from etl.models.sources import FirstOf, PartsOf
from etl.resources import CATALOGUE, children_of, derived_from, find_resource

PERSON = (
    "EntityID DisplayName BusinessName FirstName MiddleName LastName isAPerson CustomerNo ContactType "
    "ContactTypeDisplay ContactSubType ContactSubTypeDisplay TypeDisplay Status StatusDisplay DOB MaritalStatusID "
    "Phone PhoneType Email PrimaryContact Line1 Line2 City State County Zip Country LocationID AgentName CreatedOn "
    "DateLastModified HasBeenModified"
)

NOTE = (
    "Id Comment CreatedBy EmployeeId CreatedOn ModifiedAt ModifiedBy ParentId AssignedPolicyId AssignedContactId "
    "Important IsPinned RelatedNotes NotesHistories BulkInsertId BulkInsertSessionId"
)

#: Every known field of the records of a resource, as the API spells it.
API = {
    "locations": (
        "LocationID LocationName IsDefault QQID Alias StreetAddressLine1 StreetAddressLine2 City State Zip PhoneNumber "
        "Fax EmailAddress DefaultEmployeeID ContactFirstName ContactLastName MainClientID DefaultStateCode "
        "BusinessFEIN "
        "DateLastModified Name AgencyID AgencyName Line1 Phone Email Active"
    ),
    "departments": "DepartmentID Name LocationID ManagerID Active",
    "carriers": (
        "EntityID DisplayName BusinessName CustomerNo LocationID Phone Email Line1 Line2 City State Zip Status IsMGA "
        "CreatedOn DateLastModified"
    ),
    "carrier_list": "CarrierID Name NAIC IsMGA ParentCarrierID Phone Website Active",
    "employees": PERSON,
    "contacts": PERSON,
    "account_info": (
        "CustomerID CustomerNo AgentID Agent CsrID CSR CustomerPriorityID CustomerPriority CustomerSince "
        "CustomerSinceString Type OfficeID Name CustomerSourceID CustomerSource SourceDetail CreatedByID CreatedByName "
        "CPAccess UserID UserPassword"
    ),
    "applications": (
        "ApplicationID QuoteID PolicyID CustomerID ApplicationNumber Status LOB CarrierID RequestedEffectiveDate "
        "SubmittedOn DecisionOn EstimatedPremium CreatedOn DateLastModified"
    ),
    "policies": (
        "PolicyId PolicyNumber CustomerId CustomerName Status EffectiveDate ExpirationDate TotalPremium Description "
        "Term PolicyType PackageType LOB LOBId LOBList WritingCarrier CarrierId MGA MGAId AgentName ProducerIDs "
        "PriorPolicyID PolicyAgencyFees IsDeleted HasBeenModified CreatedOn DateLastModified"
    ),
    "policy_details": (
        "PolicyID PolicyNo CustomerID AgentID Agent CsrID CSR EffectiveDate ExpirationDate PolicyClass CarrierID "
        "Carrier CarrierNAIC ParentCarrier MGA LOB LOBID SublineName BinderDate BinderNumber BusinessType PremiumSent "
        "isPending Status Period PolicySource PolicySourceDetails Description NonRenewal Reinstated PolicyAgencyFees "
        "CreatedBy PolicyId PolicyDetailsID AgentName CSRID CSRName WritingCarrierNAIC LocationID DepartmentID "
        "BillingType PaymentPlan AnnualizedPremium PolicyFees Taxes "
        "LOBList.ID LOBList.Name LOBList.Code LOBList.AcordCode LOBList.InternalCode LOBList.HasDetails "
        "LOBList.IsPackage LOBList.LOBDetailsGroup"
    ),
    "fees": "AgencyFeeName Amount AmountIsPercent CalculatedAmount QuoteID CarrierFeeID",
    "adjustments": (
        "AdjustmentId AdjustmentDate AdjustmentType Remarks CSRId PremiumChange CommissionChange DaysLapsed "
        "EndorsementNumber EndorsementStatus AdjustmentReasons PremiumDueToAgency CarrierFeesAmount "
        "CarrierFeesCommissionAmount _parent.PolicyId"
    ),
    "terminations": "AdjustmentId AdjustmentDate AdjustmentType AdjustmentReasons ReturnPremium _parent.CustomerId",
    "quotes": (
        "QuoteID PolicyID QuoteNumber QuoteStatus QuoteSubStatus QuoteType CarrierID MGAID QuoteDate "
        "QuoteExpirationDate QuotedByID Conditions BasePremium IsDeleted Preferred QuoteCarrierFees"
    ),
    "coverages": ("CoverageID PolicyId PolicyDetailsID VehicleID Code Description Limit1 Limit2 Deductible Premium"),
    "equipment": (
        "EquipmentID PolicyId PolicyDetailsID Description Manufacturer Model SerialNumber Year Value Deductible"
    ),
    "drivers": (
        "DriverID PolicyDetailsID FirstName MiddleName LastName DOB Gender MaritalStatus LicenseStateCode "
        "LicenseStatus IsNamedInsured Excluded RequireSR22 SR22CaseNumber MVRPoints NumberOfIncidentslast7Years "
        "RestrictedLicense DriverLicenseNo RelationID OccupationID YearsLicensedInState LearnersPermit "
        "SuspendedLicense DateSuspension SSN _parent.QQTenantID _parent.PolicyId _parent.CustomerId "
        "_parent.DateLastModified"
    ),
    "vehicles": (
        "VehicleID PolicyDetailsID Year Make Model VIN Color VehicleType Symbol AnnualMiles CommuteMiles "
        "ActualCashValue MSRP GarageAddressLine1 GarageAddressLine2 GarageAddressCity GarageAddressState "
        "GarageAddressZip PassiveSeatBelt AntiLockBrakes AirBag AntitheftPassive AntitheftActive "
        "_parent.QQTenantID _parent.PolicyId _parent.CustomerId _parent.DateLastModified"
    ),
    "claims": (
        "ClaimID PolicyID CustomerID ClaimNumber CarrierClaimNumber DateOfLoss DateReported DateClosed Status LossType "
        "Description AmountReserved AmountPaid AdjusterName AdjusterPhone AdjusterEmail LossLine1 LossCity LossState "
        "LossZip CreatedOn DateLastModified"
    ),
    "billing_records": (
        "RecordId ContactId PolicyIds PolicyNumber LocationId CreatedById PaymentType IsPayment IsCredit DBCD "
        "TransactionDate DueDate Description IsVoided Amount Due Paid PdfId SyncStatus ErrorMessage"
    ),
    "commission_rules": (
        "CommissionRuleID OfficeId CarrierId MgaId LobId Term BusinessType ProducerID Rate AmountIsPercent EffectiveOn "
        "ExpiresOn _call.kind"
    ),
    "commissions": (
        "CommissionID PolicyID CarrierID ProducerID CommissionRuleID TransactionType TransactionDate StatementDate "
        "Premium Rate Amount Status CreatedOn DateLastModified"
    ),
    "documents": ("BlobInfoId Title Type AddedBy PolicyNumbers DateAdded DateAddedFormated Selected _parent.EntityID"),
    "acord_forms": (
        "AcordFormID AcordTemplateID CustomerID PolicyID EndorsementID FormNumber EditionDate State Description Data "
        "CreatedOn CreatedBy SignatureID Locked LockedDate LockedMethod MultipleLossPayees AcordFormLossPayees"
    ),
    "employee_list": "EntityID DisplayName Email FirstName LastName Phone LocationID Status",
    "endorsements": (
        "_parent.PolicyId _parent.QQTenantID _parent.EndorsementEffectiveDate PolicyId PolicyNumber "
        "PolicyEffectiveDate EndorsementEffectiveDate EndorsementAmount Lob Carrier CustomerId CustomerNo CustomerName "
        "OfficeName OfficeAlias BinderDate BinderNumber FinancedOption CsrOnEndorsement"
    ),
    "notes": NOTE,
    "policy_notes": NOTE,
    "tasks": (
        "Id Subject Description Status Priority DueDate CompletedOn AssignedToId AssignedTo ContactId PolicyId "
        "CreatedBy CreatedOn"
    ),
    "contact_phones": ("PhoneID EntityID PhoneTypeID PhoneType.Name PhoneNumber Extension Notes RowSource isPreferred"),
    "contact_emails": "EmailID EntityID EmailTypeID EmailType.Name EmailAddress Notes RowSource isPreferred",
    "contact_addresses": (
        "AddressID EntityID AddressTypeID AddressType.AddressTypeID AddressType.Name Line1 Line2 City State County "
        "CountryCode Province Zip Latitude Longitude Notes RowSource isPreferred AddressString"
    ),
    "files": (
        "Id BlobContainerInfoId FileName DisplayName FileType FileSize CreatedOn CreatedBy CreatedById EntityId "
        "FileRelation Active Description AppCreated RelatedPolicyIDs CategoryDescriptor Readonly UsageCode FolderId "
        "Tags BlobUrl"
    ),
    "customer_details": (
        "EntityID IsPerson FirstName MiddleName LastName DOB MaritalStatusID MaritalStatus Gender BusinessName "
        "LocationID CustomerSourceID SourceDetail EntityStatus CustomerSTatus Prospect CustomerNo CustomerSince "
        "AgentID AgentName CSRID CSRName Type PreferredLanguageCode DisplayName Salutation FEIN SSN DriverLicenseNo"
    ),
}

#: The calls, as method and path, and whether they are documented: path, envelope and id. Of a commission rule, the
#: name of the id is unknown.
CALLS = {
    "locations": ("GET Locations/UserLocationsV2", Envelope.ARRAY, True),
    "departments": ("GET Departments", Envelope.ARRAY, False),
    "carrier_list": ("GET Carriers", Envelope.ARRAY, False),
    "contacts": ("GET Contacts/LastModifiedCreated", Envelope.PAGE, True),
    "account_info": ("GET Contacts/{parent}/AccountInfo", Envelope.OBJECT, True),
    "applications": ("GET Applications/LastModifiedCreated", Envelope.PAGE, False),
    "policies": ("GET Policies/LastModifiedCreated", Envelope.PAGE, True),
    "policy_details": ("GET Policies/{parent}/PolicyInfo", Envelope.ARRAY, True),
    "adjustments": ("GET Policies/{parent}/Adjustments", Envelope.ARRAY, True),
    "quotes": ("GET Policies/{parent}/Quotes", Envelope.ARRAY, True),
    "coverages": ("GET Policies/{parent}/Coverages", Envelope.ARRAY, False),
    "equipment": ("GET Policies/{parent}/Equipment", Envelope.ARRAY, False),
    "drivers": ("GET enterprise/personaldrivers", Envelope.ENTERPRISE, True),
    "vehicles": ("GET enterprise/personalvehicles", Envelope.ENTERPRISE, True),
    "claims": ("GET Claims/LastModifiedCreated", Envelope.PAGE, False),
    "billing_records": ("GET Billing/LastModifiedCreated", Envelope.PAGE, True),
    "commission_rules": ("POST Commissions/AgencyRules/Get POST Commissions/ProducerRules/Get", Envelope.PAGE, False),
    "commissions": ("GET Commissions/LastModifiedCreated", Envelope.PAGE, False),
    "documents": ("GET Documents/Images", Envelope.ARRAY, True),
    "acord_forms": ("GET ACORDForms/ByCustomer/{parent}", Envelope.ARRAY, False),
    "employee_list": (
        "GET Search/Employees/BasicSearch GET Search/Employees/BasicSearch", Envelope.PAGE, True,
    ),
    "cancellation_reasons": ("GET Locations/{parent}/Policies/CancellationReasons", Envelope.ACTION, False),
    "carrier_fees": ("GET Locations/{parent}/Policies/CarrierFees", Envelope.ACTION, False),
    "endorsements": ("GET enterprise/endorsements", Envelope.ENTERPRISE, True),
    "notes": ("GET Contacts/{parent}/Notes", Envelope.PAGE, True),
    "policy_notes": ("GET Policies/{parent}/Notes", Envelope.PAGE, True),
    "tasks": ("GET Contacts/{parent}/Tasks", Envelope.PAGE, False),
    "contact_phones": ("GET Contacts/{parent}/PhoneNumbers", Envelope.PAGE, False),
    "contact_emails": ("GET Contacts/{parent}/Emails", Envelope.PAGE, False),
    "contact_addresses": ("GET Contacts/{parent}/Addresses", Envelope.PAGE, True),
    "files": ("GET Files/FilesByContact", Envelope.PAGE, True),
    "customer_details": ("GET Customers/{parent}/CustomerDetailSummary", Envelope.OBJECT, True),
    "policy_lines": ("GET Policies/{parent}/PolicyLines", Envelope.ARRAY, False),
    "premium": ("GET Policies/{parent}/Premium", Envelope.OBJECT, False),
}  # fmt: skip

#: The calls per customer or policy beyond the first description, which nobody pays for without asking.
OPTIONAL = {
    "notes", "policy_notes", "tasks", "contact_phones", "contact_emails", "contact_addresses", "files",
    "customer_details", "policy_lines", "premium",
}  # fmt: skip

#: Calls with the envelope of a page that hold everything at once; the number of the page is 0.
UNPAGED = {"contact_phones", "contact_emails", "contact_addresses"}

every_resource = pytest.mark.parametrize("resource", CATALOGUE, ids=lambda resource: resource.name)
every_call = pytest.mark.parametrize(
    "resource", [resource for resource in CATALOGUE if resource.endpoints], ids=lambda resource: resource.name
)


class Spy(dict[str, Any]):
    """A record that remembers which of its fields a function reads."""

    def __init__(self) -> None:
        super().__init__()
        self.fields_read: set[str] = set()

    def get(self, key: str, default: Any = None) -> Any:
        """Remember the field and return the default."""
        self.fields_read.add(key)
        return default


def names(source: Source | None) -> Iterator[str]:
    """Yield the fields that a source reads."""
    if source is None:
        return
    if isinstance(source, str):
        yield source
    elif isinstance(source, FirstOf):
        yield from source.paths
    elif isinstance(source, PartsOf):
        yield source.path
    else:
        spy = Spy()
        source(spy)
        yield from spy.fields_read


def mapped_fields(resource: Resource) -> set[str]:
    """Return every field of the records of a resource that is stored or secret, without list positions."""
    sources: list[Source | None] = [field.source for field in fields_of(resource.model, resource.data_source).values()]
    sources += [resource.id, resource.modified, resource.created]
    fields = {
        ".".join(step for step in name.split(".") if not step.isdigit()) for source in sources for name in names(source)
    }
    kept = {*resource.secrets, *resource.known_unmapped, *(name for name, _ in resource.model.deletion_mark)}
    return fields | kept


@pytest.mark.parametrize("name", API)
def test_every_field_of_the_api_is_mapped(name: str) -> None:
    mapped = {field.casefold() for field in mapped_fields(find_resource(name))}
    assert {field for field in API[name].split() if field.casefold() not in mapped} == set()


def test_a_carrier_is_derived_from_mapped_fields_only() -> None:
    assert {*core.FIELDS_OF_CARRIERS, "IsMGA"} == set(API["carriers"].split())


def test_every_table_is_filled_and_every_staging_table_used() -> None:
    assert {resource.model for resource in CATALOGUE if resource.has_table} == set(PRODUCTION)
    assert sorted(resource.name for resource in CATALOGUE) == sorted(staging.RAW_TABLES)
    assert len({resource.name for resource in CATALOGUE}) == len(CATALOGUE) == 40


@every_resource
def test_it_has_a_staging_table_and_a_source(resource: Resource) -> None:
    assert staging.raw_table(resource.name).name == resource.raw_table
    assert fields_of(resource.model, resource.data_source) or not resource.has_table, "it fills no column"


def test_what_is_only_staged_is_listed() -> None:
    staged = {resource.name for resource in CATALOGUE if not resource.has_table}
    assert staged == {"cancellation_reasons", "carrier_fees", "policy_lines", "premium"}


def test_what_costs_a_call_per_customer_or_policy_beyond_the_first_description_is_optional() -> None:
    assert {resource.name for resource in CATALOGUE if resource.optional} == OPTIONAL


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
def test_it_stores_no_secret(resource: Resource) -> None:
    paths = {path for field in fields_of(resource.model, resource.data_source).values() for path in names(field.source)}
    assert paths.isdisjoint({"UserID", "UserPassword", "SSN"})
    if resource.name == "account_info":
        assert {"UserID", "UserPassword"} <= set(resource.secrets)
    if resource.name in {"drivers", "employees", "contacts", "customer_details"}:
        assert "SSN" in resource.secrets
    if resource.name == "customer_details":
        assert "DriverLicenseNo" in resource.secrets


@every_call
def test_its_calls_are_as_listed(resource: Resource) -> None:
    path, envelope, documented = CALLS[resource.name]
    assert " ".join(f"{endpoint.method} {endpoint.path}" for endpoint in resource.endpoints) == path
    assert {endpoint.envelope for endpoint in resource.endpoints} == {envelope}
    assert resource.documented is documented


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
    assert [resource.name for resource in children_of("contacts")] == [
        "account_info", "documents", "acord_forms", "notes", "tasks", "contact_phones", "contact_emails",
        "contact_addresses", "files", "customer_details",
    ]  # fmt: skip
    assert [resource.name for resource in children_of("locations")] == [
        "employee_list", "cancellation_reasons", "carrier_fees"
    ]  # fmt: skip
    assert [resource.name for resource, _ in derived_from("contacts")] == ["employees", "carriers"]
    assert [resource.name for resource in children_of("policies")] == [
        "policy_details", "adjustments", "quotes", "coverages", "equipment", "policy_notes", "policy_lines", "premium"
    ]  # fmt: skip
    assert [resource.name for resource, _ in derived_from("adjustments")] == ["commissions", "terminations"]
    assert [resource.name for resource in children_of("claims")] == []
    assert [resource.name for resource, _ in derived_from("policies")] == ["applications", "fees"]
    assert [resource.name for resource, _ in derived_from("quotes")] == ["fees"]
    assert [resource.name for resource, _ in derived_from("policy_details")] == ["renewals"]
