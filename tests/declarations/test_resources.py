"""One question to every resource: its calls, its parents, and a home for every field of its records."""

from collections.abc import Iterator
from typing import Any

import pytest

from etl.catalogue import BODY, ENTERPRISE, FEED, Envelope, Resource
from etl.errors import UsageError
from etl.models import PRODUCTION, staging
from etl.models.base import Source, fields_of
from etl.models.sources import FirstOf
from etl.resources import CATALOGUE, children_of, derived_from, resource

PERSON = (
    "EntityID DisplayName BusinessName FirstName MiddleName LastName isAPerson CustomerNo ContactType "
    "ContactTypeDisplay ContactSubType ContactSubTypeDisplay TypeDisplay Status StatusDisplay DOB MaritalStatusID "
    "Phone PhoneType Email PrimaryContact Line1 Line2 City State County Zip Country LocationID AgentName CreatedOn "
    "DateLastModified HasBeenModified"
)

#: Every field that is known of a resource's records, as the API spells it.
API = {
    "locations": "QQID Name Alias AgencyID AgencyName Line1 City State Zip Phone Email Active",
    "departments": "DepartmentID Name LocationID ManagerID Active",
    "carriers": "CarrierID Name NAIC IsMGA ParentCarrierID Phone Website Active",
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
        "PolicyId PolicyDetailsID BusinessType BinderDate AgentID AgentName CSRID CSRName LocationID DepartmentID "
        "BillingType PaymentPlan AnnualizedPremium PolicyFees Taxes "
        "LOBList.ID LOBList.Name LOBList.Code LOBList.AcordCode LOBList.InternalCode LOBList.HasDetails "
        "LOBList.IsPackage LOBList.LOBDetailsGroup"
    ),
    "fees": "AgencyFeeName Amount AmountIsPercent CalculatedAmount QuoteID CarrierFeeID",
    "terminations": (
        "AdjustmentID PolicyId AdjustmentType AdjustmentDate EffectiveDate ReasonID Reason ReturnPremium CreatedOn"
    ),
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
}

#: The calls, as method and path, and what of them is proven.
CALLS = {
    "locations": ("GET Locations/UserLocationsV2", Envelope.ARRAY, True),
    "departments": ("GET Departments", Envelope.ARRAY, False),
    "carriers": ("GET Carriers", Envelope.ARRAY, False),
    "employees": ("GET Contacts/LastModifiedCreatedCustomersEmployees", Envelope.PAGE, True),
    "contacts": ("GET Contacts/LastModifiedCreated", Envelope.PAGE, True),
    "account_info": ("GET Contacts/{parent}/AccountInfo", Envelope.OBJECT, True),
    "applications": ("GET Applications/LastModifiedCreated", Envelope.PAGE, False),
    "policies": ("GET Policies/LastModifiedCreated", Envelope.PAGE, True),
    "policy_details": ("GET Policies/{parent}/PolicyInfo", Envelope.ARRAY, True),
    "terminations": ("GET Policies/{parent}/Adjustments", Envelope.ARRAY, True),
    "quotes": ("GET Policies/{parent}/Quotes", Envelope.ARRAY, True),
    "coverages": ("GET Policies/{parent}/Coverages", Envelope.ARRAY, False),
    "equipment": ("GET Policies/{parent}/Equipment", Envelope.ARRAY, False),
    "drivers": ("GET enterprise/personaldrivers", Envelope.ENTERPRISE, True),
    "vehicles": ("GET enterprise/personalvehicles", Envelope.ENTERPRISE, True),
    "claims": ("GET Claims/LastModifiedCreated", Envelope.PAGE, False),
    "billing_records": ("GET Billing/LastModifiedCreated", Envelope.PAGE, True),
    "commission_rules": ("POST Commissions/AgencyRules/Get POST Commissions/ProducerRules/Get", Envelope.PAGE, True),
    "commissions": ("GET Commissions/LastModifiedCreated", Envelope.PAGE, False),
    "documents": ("GET Documents/Images", Envelope.ARRAY, True),
    "acord_forms": ("GET ACORDForms/ByCustomer/{parent}", Envelope.ARRAY, False),
}

every_resource = pytest.mark.parametrize("one", CATALOGUE, ids=lambda one: one.name)
every_call = pytest.mark.parametrize("one", [one for one in CATALOGUE if one.endpoints], ids=lambda one: one.name)


class Spy(dict[str, Any]):
    """A record that notes which of its fields a function asks for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: set[str] = set()

    def get(self, key: str, default: Any = None) -> Any:
        """Note the field and return a value that lets the function go on."""
        self.asked.add(key)
        return default


def names(source: Source | None) -> Iterator[str]:
    """Yield the fields that a source reads."""
    if source is None:
        return
    if isinstance(source, str):
        yield source
    elif isinstance(source, FirstOf):
        yield from source.paths
    else:
        spy = Spy()
        source(spy)
        yield from spy.asked


def homes(one: Resource) -> set[str]:
    """Return every field of a resource's records that has a place, list positions left out."""
    sources: list[Source | None] = [about.source for about in fields_of(one.model, one.data_source).values()]
    sources += [one.id, one.modified, one.created]
    found = {
        ".".join(step for step in name.split(".") if not step.isdigit()) for each in sources for name in names(each)
    }
    return found | set(one.secrets)


