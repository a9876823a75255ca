"""What the rows of production must be: worked out from the simulator's records by hand, without our declarations.

Were it derived from the catalogue, a wrong declaration would agree with itself. It looks at what matters: ids, status,
references (as source ids), amounts, days, and whether a row lives.
"""

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from etl.simulator.collection import Item
from etl.simulator.world import World

Row = Mapping[str, str | None]
RowsOf = Callable[[World], Iterator[tuple[str, Row]]]


def plain(value: Any) -> str | None:
    """Write a value of a record as text: money and rates without needless digits, ids and codes without padding."""
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float | int | Decimal):
        number = Decimal(str(value)).normalize()
        return f"{number:f}"
    return " ".join(str(value).split())


def day(value: Any) -> str | None:
    """Write the calendar day of a moment."""
    return str(value)[:10] if value else None


def row(dead: bool, **columns: Any) -> Row:
    return {"dead": str(dead).lower(), **{name: plain(value) for name, value in columns.items()}}


def contacts(world: World) -> Iterator[tuple[str, Row]]:
    for one in world.contacts.values():
        yield (
            str(one["EntityID"]),
            row(
                one["Status"] == "D", status=one["Status"], customer_number=one["CustomerNo"],
                contact_sub_type=one["ContactSubType"], location_id=one["LocationID"],
            ),
        )  # fmt: skip


def are_typed(world: World, *letters: str) -> Iterator[Item]:
    """Yield the contacts of which the type or the sub-type is one of these."""
    for contact in world.contacts.values():
        if contact["ContactType"] in letters or contact["ContactSubType"] in letters:
            yield contact


def employees(world: World) -> Iterator[tuple[str, Row]]:
    for contact in are_typed(world, "E"):
        yield (
            str(contact["EntityID"]),
            row(contact["Status"] == "D", status=contact["Status"], location_id=contact["LocationID"]),
        )


def policies(world: World) -> Iterator[tuple[str, Row]]:
    for one in world.policies.values():
        yield (
            str(one["PolicyId"]),
            row(
                is_deleted(one), status=one["Status"], policy_number=one["PolicyNumber"],
                total_premium=one["TotalPremium"], effective_date=day(one["EffectiveDate"]),
                expiration_date=day(one["ExpirationDate"]), mga_id=one["MGAId"], mga_source_id=one["MGAId"],
                contact_id=one["CustomerId"],
                carrier_id=one["CarrierId"], prior_policy_id=one["PriorPolicyID"],
            ),
        )  # fmt: skip


def is_deleted(policy: Item) -> bool:
    return policy["Status"] == "D" or policy["IsDeleted"] is True


def claims(world: World) -> Iterator[tuple[str, Row]]:
    for one in world.claims.values():
        yield (
            str(one["ClaimID"]),
            row(
                one["Status"] == "D", status=one["Status"], claim_number=one["ClaimNumber"],
                amount_reserved=one["AmountReserved"], amount_paid=one["AmountPaid"],
                date_closed=day(one["DateClosed"]), policy_id=one["PolicyID"], contact_id=one["CustomerID"],
            ),
        )  # fmt: skip


def applications(world: World) -> Iterator[tuple[str, Row]]:
    for one in world.applications.values():
        yield (
            str(one["ApplicationID"]),
            row(
                False, status=one["Status"], application_number=one["ApplicationNumber"],
                estimated_premium=one["EstimatedPremium"], quote_id=one["QuoteID"], policy_id=one["PolicyID"],
                contact_id=one["CustomerID"], carrier_id=one["CarrierID"],
            ),
        )  # fmt: skip


def billing(world: World) -> Iterator[tuple[str, Row]]:
    for one in world.billing.values():
        yield (
            one["RecordId"],
            row(
                False, amount=one["Amount"], due=one["Due"], paid=one["Paid"], is_voided=one["IsVoided"],
                sync_status=one["SyncStatus"], billing_date=day(one["TransactionDate"]),
                contact_id=one["ContactId"], location_id=one["LocationId"], created_by_id=one["CreatedById"],
            ),
        )  # fmt: skip


