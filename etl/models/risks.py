"""Insured risks: drivers, vehicles, coverages, equipment."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Mapped

from etl.models.base import EXPECTED, REQUIRED, Model, field
from etl.models.sources import FirstOf, first_of
from etl.values import Boolean, Date, Integer, Money, Reference, SourceId, State, Text, Vin, Violation, Word, Year, Zip


def has_valid_vin(vehicle: Mapping[str, Any]) -> bool | None:
    """Return whether a vehicle's VIN and its check digit are valid; None without a VIN."""
    vin = Vin().clean(vehicle.get("VIN"))
    return None if vin is None else not isinstance(vin, Violation)


def garage(part: str) -> FirstOf:
    """Return the source of a part of the garage's address; the vendor's documentation does not show its key."""
    return first_of(f"GarageAddress{part}", f"Garage{part}")


class Driver(Model):
    """A driver on a personal auto policy."""

    __tablename__ = "drivers"
    label = "last_name"

    policy_id: Mapped[UUID | None] = field("_parent.PolicyId", Reference("policies"), REQUIRED)
    policy_detail_source_id: Mapped[str | None] = field("PolicyDetailsID", SourceId())
    contact_id: Mapped[UUID | None] = field("_parent.CustomerId", Reference("contacts"))
    agency_id: Mapped[UUID | None] = field("_parent.QQTenantID", Reference("agencies"))
    first_name: Mapped[str | None] = field("FirstName", Text(placeholders=True, person=True), personal=True)
    middle_name: Mapped[str | None] = field("MiddleName", Text(placeholders=True), personal=True)
    last_name: Mapped[str | None] = field("LastName", Text(placeholders=True, person=True), personal=True)
    birth_date: Mapped[date | None] = field("DOB", Date(), personal=True)
    gender: Mapped[str | None] = field("Gender", Word(), personal=True)
    marital_status: Mapped[str | None] = field("MaritalStatus", Word(), personal=True)
    license_state: Mapped[str | None] = field("LicenseStateCode", State())
    license_number: Mapped[str | None] = field("DriverLicenseNo", Text(placeholders=True), personal=True)
    license_status: Mapped[str | None] = field("LicenseStatus", Word())
    years_licensed_in_state: Mapped[int | None] = field("YearsLicensedInState", Integer())
    learners_permit: Mapped[bool | None] = field("LearnersPermit", Boolean())
    restricted_license: Mapped[bool | None] = field("RestrictedLicense", Boolean())
    suspended_license: Mapped[bool | None] = field("SuspendedLicense", Boolean())
    suspended_on: Mapped[date | None] = field("DateSuspension", Date())
    relation_id: Mapped[str | None] = field("RelationID", SourceId())
    occupation_id: Mapped[str | None] = field("OccupationID", SourceId())
    is_named_insured: Mapped[bool | None] = field("IsNamedInsured", Boolean())
    excluded: Mapped[bool | None] = field("Excluded", Boolean())
    requires_sr22: Mapped[bool | None] = field("RequireSR22", Boolean())
    sr22_case_number: Mapped[str | None] = field("SR22CaseNumber", Text(), personal=True)
    mvr_points: Mapped[int | None] = field("MVRPoints", Integer())
    incidents_last_7_years: Mapped[int | None] = field("NumberOfIncidentslast7Years", Integer())


class Vehicle(Model):
    """A vehicle on a personal auto policy."""

    __tablename__ = "vehicles"
    label = "vin"

    policy_id: Mapped[UUID | None] = field("_parent.PolicyId", Reference("policies"), REQUIRED)
    policy_detail_source_id: Mapped[str | None] = field("PolicyDetailsID", SourceId())
    contact_id: Mapped[UUID | None] = field("_parent.CustomerId", Reference("contacts"))
    agency_id: Mapped[UUID | None] = field("_parent.QQTenantID", Reference("agencies"))
    year: Mapped[int | None] = field("Year", Year())
    make: Mapped[str | None] = field("Make", Text(placeholders=True))
    model: Mapped[str | None] = field("Model", Text(placeholders=True))
    vin: Mapped[str | None] = field("VIN", Vin(), personal=True)
    vin_valid: Mapped[bool | None] = field(has_valid_vin, Boolean())
    color: Mapped[str | None] = field("Color", Text(placeholders=True))
    vehicle_type: Mapped[str | None] = field("VehicleType", Word())
    symbol: Mapped[str | None] = field("Symbol", Word())
    annual_miles: Mapped[int | None] = field("AnnualMiles", Integer())
    commute_miles: Mapped[int | None] = field("CommuteMiles", Integer())
    actual_cash_value: Mapped[Decimal | None] = field("ActualCashValue", Money())
    msrp: Mapped[Decimal | None] = field("MSRP", Money())
    garage_line1: Mapped[str | None] = field("GarageAddressLine1", Text(placeholders=True), personal=True)
    garage_line2: Mapped[str | None] = field("GarageAddressLine2", Text(placeholders=True), personal=True)
    garage_city: Mapped[str | None] = field(garage("City"), Text(placeholders=True))
    garage_state: Mapped[str | None] = field(garage("State"), State())
    garage_zip: Mapped[str | None] = field(garage("Zip"), Zip())
    passive_seat_belt: Mapped[bool | None] = field("PassiveSeatBelt", Boolean())
    anti_lock_brakes: Mapped[str | None] = field("AntiLockBrakes", Word())
    air_bag: Mapped[str | None] = field("AirBag", Word())
    antitheft_passive: Mapped[str | None] = field("AntitheftPassive", Word())
    antitheft_active: Mapped[str | None] = field("AntitheftActive", Word())


class Coverage(Model):
    """A coverage of a policy, for the whole policy or for one vehicle, with its limits."""

    __tablename__ = "coverages"
    keeps_history = True
    label = "code"

    policy_id: Mapped[UUID | None] = field(first_of("PolicyId", "_parent.PolicyId"), Reference("policies"), REQUIRED)
    policy_detail_source_id: Mapped[str | None] = field("PolicyDetailsID", SourceId())
    vehicle_id: Mapped[UUID | None] = field("VehicleID", Reference("vehicles"))
    code: Mapped[str | None] = field("Code", Word(), EXPECTED)
    description: Mapped[str | None] = field("Description", Text(lines=True), personal=True)
    limit1: Mapped[Decimal | None] = field("Limit1", Money())
    limit2: Mapped[Decimal | None] = field("Limit2", Money())
    deductible: Mapped[Decimal | None] = field("Deductible", Money())
    premium: Mapped[Decimal | None] = field("Premium", Money())


class Equipment(Model):
    """A piece of equipment that a policy covers."""

    __tablename__ = "equipment"
    label = "description"

    policy_id: Mapped[UUID | None] = field(first_of("PolicyId", "_parent.PolicyId"), Reference("policies"), REQUIRED)
    policy_detail_source_id: Mapped[str | None] = field("PolicyDetailsID", SourceId())
    description: Mapped[str | None] = field("Description", Text(lines=True), EXPECTED, personal=True)
    manufacturer: Mapped[str | None] = field("Manufacturer", Text(placeholders=True))
    model: Mapped[str | None] = field("Model", Text(placeholders=True))
    serial_number: Mapped[str | None] = field("SerialNumber", Text(placeholders=True), personal=True)
    year: Mapped[int | None] = field("Year", Year())
    value: Mapped[Decimal | None] = field("Value", Money())
    deductible: Mapped[Decimal | None] = field("Deductible", Money())
