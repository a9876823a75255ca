"""The checks: name, whose records they speak of, why it matters, what to do about it. The queries lie in `sql`."""

from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path

from etl.errors import UsageError
from etl.resources import resource
from etl.values import Severity

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Check:
    """A question to all records at once; its hits become findings whose rule is its name.

    Its query names of each hit: tenant, id, source_id, policy_number, customer_number, and found, which is what is
    wrong in words without personal data. It is flat (no window function, no grouping of all rows), so that PostgreSQL
    can begin at the rows that a run changed.
    """

    name: str  #: stable, kebab-case
    resource: str  #: whose records it speaks of
    field: str  #: the column to look at
    explanation: str  #: why it matters, and when it may be right as it is
    cure: str  #: what a person does about it
    severity: Severity = Severity.NOTED

    @property
    def view(self) -> str:
        """The view over all hits."""
        return f"public.v_check_{self.name.replace('-', '_')}"

    @property
    def table(self) -> str:
        """The production table whose rows it speaks of."""
        return str(resource(self.resource).model.__tablename__)

    @cached_property
    def sql(self) -> str:
        """The query, as people may run it."""
        return (HERE / "sql" / f"{self.name.replace('-', '_')}.sql").read_text(encoding="utf-8").strip()


CHECKS: tuple[Check, ...] = (
    Check(
        "expiration-before-effective",
        "policies",
        "expiration_date",
        "The term ends before it begins. It is in force on no day, and drops out of every report that goes by dates.",
        "Correct the dates of the policy in QQCatalyst.",
    ),
    Check(
        "active-but-expired",
        "policies",
        "status",
        "The policy is marked active although its term is over. Counts of active policies are too high.",
        "Renew the policy, or set its status to expired or cancelled.",
    ),
    Check(
        "cancelled-without-termination",
        "policies",
        "status",
        "The policy is marked cancelled, and its adjustments tell of no cancellation: date and reason are unknown, so "
        "that it counts in no report of terminations. Only policies whose adjustments were read are looked at.",
        "Enter the cancellation as an adjustment of the policy.",
    ),
    Check(
        "renewal-without-prior",
        "renewals",
        "prior_policy_id",
        "The term before is named and never arrived, or is deleted. The change of premium cannot be told.",
        "Open the policy and choose the term that it renews; nothing is to be done where that was purged long ago.",
    ),
    Check(
        "renewal-unbound",
        "renewals",
        "binder_date",
        "The new term has begun and has no binder date. QQCatalyst sets up renewals by itself; this one was either "
        "forgotten, or bound without the date.",
        "Enter the binder date, or delete the renewal that nobody took.",
    ),
    Check(
        "term-gap",
        "policies",
        "effective_date",
        "There are days between the end of the prior term and the beginning of this one: the customer had no cover, or "
        "one of the dates is wrong. Terms after a cancelled one are left out.",
        "Correct the dates, or talk to the customer.",
    ),
    Check(
        "term-overlap",
        "policies",
        "effective_date",
        "The term begins before its prior term ends, which was not cancelled: premium is counted twice for those days.",
        "Correct the dates, or cancel the prior term to the day on which this one begins.",
    ),
    Check(
        "same-number-two-contacts",
        "policies",
        "policy_number",
        "Two customers have a policy of one number with one carrier. Mostly a customer was entered twice; a policy "
        "that was sold on with a house or a business may be right.",
        "Merge the customers, or correct the number.",
    ),
    Check(
        "placeholder-policy-number",
        "policies",
        "policy_number",
        "The policy is in force and bears no number but a word that stands for one. No statement of a carrier can be "
        "matched with it. Pending policies are left out.",
        "Enter the number from the carrier's papers.",
    ),
    Check(
        "policy-without-contact",
        "policies",
        "contact_id",
        "The policy names a customer who never arrived, or who is deleted while the policy is active.",
        "Open the policy and choose its customer, or restore the customer.",
    ),
    Check(
        "zip-not-in-state",
        "contacts",
        "zip",
        "The first three digits of the ZIP code belong to other states than the address. Mail is returned, and rating "
        "goes wrong. A few offices deliver across a state line: there the address may be right.",
        "Correct the ZIP code or the state.",
    ),
    Check(
        "same-person-twice",
        "contacts",
        "display_name",
        "An older customer has the same name and the same e-mail address or telephone number.",
        "Merge the two in QQCatalyst.",
    ),
    Check(
        "invoice-not-adding-up",
        "billing_records",
        "amount",
        "What is due and what is paid of an invoice do not make its amount. Voided invoices are left out.",
        "Look at the customer's account in QQCatalyst and correct the invoice.",
    ),
    Check(
        "payments-not-adding-up",
        "billing_records",
        "paid",
        "The payments of a customer for a policy do not make what its invoices show as paid. Voided rows are left out: "
        "an invoice that still counts a voided payment is found. An invoice older than `ETL_BILLING_LOOKBACK` shows "
        "what it showed when it was last read; `qqetl sync --full --resource billing_records` brings it up to date.",
        "Look at the customer's account in QQCatalyst and assign the payment.",
    ),
)

BY_NAME = {one.name: one for one in CHECKS}


def get_check(name: str) -> Check:
    """Return the check of this name; raise UsageError, with the nearest and all names, for one that is none."""
    try:
        return BY_NAME[name]
    except KeyError:
        near = get_close_matches(name, BY_NAME, n=1)
        guess = f" Did you mean {near[0]}?" if near else ""
        raise UsageError(f"There is no check {name!r}.{guess} Checks are: {', '.join(BY_NAME)}.") from None
