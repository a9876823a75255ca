"""The vocabularies of coded values, with the meaning of each published code.

All are open: the vendor publishes some codes and its accounts use more, so an unknown code is kept and noted.
"""

from etl.values import Code

CONTACT_STATUS = Code("contact status", {"A": "active", "D": "deleted"}, status=True)

#: M, R and H occur in the vendor's own sample data without an explanation.
CONTACT_TYPE = Code(
    "contact type",
    {"C": "customer", "P": "prospect", "E": "employee", "M": "unexplained", "R": "unexplained", "H": "unexplained"},
)

POLICY_STATUS = Code(
    "policy status",
    {"A": "active", "C": "cancelled", "D": "deleted", "E": "expired", "P": "pending, not issued"},
    status=True,
)

POLICY_TERM = Code("policy term", {"A": "annual"})

BUSINESS_TYPE = Code("business type", {"N": "new business", "R": "renewal"})

BILLING_TYPE = Code("billing type", {"A": "billed by the agency", "D": "billed directly by the carrier"})

#: P is our own code: if an account offers no applications, its pending policies are used instead.
APPLICATION_STATUS = Code(
    "application status",
    {
        "D": "draft",
        "S": "submitted",
        "A": "approved",
        "R": "declined",
        "W": "withdrawn",
        "P": "pending policy used as an application",
    },
    status=True,
)

CLAIM_STATUS = Code("claim status", {"O": "open", "C": "closed", "R": "reopened", "D": "deleted"}, status=True)

COMMISSION_STATUS = Code("commission status", {"P": "pending", "R": "received", "V": "voided"}, status=True)

COMMISSION_TRANSACTION = Code(
    "commission transaction",
    {"N": "new business", "R": "renewal", "E": "endorsement", "C": "cancellation"},
)

ADJUSTMENT_TYPE = Code("adjustment type", {"C": "cancellation", "E": "endorsement", "R": "reinstatement"})