@pytest.mark.parametrize("name", API)
def test_every_field_of_the_api_has_a_home(name: str) -> None:
    assert set(API[name].split()) - homes(resource(name)) == set()


def test_every_table_is_filled_and_every_staging_table_used() -> None:
    assert {one.model for one in CATALOGUE} == set(PRODUCTION)
    assert sorted(one.name for one in CATALOGUE) == sorted(staging.RAW_TABLES)
    assert len({one.name for one in CATALOGUE}) == len(CATALOGUE) == 24


@every_resource
def test_it_names_its_staging_table_and_its_road(one: Resource) -> None:
    assert staging.raw_table(one.name).name == one.raw_table
    assert fields_of(one.model, one.data_source), "its road brings no column"


@every_resource
def test_it_comes_from_calls_or_from_another_resource(one: Resource) -> None:
    assert one.endpoints or one.derived
    assert all(resource(way.resource) is not one for way in one.derived)


@every_resource
def test_it_stands_behind_its_parent_and_unless_a_fallback_needs_it_behind_what_it_is_made_from(one: Resource) -> None:
    place = CATALOGUE.index
    if one.parent is not None:
        assert place(resource(one.parent.resource)) < place(one)
    made_from = [resource(way.resource) for way in one.derived if not way.fallback]
    assert not made_from or min(map(place, made_from)) < place(one)
    stand_ins = [resource(way.resource) for way in one.derived if way.fallback]
    assert all(place(one) < place(source) for source in stand_ins), "whether it is offered must be known first"


@every_resource
def test_its_children_get_what_their_fields_read_of_the_parent(one: Resource) -> None:
    if one.parent is not None:
        read = {
            path.removeprefix("_parent.").split(".")[0]
            for about in fields_of(one.model, one.data_source).values()
            for path in names(about.source)
            if path.startswith("_parent.")
        }
        assert read <= set(one.parent.parent_fields)
        assert set(one.parent.parent_fields) <= set(API[one.parent.resource].split())


@every_resource
def test_it_never_keeps_a_secret(one: Resource) -> None:
    read = {path for about in fields_of(one.model, one.data_source).values() for path in names(about.source)}
    assert read.isdisjoint({"UserID", "UserPassword", "SSN"})
    if one.name == "account_info":
        assert {"UserID", "UserPassword"} <= set(one.secrets)
    if one.name in {"drivers", "employees", "contacts"}:
        assert "SSN" in one.secrets


@every_call
def test_its_calls_are_these(one: Resource) -> None:
    path, envelope, proven = CALLS[one.name]
    assert " ".join(f"{each.method} {each.path}" for each in one.endpoints) == path
    assert {each.envelope for each in one.endpoints} == {envelope}
    assert one.documented is proven


@every_call
def test_only_children_ask_by_parent(one: Resource) -> None:
    for endpoint in one.endpoints:
        asks = "{parent}" in endpoint.path + str(endpoint.query)
        assert asks is (one.parent is not None)


@every_call
def test_its_paging_and_dates_fit_its_envelope(one: Resource) -> None:
    paged = {"GET page": FEED, "POST page": BODY, "GET enterprise page": ENTERPRISE}
    for endpoint in one.endpoints:
        assert endpoint.paging == paged.get(f"{endpoint.method} {endpoint.envelope}")
        dated = endpoint.envelope is Envelope.ENTERPRISE or (
            endpoint.envelope is Envelope.PAGE and endpoint.method == "GET"
        )
        assert (endpoint.dates is not None) is dated


def test_the_feeds_say_which_date_they_filter_by() -> None:
    shown = {one.name: one.endpoints[0].dates.field for one in CATALOGUE if one.endpoints and one.endpoints[0].dates}
    assert shown["contacts"] == shown["policies"] == shown["claims"] == "modified or created"
    assert shown["drivers"] == shown["vehicles"] == "modified"
    assert shown["billing_records"] is None


def test_a_resource_is_found_by_name() -> None:
    assert resource("contacts").model.__tablename__ == "contacts"


def test_an_unknown_name_is_answered_with_the_nearest_and_all_names() -> None:
    with pytest.raises(UsageError, match=r"'polices'.*Did you mean policies\?.*locations.*acord_forms") as error:
        resource("polices")
    assert error.value.exit_status == 2


def test_a_name_like_none_is_answered_without_a_guess() -> None:
    with pytest.raises(UsageError) as error:
        resource("zzz")
    assert "Did you mean" not in str(error.value)


def test_children_and_derived_resources_are_found_from_their_source() -> None:
    assert [one.name for one in children_of("contacts")] == ["account_info", "documents", "acord_forms"]
    assert [one.name for one in children_of("claims")] == []
    assert [one.name for one, _ in derived_from("policies")] == ["applications", "fees"]
    assert [one.name for one, _ in derived_from("quotes")] == ["fees"]
    assert [one.name for one, _ in derived_from("policy_details")] == ["renewals"]