def commissions(world: World) -> Iterator[tuple[str, Row]]:
    for one in world.commissions.values():
        yield (
            str(one["CommissionID"]),
            row(
                False, status=one["Status"], premium=one["Premium"], rate=one["Rate"], amount=one["Amount"],
                statement_date=day(one["StatementDate"]), policy_id=one["PolicyID"], carrier_id=one["CarrierID"],
                producer_id=one["ProducerID"], rule_id=f"agency:{one['CommissionRuleID']}",
            ),
        )  # fmt: skip


def commission_rules(world: World) -> Iterator[tuple[str, Row]]:
    for kind, rules in (("agency", world.agency_rules), ("producer", world.producer_rules)):
        for one in rules:
            yield (
                f"{kind}:{one['CommissionRuleID']}",
                row(
                    False, kind=kind, rate=one["Rate"], lob_id=one["LobId"], effective_on=day(one["EffectiveOn"]),
                    expires_on=day(one["ExpiresOn"]), carrier_id=one["CarrierId"], producer_id=one["ProducerID"],
                    location_id=one["OfficeId"],
                ),
            )  # fmt: skip


def locations(world: World) -> Iterator[tuple[str, Row]]:
    for one in world.locations:
        yield (
            str(one["LocationID"]),
            row(False, name=one["LocationName"], qqid=one["QQID"], is_default=one["IsDefault"], agency_id="account"),
        )


def departments(world: World) -> Iterator[tuple[str, Row]]:
    for one in world.departments:
        yield (
            str(one["DepartmentID"]),
            row(False, name=one["Name"], location_id=one["LocationID"], manager_id=one["ManagerID"]),
        )


def carriers(world: World) -> Iterator[tuple[str, Row]]:
    for contact in are_typed(world, "R", "M"):
        types = (contact["ContactType"], contact["ContactSubType"])
        yield (
            str(contact["EntityID"]),
            row(contact["Status"] == "D", name=contact["DisplayName"], is_mga="M" in types),
        )


def living(world: World) -> Iterator[Item]:
    """Yield the policies that are asked about: what is marked deleted no longer is."""
    return (one for one in world.policies.values() if not is_deleted(one))


def details(world: World) -> Iterator[tuple[str, Row]]:
    for policy in living(world):
        for one in world.detail("info", policy["PolicyId"]):
            yield (
                str(one["PolicyDetailsID"]),
                row(
                    False, business_type=one["BusinessType"], binder_number=one["BinderNumber"],
                    carrier_naic=one["CarrierNAIC"], non_renewal=one["NonRenewal"], premium_sent=one["PremiumSent"],
                    policy_id=policy["PolicyId"], agent_id=one["AgentID"], csr_id=one["CsrID"],
                ),
            )  # fmt: skip


def renewals(world: World) -> Iterator[tuple[str, Row]]:
    for policy in living(world):
        for one in world.detail("info", policy["PolicyId"]):
            if policy["PriorPolicyID"] and one["BusinessType"] != "N":
                yield (
                    str(policy["PolicyId"]),
                    row(
                        False, renewal_premium=policy["TotalPremium"], is_confirmed=one["BinderDate"] is not None,
                        policy_id=policy["PolicyId"], prior_policy_id=policy["PriorPolicyID"],
                        contact_id=policy["CustomerId"],
                    ),
                )  # fmt: skip


def terminations(world: World) -> Iterator[tuple[str, Row]]:
    for policy in living(world):
        cancellations = [
            one for one in world.detail("adjustments", policy["PolicyId"]) if one["AdjustmentType"] == "C"
        ]
        newest = max(cancellations, key=lambda one: (one["AdjustmentDate"], one["AdjustmentId"]), default=None)
        for one in cancellations:
            reasons = one["AdjustmentReasons"]
            yield (
                str(one["AdjustmentId"]),
                row(
                    False, return_premium=-one["PremiumChange"], termination_date=day(one["AdjustmentDate"]),
                    reason_id=reasons[0]["ReasonId"] if reasons else None, is_current=one is newest,
                    reason="; ".join(reason["ReasonDescription"] for reason in reasons) or None,
                    adjustment_id=one["AdjustmentId"], policy_id=policy["PolicyId"], contact_id=policy["CustomerId"],
                ),
            )  # fmt: skip


