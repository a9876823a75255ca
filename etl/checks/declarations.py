"""The declarations of the checks: name, resource, why it matters, how to fix it. The queries are in `sql`."""

from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path

from etl.errors import UsageError
from etl.models.policy_numbers import expand_keys
from etl.resources import find_resource
from etl.values import Severity

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Check:
    """A check across records; its hits become findings whose rule is its name.

    Its query returns tenant, id, source_id, policy_number, customer_number, and found: the problem as text without
    personal data. The query is flat (no window function, no grouping of all rows), so that PostgreSQL can start from
    the rows that a run changed.
    """

    name: str  #: stable, kebab-case
    resource: str  #: the resource whose records it checks
    field: str  #: the column to look at
    explanation: str  #: why it matters, and when the record may be correct
    fix: str  #: what a person has to do
    severity: Severity = Severity.NOTED

    @property
    def view(self) -> str:
        """The view of all hits."""
        return f"public.v_check_{self.name.replace('-', '_')}"

    @property
    def table(self) -> str:
        """The production table whose rows it checks."""
        return str(find_resource(self.resource).model.__tablename__)

    @cached_property
    def sql(self) -> str:
        """The query, which people can run as well."""
        file = HERE / "sql" / f"{self.name.replace('-', '_')}.sql"
        return expand_keys(file.read_text(encoding="utf-8").strip())


CHECKS: tuple[Check, ...] = (
    Check(
        "expiration-before-effective",
        "policies",
        "expiration_date",
        "The term ends before it begins. The policy is in force on no day, and is missing from every report by date.",
        "Correct the dates of the policy in QQCatalyst.",
    ),
    Check(
        "active-but-expired",
        "policies",
        "status",
        "The policy is marked active, but its term is over. Counts of active policies are too high.",
        "Renew the policy, or set its status to expired or canceled.",
    ),
    Check(
        "cancelled-without-termination",
        "policies",
        "status",
        "The policy is marked canceled, but its adjustments contain no cancellation. The date and reason are unknown, "
        "so no report of terminations counts it. Only policies whose adjustments were read are checked.",
        "Enter the cancellation as an adjustment of the policy.",
    ),
    Check(
        "renewal-without-prior",
        "renewals",
        "prior_policy_id",
        "The prior term never arrived, or is deleted. The change in premium cannot be calculated.",
        "Open the policy and select the term that it renews. If that term was purged long ago, no action is needed.",
    ),
    Check(
        "renewal-unbound",
        "renewals",
        "binder_date",
        "The new term has started but has no binder date. QQCatalyst creates renewals automatically; this one was "
        "either forgotten, or bound without entering the date.",
        "Enter the binder date, or delete the renewal if the customer did not take it.",
    ),
    Check(
        "term-gap",
        "policies",
        "effective_date",
        "There are days between the end of the prior term and the start of this one. Either the customer had no "
        "coverage, or one of the dates is wrong. Terms after a canceled one are not checked.",
        "Correct the dates, or contact the customer.",
    ),
    Check(
        "term-overlap",
        "policies",
        "effective_date",
        "The term starts before its prior term ends, and the prior term was not canceled. The premium for those days "
        "is counted twice.",
        "Correct the dates, or cancel the prior term as of the day on which this one starts.",
    ),
    Check(
        "same-number-two-contacts",
        "policies",
        "policy_number",
        "Two customers have a policy with the same number from the same carrier. Usually one customer was entered "
        "twice. A policy that was transferred with the sale of a house or a business may be correct.",
        "Merge the customers, or correct the policy number.",
    ),
    Check(
        "placeholder-policy-number",
        "policies",
        "policy_number",
        "The policy is in force, but has a placeholder such as TBD instead of a policy number. It cannot be matched "
        "with carrier statements. Pending policies are not checked.",
        "Enter the policy number from the carrier's documents.",
    ),
    Check(
        "policy-without-contact",
        "policies",
        "contact_id",
        "The customer of the policy never arrived, or is deleted although the policy is active.",
        "Open the policy and select its customer, or restore the customer.",
    ),
    Check(
        "zip-not-in-state",
        "contacts",
        "zip",
        "The first three digits of the ZIP code belong to another state than the address. Mail is returned, and rating "
        "is wrong. A few post offices deliver across a state line; there, the address may be correct.",
        "Correct the ZIP code or the state.",
    ),
    Check(
        "same-person-twice",
        "contacts",
        "display_name",
        "An older customer has the same name and the same email address or phone number.",
        "Merge the two customers in QQCatalyst.",
    ),
    Check(
        "invoice-not-adding-up",
        "billing_records",
        "amount",
        "The due and paid amounts of an invoice do not add up to its total. Voided invoices are not checked.",
        "Check the customer's account in QQCatalyst and correct the invoice.",
    ),
    Check(
        "payments-not-adding-up",
        "billing_records",
        "paid",
        "The payments of a customer for a policy do not add up to the amounts that its invoices show as paid. Voided "
        "rows are not counted, so an invoice that still includes a voided payment is found. The amounts of an invoice "
        "older than `ETL_BILLING_LOOKBACK` are from its last read; to update them, run "
        "`qqetl sync --full --resource billing_records`.",
        "Check the customer's account in QQCatalyst and assign the payment.",
    ),
)

BY_NAME = {check.name: check for check in CHECKS}


def get_check(name: str) -> Check:
    """Return the check with this name; raise UsageError, which lists all names, for an unknown name."""
    try:
        return BY_NAME[name]
    except KeyError:
        near = get_close_matches(name, BY_NAME, n=1)
        guess = f" Did you mean {near[0]}?" if near else ""
        raise UsageError(f"Unknown check {name!r}.{guess} The checks are: {', '.join(BY_NAME)}.") from None
