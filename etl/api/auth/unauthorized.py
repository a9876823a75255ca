"""What a 401 means and how to react, as tables. Pure."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum, auto
from typing import Any

import msgspec

from etl.api.protocol.answers import is_html

#: How much of an answer is searched for the vendor's sentence, and how much is shown.
_READ, _SHOWN = 20_000, 300
#: Fields in which the API, the token address and the older service explain an error.
_FIELDS = ("error_description", "message", "errormessage", "displaymessage", "messagedetail", "error")
#: Windows for which calls hold all workers before a 401 counts as a refusal.
HOLDS = 2
#: The same for an endpoint that has answered in this run: there, several 401s in a row are most likely the call limit.
HOLDS_OF_OPEN_ENDPOINT = 15
#: Windows for which a call waits by itself before its endpoint counts as closed while calls may meet the call limit:
#: there, a 401 of the limit between two accepted calls is nothing rare, and four in a row are.
WAITS = 3
_HEADER = "QQ-Error-Message"
_LIMIT = re.compile(
    r"\bmaximum\b[^.]{0,60}\brequests?\b|\brequests?\s+per\s+(?:second|minute|hour|day)\b", re.IGNORECASE
)
#: A word in small letters, a short number, or a term of sign-in; and a word at the start of a sentence.
_ORDINARY = re.compile(
    r"[\"'(]?(?:[a-z][a-z'_/-]{0,19}|[0-9]{1,3}|API|ID|IP|URL|OAuth|QQ|QQCatalyst|Vertafore|Seconds?|Minutes?|Hours?|Days?)"
    r"[\"').,;:!?]{0,3}"
)
_CAPITALIZED = re.compile(r"[\"'(]?[A-Z][a-z']{0,19}[\"').,;:!?]{0,3}")
_TAGS = re.compile(r"<(script|style|title)\b.*?</\1>|<[^>]*>", re.IGNORECASE | re.DOTALL)


def vendor_sentence(headers: Mapping[str, str], body: bytes) -> str:
    """Return the vendor's explanation of an answer on one line, or an empty text.

    It may quote the request or a record, so every word that may be a name, a number or a secret is masked.
    """
    text = headers.get(_HEADER, "") or _from_body(headers, body[:_READ])
    words = text[:_READ].split()
    starts = (True, *(word.endswith((".", "!", "?", ":")) for word in words))
    return " ".join(
        word if _ORDINARY.fullmatch(word) or (is_start and _CAPITALIZED.fullmatch(word)) else "***"
        for word, is_start in zip(words, starts, strict=False)
    )[:_SHOWN]


def _from_body(headers: Mapping[str, str], body: bytes) -> str:
    """Return the explanation in a body: a JSON field, plain text, or a web page without its tags."""
    text = body.decode("utf-8", "replace").removeprefix("\ufeff").strip()
    if is_html(headers, body):
        return _TAGS.sub(" ", text)
    try:
        answer: Any = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return text
    if isinstance(answer, str):
        return answer
    fields = {name.lower(): value for name, value in answer.items()} if isinstance(answer, dict) else {}
    return next((value for name in _FIELDS if isinstance(value := fields.get(name), str) and value.strip()), "")


def is_call_limit(headers: Mapping[str, str], body: bytes) -> bool:
    """Return whether a 401 names a maximum of requests, so that it means the call limit."""
    return any(_LIMIT.search(text) for text in (headers.get(_HEADER, ""), _from_body(headers, body[:_READ])))


def is_invalid_token(headers: Mapping[str, str], body: bytes) -> bool:
    """Return whether an answer says explicitly that the token is invalid (RFC 6750, 3.1)."""
    return "invalid_token" in headers.get("WWW-Authenticate", "") or b"invalid_token" in body[:_READ]


class AuthAction(StrEnum):
    """What to do after a 401 that does not name the call limit."""

    RENEW = auto()  #: get a newer token, once for all workers, and repeat the call at once
    WAIT_ALONE = auto()  #: this call waits for one window; nobody else does
    CLOSED = auto()  #: the endpoint is not open to this account
    HOLD = auto()  #: perhaps the call limit: hold all workers for one window, then repeat with the same token
    REFUSED = auto()  #: the credentials are refused


@dataclass(frozen=True, slots=True)
class UnauthorizedFacts:
    """The facts on which the meaning of a 401 depends."""

    expired: bool = False  #: the token's life is over, or the answer says `invalid_token`
    works_elsewhere: bool = False  #: another call with the same token succeeded afterwards
    worked_since: bool = False  #: a call with the same token succeeded after this call's previous 401
    answered_before: bool = False  #: the endpoint has answered in this run
    waits: int = 0  #: windows for which this call has waited while others went on
    is_limit_unlikely: bool = False  #: the account makes few calls, and none was refused recently
    renewed: bool = False  #: this call has had the token renewed
    holds: int = 0  #: windows for which this call has held all workers
    vain_holds: int = 0  #: windows for which any call held all workers before this one, since the token was accepted
    can_renew: bool = True  #: False for a copied token and the enterprise key
    is_new: bool = False  #: the token replaced a refused one, and was never accepted
    was_accepted_recently: bool = False  #: a token of these credentials was accepted in this run or in the last hour
    was_ever_accepted: bool = False


def is_closed(facts: UnauthorizedFacts) -> bool:
    """Return whether only this endpoint refuses the token: an endpoint that has answered in this run counts as open."""
    if facts.answered_before:
        return facts.holds >= HOLDS_OF_OPEN_ENDPOINT
    return facts.holds >= HOLDS or facts.waits >= (1 if facts.is_limit_unlikely else WAITS)


#: The first rule that applies decides.
STEPS: tuple[tuple[Callable[[UnauthorizedFacts], bool], AuthAction], ...] = (
    (lambda facts: facts.expired and not facts.can_renew, AuthAction.REFUSED),
    (lambda facts: facts.expired and not facts.renewed and not facts.is_new, AuthAction.RENEW),
    (lambda facts: facts.works_elsewhere and is_closed(facts), AuthAction.CLOSED),
    (lambda facts: facts.works_elsewhere and not facts.answered_before, AuthAction.WAIT_ALONE),
    (lambda facts: facts.works_elsewhere or not facts.vain_holds, AuthAction.HOLD),
    # The token is valid; the limit refused this call again.
    (lambda facts: facts.worked_since, AuthAction.HOLD),
    (lambda facts: not facts.can_renew, AuthAction.REFUSED),
    (lambda facts: facts.was_ever_accepted and not facts.is_new, AuthAction.RENEW),
    # After 15 windows the limiter ends the run, resumable.
    (lambda facts: facts.was_accepted_recently, AuthAction.HOLD),
    (lambda facts: facts.vain_holds >= HOLDS, AuthAction.REFUSED),
    (lambda _: True, AuthAction.HOLD),
)


def next_step(facts: UnauthorizedFacts) -> AuthAction:
    """Return what to do after a 401."""
    return next(step for applies, step in STEPS if applies(facts))


def needs_another_answer(facts: UnauthorizedFacts) -> bool:
    """Return whether it matters if another call succeeds with the same token: only then is a ping worth a call."""
    return next_step(facts) is not next_step(replace(facts, works_elsewhere=True))
