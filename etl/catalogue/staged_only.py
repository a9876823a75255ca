"""What the catalogue says about records that are only staged: their ids and their known fields."""

from collections.abc import Mapping
from typing import Any

from etl.models.sources import digest_of, first_of, is_record_id

#: Which policy and office a record that is only staged belongs to.
POLICY_ID = first_of("PolicyID", "_parent.PolicyId")
OFFICE_ID = first_of("LocationID", "LocationId", "_parent.LocationID")
LINE_ID = first_of("PolicyLineID", "ID")

FIELDS_OF_FEES = (
    "CarrierFeeName", "DefaultAmount", "AmountIsPercent", "SystemDefined", "Visible", "LocationID", "AppCreated",
    "ThirdPartyAppCode",
)  # fmt: skip


def line_id(line: Mapping[str, Any]) -> Any:
    """Return the source id of a policy line: its own, else `<PolicyId>:<digest of its fields>`."""
    own = LINE_ID(line)
    if is_record_id(own):
        return own
    fields = sorted((name, str(value)) for name, value in line.items() if name != "_parent")
    return f"{POLICY_ID(line)}:{digest_of(tuple(fields))}"


def reason_id(reason: Mapping[str, Any]) -> Any:
    """Return the source id of a cancellation reason: `<LocationId>:<CancellationReasonID>`."""
    return id_in_office(reason, "CancellationReasonID")


def fee_id(fee: Mapping[str, Any]) -> Any:
    """Return the source id of a carrier fee: `<LocationID>:<CarrierFeeID>`."""
    return id_in_office(fee, "CarrierFeeID")


def id_in_office(record: Mapping[str, Any], name: str) -> str | None:
    """Return the id in a field, after the id of the office whose list it is in; None without it."""
    own = record.get(name)
    return f"{OFFICE_ID(record)}:{own}" if is_record_id(own) else None
