"""The expected production rows, computed from the simulator's records by hand, without our declarations.

If they were derived from the catalogue, a wrong declaration would agree with itself. They contain what matters: ids,
status, references (as source ids), amounts, days, and whether a row is deleted.
"""

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from etl.simulator.collection import Item
from etl.simulator.world import World

Row = Mapping[str, str | None]
RowsOf = Callable[[World], Iterator[tuple[str, Row]]]


def plain(value: Any) -> str | None:
    """Return a value of a record as text: numbers without trailing zeros, texts without extra spaces."""
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float | int | Decimal):
        number = Decimal(str(value)).normalize()
        return f"{number:f}"
    return " ".join(str(value).split())


def day(value: Any) -> str | None:
    """Return the calendar day of a timestamp."""
    return str(value)[:10] if value else None


def row(dead: bool, **columns: Any) -> Row:
    return {"dead": str(dead).lower(), **{name: plain(value) for name, value in columns.items()}}


def contacts(world: World) -> Iterator[tuple[str, Row]]:
    for contact in world.contacts.values():
        yield (
            str(contact["EntityID"]),
            row(
                contact["Status"] == "D", status=contact["Status"], customer_number=contact["CustomerNo"],
                contact_sub_type=contact["ContactSubType"], location_id=contact["LocationID"],
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
    for policy in world.policies.values():
        yield (
            str(policy["PolicyId"]),
            row(
                is_deleted(policy), status=policy["Status"], policy_number=policy["PolicyNumber"],
                total_premium=policy["TotalPremium"], effective_date=day(policy["EffectiveDate"]),
                expiration_date=day(policy["ExpirationDate"]), mga_id=policy["MGAId"], mga_source_id=policy["MGAId"],

                    contact_id=policy["CustomerId"],
                carrier_id=policy["CarrierId"], prior_policy_id=policy["PriorPolicyID"],
            ),
        )  # fmt: skip


def is_deleted(policy: Item) -> bool:
    return policy["Status"] == "D" or policy["IsDeleted"] is True


def claims(world: World) -> Iterator[tuple[str, Row]]:
    for claim in world.claims.values():
        yield (
            str(claim["ClaimID"]),
            row(
                claim["Status"] == "D", status=claim["Status"], claim_number=claim["ClaimNumber"],
                amount_reserved=claim["AmountReserved"], amount_paid=claim["AmountPaid"],
                date_closed=day(claim["DateClosed"]), policy_id=claim["PolicyID"], contact_id=claim["CustomerID"],
            ),
        )  # fmt: skip


def applications(world: World) -> Iterator[tuple[str, Row]]:
    for application in world.applications.values():
        yield (
            str(application["ApplicationID"]),
            row(
                False, status=application["Status"], application_number=application["ApplicationNumber"],
                estimated_premium=application["EstimatedPremium"], quote_id=application["QuoteID"],
                policy_id=application["PolicyID"],
                contact_id=application["CustomerID"], carrier_id=application["CarrierID"],
            ),
        )  # fmt: skip


def billing(world: World) -> Iterator[tuple[str, Row]]:
    for record in world.billing.values():
        yield (
            record["RecordId"],
            row(
                False, amount=record["Amount"], due=record["Due"], paid=record["Paid"], is_voided=record["IsVoided"],
                sync_status=record["SyncStatus"], billing_date=day(record["TransactionDate"]),
                contact_id=record["ContactId"], location_id=record["LocationId"], created_by_id=record["CreatedById"],
            ),
        )  # fmt: skip


def commissions(world: World) -> Iterator[tuple[str, Row]]:
    for commission in world.commissions.values():
        yield (
            str(commission["CommissionID"]),
            row(
                False, status=commission["Status"], premium=commission["Premium"], rate=commission["Rate"],
                amount=commission["Amount"],
                statement_date=day(commission["StatementDate"]), policy_id=commission["PolicyID"],
                carrier_id=commission["CarrierID"],
                producer_id=commission["ProducerID"], rule_id=f"agency:{commission['CommissionRuleID']}",
            ),
        )  # fmt: skip


def commission_rules(world: World) -> Iterator[tuple[str, Row]]:
    for kind, rules in (("agency", world.agency_rules), ("producer", world.producer_rules)):
        for rule in rules:
            yield (
                f"{kind}:{rule['CommissionRuleID']}",
                row(
                    False, kind=kind, rate=rule["Rate"], lob_id=rule["LobId"], effective_on=day(rule["EffectiveOn"]),
                    expires_on=day(rule["ExpiresOn"]), carrier_id=rule["CarrierId"], producer_id=rule["ProducerID"],
                    location_id=rule["OfficeId"],
                ),
            )  # fmt: skip


def locations(world: World) -> Iterator[tuple[str, Row]]:
    for location in world.locations:
        yield (
            str(location["LocationID"]),
            row(
                False,
                name=location["LocationName"],
                qqid=location["QQID"],
                is_default=location["IsDefault"],
                agency_id="account",
            ),
        )


def departments(world: World) -> Iterator[tuple[str, Row]]:
    for department in world.departments:
        yield (
            str(department["DepartmentID"]),
            row(
                False, name=department["Name"], location_id=department["LocationID"], manager_id=department["ManagerID"]
            ),
        )


def carriers(world: World) -> Iterator[tuple[str, Row]]:
    for contact in are_typed(world, "R", "M"):
        types = (contact["ContactType"], contact["ContactSubType"])
        yield (
            str(contact["EntityID"]),
            row(contact["Status"] == "D", name=contact["DisplayName"], is_mga="M" in types),
        )


def present_policies(world: World) -> Iterator[Item]:
    """Return the policies whose details are read: those that are not marked deleted."""
    return (policy for policy in world.policies.values() if not is_deleted(policy))


def details(world: World) -> Iterator[tuple[str, Row]]:
    for policy in present_policies(world):
        for detail in world.detail("info", policy["PolicyId"]):
            yield (
                str(detail.get("PolicyDetailsID") or f"policy:{policy['PolicyId']}"),
                row(
                    False, business_type=detail["BusinessType"], binder_number=detail["BinderNumber"],
                    carrier_naic=detail["CarrierNAIC"], non_renewal=detail["NonRenewal"],
                    premium_sent=detail["PremiumSent"],
                    policy_id=policy["PolicyId"], agent_id=detail["AgentID"], csr_id=detail["CsrID"],
                ),
            )  # fmt: skip


def renewals(world: World) -> Iterator[tuple[str, Row]]:
    for policy in present_policies(world):
        for detail in world.detail("info", policy["PolicyId"]):
            if policy["PriorPolicyID"] and detail["BusinessType"] != "N":
                yield (
                    str(policy["PolicyId"]),
                    row(
                        False, renewal_premium=policy["TotalPremium"], is_confirmed=detail["BinderDate"] is not None,
                        policy_id=policy["PolicyId"], prior_policy_id=policy["PriorPolicyID"],
                        contact_id=policy["CustomerId"],
                    ),
                )  # fmt: skip


def terminations(world: World) -> Iterator[tuple[str, Row]]:
    for policy in present_policies(world):
        cancellations = [
            adjustment
            for adjustment in world.detail("adjustments", policy["PolicyId"])
            if adjustment["AdjustmentType"] == "C"
        ]
        newest = max(
            cancellations,
            key=lambda adjustment: (adjustment["AdjustmentDate"], adjustment["AdjustmentId"]),
            default=None,
        )
        for adjustment in cancellations:
            reasons = adjustment["AdjustmentReasons"]
            yield (
                str(adjustment["AdjustmentId"]),
                row(
                    False, return_premium=-adjustment["PremiumChange"],
                    termination_date=day(adjustment["AdjustmentDate"]),
                    reason_id=reasons[0]["ReasonId"] if reasons else None, is_current=adjustment is newest,
                    reason="; ".join(reason["ReasonDescription"] for reason in reasons) or None,
                    adjustment_id=adjustment["AdjustmentId"], policy_id=policy["PolicyId"],
                    contact_id=policy["CustomerId"],
                ),
            )  # fmt: skip


def adjustments(world: World) -> Iterator[tuple[str, Row]]:
    for policy in present_policies(world):
        for adjustment in world.detail("adjustments", policy["PolicyId"]):
            yield (
                str(adjustment["AdjustmentId"]),
                row(
                    False, adjustment_type=adjustment["AdjustmentType"], adjusted_on=day(adjustment["AdjustmentDate"]),
                    premium_change=adjustment["PremiumChange"], commission_change=adjustment["CommissionChange"],
                    endorsement_number=adjustment["EndorsementNumber"], days_lapsed=adjustment["DaysLapsed"],
                    policy_id=policy["PolicyId"], csr_id=adjustment["CSRId"],
                ),
            )  # fmt: skip


def quotes(world: World) -> Iterator[tuple[str, Row]]:
    for policy in present_policies(world):
        for quote in world.detail("quotes", policy["PolicyId"]):
            yield (
                str(quote["QuoteID"]),
                row(
                    False, status=quote["QuoteStatus"], base_premium=quote["BasePremium"], preferred=quote["Preferred"],
                    policy_id=quote["PolicyID"], carrier_id=quote["CarrierID"], quoted_by_id=quote["QuotedByID"],
                ),
            )  # fmt: skip


def coverages(world: World) -> Iterator[tuple[str, Row]]:
    for policy in present_policies(world):
        for coverage in world.detail("coverages", policy["PolicyId"]):
            yield (
                str(coverage["CoverageID"]),
                row(
                    False, code=coverage["Code"], limit1=coverage["Limit1"], limit2=coverage["Limit2"],
                    deductible=coverage["Deductible"], premium=coverage["Premium"], policy_id=coverage["PolicyId"],
                    vehicle_id=coverage["VehicleID"],
                ),
            )  # fmt: skip


def equipment(world: World) -> Iterator[tuple[str, Row]]:
    for policy in present_policies(world):
        for item in world.detail("equipment", policy["PolicyId"]):
            yield (
                str(item["EquipmentID"]),
                row(False, value=item["Value"], year=item["Year"], deductible=item["Deductible"],
                    policy_id=item["PolicyId"]),
            )  # fmt: skip


def garaged(kind: str, number: str, **columns: str) -> RowsOf:
    """Return the rows of drivers or vehicles, which the feed nests in every policy, including deleted ones."""

    def rows(world: World) -> Iterator[tuple[str, Row]]:
        for key in sorted(world.garage):
            policy = world.policies[key]
            for item in world.detail(kind, key):
                values = {name: item[field] for name, field in columns.items()}
                yield str(item[number]), row(False, **values, policy_id=key, contact_id=policy["CustomerId"])

    return rows


def customers(world: World) -> Iterator[Item]:
    """Yield the contacts whose details are read: no carriers, agencies, staff, nor prospects without a live policy."""
    holders = {policy["CustomerId"] for policy in present_policies(world)}
    for contact in world.contacts.values():
        types = {contact["ContactType"], contact["ContactSubType"]}
        is_customer = types.isdisjoint("RME") and ("P" not in types or contact["EntityID"] in holders)
        if is_customer and contact["Status"] != "D":
            yield contact


def documents(world: World) -> Iterator[tuple[str, Row]]:
    for contact in customers(world):
        for document in world.detail("documents", contact["EntityID"]):
            yield (
                str(document["BlobInfoId"]),
                row(False, document_type=document["Type"], contact_id=contact["EntityID"]),
            )


def forms(world: World) -> Iterator[tuple[str, Row]]:
    for contact in customers(world):
        for form in world.detail("forms", contact["EntityID"]):
            yield (
                str(form["AcordFormID"]),
                row(False, form_number=form["FormNumber"], signature_id=form["SignatureID"],
                    contact_id=form["CustomerID"], policy_id=form["PolicyID"]),
            )  # fmt: skip


def agency_fees(world: World) -> Iterator[tuple[str, Row]]:
    for policy in world.policies.values():
        for fee in policy["PolicyAgencyFees"]:
            yield (
                f"policy:{policy['PolicyId']}:{fee['AgencyFeeName']}",
                row(is_deleted(policy), fee_type="agency", amount=fee["Amount"],
                    calculated_amount=fee["CalculatedAmount"], policy_id=policy["PolicyId"]),
            )  # fmt: skip


def carrier_fees(world: World) -> Iterator[tuple[str, Row]]:
    for policy in present_policies(world):
        for quote in world.detail("quotes", policy["PolicyId"]):
            for fee in quote["QuoteCarrierFees"]:
                yield (
                    f"quote:{quote['QuoteID']}:{fee['CarrierFeeID']}",
                    row(False, fee_type="carrier", amount=fee["Amount"], calculated_amount=None,
                        policy_id=policy["PolicyId"]),
                )  # fmt: skip
