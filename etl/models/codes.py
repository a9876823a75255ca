"""The vocabularies of coded values, with the meaning of each code that is known.

The vendor publishes no list of codes. A meaning here was seen in the code of a public integration that runs on real
data, or in the vendor's samples; one that follows from how a code is used is listed as assumed. All vocabularies are
open: another code is kept, and noted once. A vocabulary without meanings belongs to a call that nobody has documented.
"""

from etl.values import Code

CONTACT_STATUS = Code("contact status", {"A": "active", "D": "deleted"}, status=True)

CONTACT_TYPE = Code(
    "contact type",
    {"C": "customer", "P": "prospect", "E": "employee", "M": "managing general agency", "R": "carrier"},
)

POLICY_STATUS = Code(
    "policy status",
    {
        "A": "active",
        "C": "canceled",
        "D": "deleted",
        "E": "expired",
        "P": "pending, not issued",
        "V": "void",
    },
    assumed=frozenset({"V"}),
    status=True,
)

POLICY_TERM = Code("policy term", {"A": "annual", "S": "six months"})

BUSINESS_TYPE = Code("business type", {"N": "new business", "R": "renewal", "W": "rewrite"})

BILLING_TYPE = Code("billing type", {})

#: No code of the source is known. P is this project's: a pending policy in place of an application.
APPLICATION_STATUS = Code("application status", {}, status=True)

CLAIM_STATUS = Code("claim status", {}, status=True)

COMMISSION_STATUS = Code("commission status", {}, status=True)

COMMISSION_TRANSACTION = Code("commission transaction", {})

ADJUSTMENT_TYPE = Code("adjustment type", {"C": "cancellation"})
