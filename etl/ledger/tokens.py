"""The token of a tenant: one row that all workers read, and that one at a time may renew, by a short claim."""

from dataclasses import dataclass

from sqlalchemy import Connection, text

#: Seconds without a sign of life after which another worker may renew a token in the claimant's place.
CLAIM = 15
#: Seconds in which a token that took a refused one's place, and has opened nothing yet, is replaced by no worker:
#: when the API refuses every token, workers that come a moment later must not each ask for one more. As long as a run
#: goes on without one accepted call.
DOUBT = 900
#: Seconds for which a token that has opened something is not taken for a refused one.
LATELY = 3600
#: EndpointRefused credentials rest for so many seconds, four times as long after each further refusal, a day at most: an
#: account is locked by many attempts, and never to ask again would keep a run away from an account that was unlocked.
REST, LONGEST_REST = 900, 86_400
#: Seconds from which on a rest is one without end: a refused password is not sent again by itself.
FOR_GOOD = 100 * 365 * 86_400

OPEN = text("INSERT INTO etl.tokens (tenant) VALUES (:tenant) ON CONFLICT (tenant) DO NOTHING")

LOOK = text("""
    SELECT salt, account, number, sealed, extract(epoch FROM renew_at - now())::float8 AS seconds,
           coalesce(doubted_until > now(), false) AS doubted,
           refusal, extract(epoch FROM refused_until - now())::float8 AS resting,
           opened_at IS NOT NULL AS opened_ever,
           coalesce(opened_at > now() - make_interval(secs => :lately), false) AS opened_lately, basic_header
    FROM etl.tokens WHERE tenant = :tenant
""")

_MINE = "tenant = :tenant AND claimant = :claimant AND number = :number"

CLAIM_IT = text("""
    UPDATE etl.tokens SET claimant = :claimant, claimed_until = now() + make_interval(secs => :life)
    WHERE tenant = :tenant AND number = :number
      AND (claimed_until IS NULL OR claimed_until < now() OR claimant = :claimant)
""")

KEEP = text(f"""
    UPDATE etl.tokens
    SET account = :account, number = number + 1, sealed = :sealed, renew_at = now() + make_interval(secs => :seconds),
        doubted_until = now() + make_interval(secs => :doubt),
        claimed_until = NULL, refusal = NULL, refused_until = NULL, refusals = 0, unclear = 0,
        basic_header = :basic_header, opened_at = CASE WHEN account = :account THEN opened_at END
    WHERE {_MINE}
""")

FORGET = text(f"UPDATE etl.tokens SET sealed = NULL, renew_at = NULL WHERE {_MINE}")

REFUSE = text(f"""
    UPDATE etl.tokens
    SET account = :account, sealed = NULL, renew_at = NULL, claimed_until = NULL, refusal = :refusal, unclear = 0,
        basic_header = false,
        refusals = CASE WHEN account = :account THEN least(refusals, 9) + 1 ELSE 1 END,
        refused_until = CASE WHEN :for_good THEN timestamptz '9999-12-31' ELSE now() + make_interval(
            secs => least(:longest, :rest * 4 ^ CASE WHEN account = :account THEN least(refusals, 9) ELSE 0 END)) END
    WHERE {_MINE}
""")

UNCLEAR = text(f"""
    UPDATE etl.tokens
    SET account = :account, claimed_until = NULL, unclear = CASE WHEN account = :account THEN unclear ELSE 0 END + 1
    WHERE {_MINE} RETURNING unclear
""")

OPENED = text(
    "UPDATE etl.tokens SET doubted_until = NULL, opened_at = now() WHERE tenant = :tenant AND number = :number"
)

RELEASE = text(f"UPDATE etl.tokens SET claimed_until = NULL WHERE {_MINE}")


@dataclass(frozen=True, slots=True, repr=False)
class TokenRow:
    """How the row of a tenant stands; times are in seconds from now by the database's clock."""

    salt: bytes
    account: bytes | None
    number: int
    sealed: bytes | None
    seconds: float  #: until the token is to be renewed
    doubted: bool  #: whether it took a refused one's place a moment ago, and has opened nothing yet
    refusal: str | None  #: why its credentials are not to be sent now
    resting: float  #: how long they are not; FOR_GOOD or longer: until a person says so
    opened_lately: bool  #: whether a token of these credentials opened something in the last hour
    opened_ever: bool
    basic_header: bool  #: whether client id and secret go in a Basic header


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to renew the token that has a certain number."""

    tenant: str
    claimant: str
    number: int

    def parameters(self) -> dict[str, object]:
        """Return the claim for a statement."""
        return {"tenant": self.tenant, "claimant": self.claimant, "number": self.number}


def look(connection: Connection, tenant: str) -> TokenRow:
    """Return the row of a tenant, which is made when it is not there."""
    row = connection.execute(LOOK, {"tenant": tenant, "lately": LATELY}).one_or_none()
    if row is None:
        connection.execute(OPEN, {"tenant": tenant})
        row = connection.execute(LOOK, {"tenant": tenant, "lately": LATELY}).one()
    resting = row.resting or 0.0
    refusal = row.refusal if resting > 0 else None
    return TokenRow(
        row.salt, row.account, row.number, row.sealed, row.seconds or 0.0, row.doubted, refusal, resting,
        row.opened_lately, row.opened_ever, row.basic_header,
    )  # fmt: skip


def claim(connection: Connection, mine: Claim) -> bool:
    """Claim a token for renewal, or give another sign of life; tell whether it is still unrenewed and nobody else's."""
    return connection.execute(CLAIM_IT, {**mine.parameters(), "life": CLAIM}).rowcount == 1


@dataclass(frozen=True, slots=True, repr=False)
class NewToken:
    """A token to be kept, encrypted."""

    account: bytes
    sealed: bytes
    seconds: float  #: until it is to be renewed
    doubted: bool  #: it takes a refused one's place
    basic_header: bool


def keep(connection: Connection, mine: Claim, token: NewToken) -> bool:
    """Keep a new token and end the claim; tell whether the claim still held, for else the token is of no use."""
    new = {
        "account": token.account,
        "sealed": token.sealed,
        "seconds": token.seconds,
        "doubt": DOUBT if token.doubted else 0,
        "basic_header": token.basic_header,
    }
    return connection.execute(KEEP, {**mine.parameters(), **new}).rowcount == 1


def forget(connection: Connection, mine: Claim) -> None:
    """Forget a token whose renewal was refused; the claim stays."""
    connection.execute(FORGET, mine.parameters())


def refuse(connection: Connection, mine: Claim, account: bytes, refusal: str, *, for_good: bool) -> None:
    """Note that the credentials were refused, so that nobody sends them again soon, or at all; end the claim."""
    rest = {"rest": REST, "longest": LONGEST_REST, "for_good": for_good}
    connection.execute(REFUSE, {**mine.parameters(), "account": account, "refusal": refusal, **rest})


def note_unclear(connection: Connection, mine: Claim, account: bytes) -> int:
    """Note an answer that refused without a reason, end the claim, and return how many runs in a row got one."""
    unclear: int | None = connection.execute(UNCLEAR, {**mine.parameters(), "account": account}).scalar_one_or_none()
    return unclear or 1


def note_opened(connection: Connection, tenant: str, number: int) -> None:
    """Note that the API took a token."""
    connection.execute(OPENED, {"tenant": tenant, "number": number})


def release(connection: Connection, mine: Claim) -> None:
    """End a claim that brought nothing."""
    connection.execute(RELEASE, mine.parameters())
