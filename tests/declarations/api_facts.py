"""The facts about the API that declarations are compared with: fields and calls."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from etl.catalogue.resource import Envelope, Resource
from etl.models.base import Source, fields_of
from etl.models.sources import FirstOf, PartsOf
from etl.resources import CATALOGUE
from etl.simulator.routes import ROUTES

#: The recorded bodies that the simulator's answers are compared with, written by hand.
GOLDEN = Path(__file__).parents[1] / "unit/simulator/golden"

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

#: Every known field of the records of a resource, as the API spells it, beside those of its sample.
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

#: Fields that no source names: other spellings that are tried, and values that we compute for a derived record.
ASSUMED = {
    "locations": "Line2",
    "employees": "DepartmentID",
    "carrier_list": "Status",
    "policies": "LOBList.AcordCode LOBList.Code",
    "account_info": "Status",
    "fees": "FeeID FeeType PolicyID",
    "adjustments": "PolicyId",
    "commissions": "Origin",
    "terminations": "PolicyId TerminationID",
    "vehicles": "GarageCity GarageState GarageZip",
    "commission_rules": (
        "AgencyRuleID AnyCarrierId AnyMga ID ParentCarrierId PolicySourceId ProducerList ProducerRuleID RuleID "
        "SublineId"
    ),
    "tasks": "TaskID",
    "contact_phones": "ID Number Phone PhoneNumberID PhoneType PhoneType.PhoneTypeID PhoneTypeDisplay",
    "contact_emails": "Address Email EmailAddressID EmailType EmailType.EmailTypeID EmailTypeDisplay ID",
    "contact_addresses": "AddressTypeDisplay",
}

#: The calls, as method and path, and whether every account can be expected to offer them.
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

#: Where the facts about each call come from: path, envelope, id, fields. V: the vendor says so; I: a public integration
#: uses it; A: nobody has published it. Calls of which only POST or PUT is published count as A.
FACTS = {
    "GET Contacts/LastModifiedCreated": "IIII",
    "GET Contacts/LastModifiedCreatedCustomersEmployees": "VVAA",  # the vendor's sample of an item is broken
    "GET Policies/LastModifiedCreated": "VVVV",
    "GET Billing/LastModifiedCreated": "VVVV",
    "GET Claims/LastModifiedCreated": "AAAA",
    "GET Applications/LastModifiedCreated": "AAAA",
    "GET Commissions/LastModifiedCreated": "AAAA",
    "GET enterprise/endorsements": "VVVV",  # its items have no id
    "GET enterprise/personaldrivers": "VVVV",
    "GET enterprise/personalvehicles": "VVVV",
    "GET Contacts/#/Addresses": "VVVV",
    "GET Contacts/#/PhoneNumbers": "IAAA",
    "GET Contacts/#/Emails": "IAAA",
    "GET Contacts/#/Notes": "IIII",
    "GET Contacts/#/Tasks": "IAAA",
    "GET Contacts/#/AccountInfo": "VIII",
    "GET Contacts/#/ContactSummaryDTO": "IIII",
    "GET Customers/#/CustomerDetailSummary": "VVVI",
    "GET Policies/ByCustomer/#": "VVII",
    "GET Policies/#/PolicyInfo": "VIII",
    "GET PolicySummaryForApi": "IIII",
    "GET Policies/#/Adjustments": "IIII",
    "GET Policies/#/Quotes": "VVVV",
    "GET Policies/#/GetBinderInfo": "VVVV",
    "GET Policies/#/Notes": "IIII",
    "GET Policies/#/PolicyLines": "IAAA",
    "GET Policies/#/Premium": "IAAA",
    "GET Policies/#/Coverages": "AAAA",
    "GET Policies/#/Equipment": "AAAA",
    "POST Commissions/AgencyRules/Get": "VVAA",
    "POST Commissions/ProducerRules/Get": "VVAA",
    "GET Documents/Images": "VVVV",
    "GET Files/FilesByContact": "IIII",
    "GET Files/FilesByPolicy": "IIII",
    "GET ACORDForms/ByCustomer/#": "IAVV",
    "GET Locations/UserLocationsV2": "VIII",
    "GET Locations/#": "VAII",
    "GET Locations/#/Policies/CancellationReasons": "AAVV",
    "GET Locations/#/Policies/CarrierFees": "AAVV",
    "GET Search/Employees/BasicSearch": "IIII",
    "GET Carriers": "VAAA",
    "GET Departments": "AAAA",
    "GET BusinessLogic/Ping": "IAAA",
}

#: The same of the resources that have no call: of the records inside the records of another resource.
FACTS_OF_PARTS = {
    "agencies": "AAAA",
    "employees": "IIII",
    "carriers": "IIII",
    "fees": "VVVV",  # they have no id
    "renewals": "IIII",
    "terminations": "IIII",
}

#: The calls per customer or policy of the first description; nobody pays for further ones without asking.
DETAILS = {
    "account_info", "policy_details", "adjustments", "quotes", "coverages", "equipment", "documents", "acord_forms",
}  # fmt: skip

#: Calls with the envelope of a page that hold everything at once; the number of the page is 0.
UNPAGED = {"contact_phones", "contact_emails", "contact_addresses"}


def levels(facts: str) -> tuple[str, ...]:
    """Return the levels of these letters by their public names."""
    return tuple({"V": "vendor", "I": "integrator", "A": "assumed"}[letter] for letter in facts)


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
    sources += [resource.id, *resource.changes.times]
    fields = {
        ".".join(step for step in name.split(".") if not step.isdigit()) for source in sources for name in names(source)
    }
    kept = {*resource.staging.secrets, *resource.staging.known_unmapped}
    return fields | kept | {name for name, _ in resource.model.deletion_mark}


def known_fields(resource: Resource) -> set[str]:
    """Return the fields of a resource's records in lower case: as listed, and those of its call's golden body."""
    listed = f"{API.get(resource.name, '')} {ASSUMED.get(resource.name, '')}".split()
    calls = {f"{call.method} {call.path.replace('{parent}', '#')}" for call in resource.endpoints}
    samples = [route.name for route in ROUTES if f"{route.verb} {route.path}" in calls]
    keys = (key for name in samples for key in keys_of(json.loads((GOLDEN / f"{name}.json").read_text())))
    return {field.casefold() for field in (*listed, *keys)}


def keys_of(value: Any) -> Iterator[str]:
    """Yield the keys of all objects in a sample."""
    if isinstance(value, dict):
        yield from value
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from keys_of(part)


def fields_without_a_fact(resource: Resource) -> set[str]:
    """Return the fields that a resource stores though no fact knows them; those of its parent are checked elsewhere."""
    siblings = [other for other in CATALOGUE if other.model is resource.model and other.has_table]
    known = set().union(*(known_fields(entry) for entry in (resource, *siblings)))
    stored = mapped_fields(resource) - {*resource.staging.secrets, "SSN"}
    return {field for field in stored if field.casefold() not in known and field.split(".")[0] != "_parent"}
