"""The token of a tenant: one row that all workers read, and that one worker at a time renews under a short claim."""

from dataclasses import dataclass

from sqlalchemy import Connection, text

from etl.queries import Queries

SQL = Queries(__file__)

#: Seconds without a heartbeat after which another worker may take over a claim.
CLAIM_SECONDS = 15
#: Seconds for which no worker replaces a token that replaced a refused one and was never accepted. If the API refuses
#: every token, later workers must not each request one more. Equals the time that a run continues without an accepted
#: call.
DOUBT = 900
#: Seconds for which an accepted token does not count as refused.
RECENT_SECONDS = 3600
#: Seconds for which refused credentials are not sent: four times as long after each further refusal, at most a day.
#: Many attempts would lock the account, and without any attempt an unlocked account would stay unused.
REST, LONGEST_REST = 900, 86_400
#: Seconds from which a rest counts as permanent: a refused password is not sent again automatically.
PERMANENT = 100 * 365 * 86_400

OPEN = text("INSERT INTO etl.tokens (tenant) VALUES (:tenant) ON CONFLICT (tenant) DO NOTHING")

OPENED = text(
    "UPDATE etl.tokens SET doubted_until = NULL, opened_at = now() WHERE tenant = :tenant AND number = :number"
)


@dataclass(frozen=True, slots=True, repr=False)
class TokenRow:
    """The row of a tenant; times are in seconds from now by the database's clock."""

    salt: bytes
    account: bytes | None
    number: int
    ciphertext: bytes | None
    seconds: float  #: until the token must be renewed
    doubted: bool  #: whether it replaced a refused one recently, and was never accepted
    refusal: str | None  #: why its credentials must not be sent now
    resting: float  #: for how long; FOR_GOOD or longer: until a person changes it
    was_accepted_recently: bool  #: whether a token of these credentials was accepted in the last hour
    was_ever_accepted: bool
    basic_header: bool  #: whether client id and secret are sent in a Basic header


@dataclass(frozen=True, slots=True)
class RenewalClaim:
    """The right to renew the token that has a certain number."""

    tenant: str
    claimant: str
    number: int

    def parameters(self) -> dict[str, object]:
        """Return the claim for a statement."""
        return {"tenant": self.tenant, "claimant": self.claimant, "number": self.number}


def read_token(connection: Connection, tenant: str) -> TokenRow:
    """Return the row of a tenant; create it if necessary."""
    row = connection.execute(SQL["read_token"], {"tenant": tenant, "recently": RECENT_SECONDS}).one_or_none()
    if row is None:
        connection.execute(OPEN, {"tenant": tenant})
        row = connection.execute(SQL["read_token"], {"tenant": tenant, "recently": RECENT_SECONDS}).one()
    resting = row.resting or 0.0
    refusal = row.refusal if resting > 0 else None
    return TokenRow(
        row.salt, row.account, row.number, row.sealed, row.seconds or 0.0, row.doubted, refusal, resting,
        row.was_accepted_recently, row.was_ever_accepted, row.basic_header,
    )  # fmt: skip


def claim(connection: Connection, renewal: RenewalClaim) -> bool:
    """Claim a token for renewal, or extend the claim; return whether no other worker claimed or renewed it."""
    return connection.execute(SQL["claim"], {**renewal.parameters(), "life": CLAIM_SECONDS}).rowcount == 1


@dataclass(frozen=True, slots=True, repr=False)
class NewToken:
    """A token to be stored, encrypted."""

    account: bytes
    ciphertext: bytes
    seconds: float  #: until it must be renewed
    doubted: bool  #: it replaces a refused one
    basic_header: bool


def save_token(connection: Connection, renewal: RenewalClaim, token: NewToken) -> bool:
    """Store a new token and end the claim; return whether the claim was valid, otherwise nothing is stored."""
    new = {
        "account": token.account,
        "sealed": token.ciphertext,
        "seconds": token.seconds,
        "doubt": DOUBT if token.doubted else 0,
        "basic_header": token.basic_header,
    }
    return connection.execute(SQL["keep"], {**renewal.parameters(), **new}).rowcount == 1


def forget(connection: Connection, renewal: RenewalClaim) -> None:
    """Delete a token whose renewal was refused; the claim remains."""
    connection.execute(SQL["forget"], renewal.parameters())


def discard(connection: Connection, tenant: str, number: int) -> None:
    """Delete a token that the API refused, so that the next run requests another one: one in the time of a doubt."""
    connection.execute(SQL["discard"], {"tenant": tenant, "number": number, "doubt": DOUBT})


def refuse(connection: Connection, renewal: RenewalClaim, account: bytes, refusal: str, *, for_good: bool) -> None:
    """Record that the credentials were refused, so that no worker sends them for a while, or ever; end the claim."""
    rest = {"rest": REST, "longest": LONGEST_REST, "for_good": for_good}
    connection.execute(SQL["refuse"], {**renewal.parameters(), "account": account, "refusal": refusal, **rest})


def note_unclear(connection: Connection, renewal: RenewalClaim, account: bytes) -> int:
    """Record a refusal without a reason, end the claim, and return how many consecutive runs got one."""
    unclear: int | None = connection.execute(
        SQL["note_unclear"], {**renewal.parameters(), "account": account}
    ).scalar_one_or_none()
    return unclear or 1


def note_opened(connection: Connection, tenant: str, number: int) -> None:
    """Record that the API accepted a token."""
    connection.execute(OPENED, {"tenant": tenant, "number": number})


def release(connection: Connection, renewal: RenewalClaim) -> None:
    """End a claim without a new token."""
    connection.execute(SQL["release"], renewal.parameters())
