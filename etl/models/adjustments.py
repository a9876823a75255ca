"""Adjustments of policies: their ids, their reasons, and the terminations that they record."""

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from etl.models.sources import PartsOf, clean_code, first_of, id_text, is_blank, is_record_id, value_at
from etl.values import Date, Money

#: The type of an adjustment that cancels a policy.
CANCELLATION = "C"

#: Which policy a record read per policy belongs to.
POLICY_ID = first_of("PolicyId", "_parent.PolicyId")

#: The descriptions and the ids of the reasons of an adjustment.
REASONS, REASON_IDS = PartsOf("AdjustmentReasons", "ReasonDescription"), PartsOf("AdjustmentReasons", "ReasonId")


def day_and_type(adjustment: Mapping[str, Any]) -> str | None:
    """Return the date and the type of an adjustment that has no id of its own; None with an id or without a date."""
    day = Date().clean(adjustment.get("AdjustmentDate"))
    if is_record_id(adjustment.get("AdjustmentId")) or not isinstance(day, date):
        return None
    raw_type = adjustment.get("AdjustmentType")
    return f"{day:%Y-%m-%d}:{clean_code(raw_type) or raw_type}"


def number_of(adjustment: Mapping[str, Any]) -> int:
    """Return the number of an adjustment among those of its policy with the same date and type."""
    return value_at(adjustment, "_call.number") or 1


def adjustment_id(adjustment: Mapping[str, Any]) -> Any:
    """Return the source id of an adjustment: its own, else `<PolicyId>:<date>:<type>:<number>`; None without both."""
    own = adjustment.get("AdjustmentId")
    if is_record_id(own):
        return own
    policy, parts = POLICY_ID(adjustment), day_and_type(adjustment)
    return f"{id_text(policy)}:{parts}:{number_of(adjustment)}" if is_record_id(policy) and parts is not None else None


def termination_id(adjustment: Mapping[str, Any]) -> Any:
    """Return the source id of a termination: the adjustment's own, else `<PolicyId>:<date>`; None without both.

    Of several on one day, those after the first end with their number.
    """
    own = adjustment_id(adjustment)
    if own is None or is_record_id(adjustment.get("AdjustmentId")):
        return own
    of_day, number = own.rsplit(":", 2)[0], number_of(adjustment)
    return of_day if number == 1 else f"{of_day}:{number}"


def cancellations_among(adjustment: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the termination that an adjustment of type C records."""
    if clean_code(adjustment.get("AdjustmentType")) == CANCELLATION:
        yield {
            **adjustment,
            "AdjustmentId": adjustment_id(adjustment),
            "TerminationID": termination_id(adjustment),
            "ReturnPremium": return_premium(adjustment),
        }


def first_reason_id(adjustment: Mapping[str, Any]) -> Any:
    """Return the first id in AdjustmentReasons[]."""
    return next(iter(REASON_IDS(adjustment)), None)


def joined_reasons(adjustment: Mapping[str, Any]) -> str | None:
    """Return the descriptions in AdjustmentReasons[], joined by semicolons."""
    return "; ".join(str(reason).strip() for reason in REASONS(adjustment) if not is_blank(reason)) or None


def return_premium(adjustment: Mapping[str, Any]) -> Any:
    """Return the negative of PremiumChange."""
    change = Money().clean(adjustment.get("PremiumChange"))
    return -change if isinstance(change, Decimal) else adjustment.get("PremiumChange")