def adjustments(world: World) -> Iterator[tuple[str, Row]]:
    for policy in living(world):
        for one in world.detail("adjustments", policy["PolicyId"]):
            yield (
                str(one["AdjustmentId"]),
                row(
                    False, adjustment_type=one["AdjustmentType"], adjusted_on=day(one["AdjustmentDate"]),
                    premium_change=one["PremiumChange"], commission_change=one["CommissionChange"],
                    endorsement_number=one["EndorsementNumber"], days_lapsed=one["DaysLapsed"],
                    policy_id=policy["PolicyId"], csr_id=one["CSRId"],
                ),
            )  # fmt: skip


def quotes(world: World) -> Iterator[tuple[str, Row]]:
    for policy in living(world):
        for one in world.detail("quotes", policy["PolicyId"]):
            yield (
                str(one["QuoteID"]),
                row(
                    False, status=one["QuoteStatus"], base_premium=one["BasePremium"], preferred=one["Preferred"],
                    policy_id=one["PolicyID"], carrier_id=one["CarrierID"], quoted_by_id=one["QuotedByID"],
                ),
            )  # fmt: skip


def coverages(world: World) -> Iterator[tuple[str, Row]]:
    for policy in living(world):
        for one in world.detail("coverages", policy["PolicyId"]):
            yield (
                str(one["CoverageID"]),
                row(
                    False, code=one["Code"], limit1=one["Limit1"], limit2=one["Limit2"],
                    deductible=one["Deductible"], premium=one["Premium"], policy_id=one["PolicyId"],
                    vehicle_id=one["VehicleID"],
                ),
            )  # fmt: skip


def equipment(world: World) -> Iterator[tuple[str, Row]]:
    for policy in living(world):
        for one in world.detail("equipment", policy["PolicyId"]):
            yield (
                str(one["EquipmentID"]),
                row(False, value=one["Value"], year=one["Year"], deductible=one["Deductible"],
                    policy_id=one["PolicyId"]),
            )  # fmt: skip


def garaged(kind: str, number: str, **columns: str) -> RowsOf:
    """Return the rows of drivers or vehicles; the feed nests them under every policy, deleted ones included."""

    def rows(world: World) -> Iterator[tuple[str, Row]]:
        for key in sorted(world.garage):
            policy = world.policies[key]
            for one in world.detail(kind, key):
                values = {name: one[field] for name, field in columns.items()}
                yield str(one[number]), row(False, **values, policy_id=key, contact_id=policy["CustomerId"])

    return rows


def documents(world: World) -> Iterator[tuple[str, Row]]:
    for contact in world.contacts.values():
        for one in world.detail("documents", contact["EntityID"]) if contact["Status"] != "D" else ():
            yield str(one["BlobInfoId"]), row(False, document_type=one["Type"], contact_id=contact["EntityID"])


def forms(world: World) -> Iterator[tuple[str, Row]]:
    for contact in world.contacts.values():
        for one in world.detail("forms", contact["EntityID"]) if contact["Status"] != "D" else ():
            yield (
                str(one["AcordFormID"]),
                row(False, form_number=one["FormNumber"], signature_id=one["SignatureID"],
                    contact_id=one["CustomerID"], policy_id=one["PolicyID"]),
            )  # fmt: skip


def agency_fees(world: World) -> Iterator[tuple[str, Row]]:
    for policy in world.policies.values():
        for one in policy["PolicyAgencyFees"]:
            yield (
                f"policy:{policy['PolicyId']}:{one['AgencyFeeName']}",
                row(False, fee_type="agency", amount=one["Amount"], calculated_amount=one["CalculatedAmount"],
                    policy_id=policy["PolicyId"]),
            )  # fmt: skip


def carrier_fees(world: World) -> Iterator[tuple[str, Row]]:
    for policy in living(world):
        for quote in world.detail("quotes", policy["PolicyId"]):
            for one in quote["QuoteCarrierFees"]:
                yield (
                    f"quote:{quote['QuoteID']}:{one['CarrierFeeID']}",
                    row(False, fee_type="carrier", amount=one["Amount"], calculated_amount=None,
                        policy_id=policy["PolicyId"]),
                )  # fmt: skip
