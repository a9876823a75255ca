"""What jsonb can hold: the text of a record made safe for it, secrets removed, or the reason why it cannot be kept."""

import json
import re
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any, NoReturn

import msgspec

from etl.errors import InvalidRecord

#: The largest record that is kept, in bytes.
LARGEST = 10_000_000
#: The deepest nesting that is kept; readers of JSON give up at some depth, each at its own.
DEEPEST = 200
#: From this size on, a record may hold numbers too long for PostgreSQL; shorter ones need an exponent for that.
_LONG = 4_000
#: The digits that PostgreSQL's numeric holds before and behind the point (its manual, 8.1.2).
_BEFORE_POINT, _BEHIND_POINT = 131_072, 16_383
#: The most digits of a whole number that readers of JSON take without being told to.
_DIGITS = 4_300

#: Keys that never reach staging, wherever they stand, in small letters.
ALWAYS_DROPPED = frozenset(
    {
        "ssn",
        "ssnumber",
        "socialsecurity",
        "socialsecurityno",
        "socialsecuritynumber",
        "password",
        "userpassword",
        "portalpassword",
    }
)

_SUSPICIONS = (b'"ssn', b'ssn"', b"socialsec", b'password"')

# Letters to small ones, digits and signs to 0: one search then finds every number with a long exponent.
_FOLD = bytes.maketrans(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZ123456789+-",
    b"abcdefghijklmnopqrstuvwxyz00000000000",
)
_EXPONENT = b"0e0000"
_BLANK = b" \t\r\n"
_ESCAPED_LETTER = re.compile(rb"\\u00[4-7]")

# A NUL, or half of a surrogate pair: jsonb refuses both. An escaped back-slash and a whole pair are stepped over.
_UNSAFE = re.compile(
    rb"(\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})|\\u(?:0000|[dD][89a-fA-F][0-9a-fA-F]{2})"
)
_STRINGS = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)


def with_safe_escapes(text: bytes) -> tuple[bytes, int]:
    """Return a JSON text with U+FFFD for what jsonb refuses in strings (NUL, lone surrogates), and their number."""
    if b"\\" not in text or b"\\u" not in text:
        return text, 0
    mended = 0

    def safe(match: re.Match[bytes]) -> bytes:
        nonlocal mended
        if match[1]:
            return match[1]
        mended += 1
        return b"\\ufffd"

    return _UNSAFE.sub(safe, text), mended


def suspicions(secrets: Iterable[str]) -> tuple[bytes, ...]:
    """Return what to look for to find texts that may hold a secret: the always dropped ones and those of a resource."""
    return (
        *_SUSPICIONS,
        *(b'"' + name.lower().encode() + b'"' for name in secrets if name.lower() not in ALWAYS_DROPPED),
    )


def is_plain(text: bytes, signs: tuple[bytes, ...]) -> bool:
    """Tell whether a text surely holds no secret, no number out of range and nothing but UTF-8.

    A quick look, for many records at once; false does not mean that anything is wrong.
    """
    if not text.isascii():
        try:
            text.decode()
        except UnicodeDecodeError:
            return False
    if b"\\" in text and _ESCAPED_LETTER.search(text):
        return False
    folded = text.translate(_FOLD, _BLANK)  # white space around a key hides no secret
    return not any(sign in folded for sign in (_EXPONENT, *signs))


def is_slender(text: bytes) -> bool:
    """Tell whether a text is too short and too flat for the limits of depth and length of numbers."""
    return len(text) <= _LONG and _brackets(text) <= DEEPEST


def are_slender(texts: list[bytes], together: bytes) -> bool:
    """Tell whether surely all of some texts are too short and too flat for the limits; each has a bracket at least."""
    return max(map(len, texts), default=0) <= _LONG and _brackets(together) - len(texts) < DEEPEST


def _brackets(text: bytes) -> int:
    """Return how many brackets open in a text: it is nested no deeper."""
    return text.count(b"{") + text.count(b"[")


def careful(text: bytes, secrets: tuple[str, ...]) -> tuple[bytes, bool]:
    """Return a record's text without secrets, and whether a key stood in it twice (the last one counts).

    Raises InvalidRecord when PostgreSQL could not hold it. Numbers keep every digit.
    """
    if len(text) > LARGEST:
        raise InvalidRecord(f"is larger than {LARGEST:,} bytes")
    if _brackets(text) > DEEPEST and _depth(text) > DEEPEST:
        raise InvalidRecord(f"is nested deeper than {DEEPEST} levels")
    reading = _Reading(_folded(secrets))
    try:
        value = json.loads(
            text.decode(),
            object_pairs_hook=reading.keep,
            parse_float=_number,
            parse_int=_whole_number,
            parse_constant=_no_number,
        )
    except UnicodeDecodeError:
        raise InvalidRecord("holds bytes that are not UTF-8") from None
    except (ValueError, RecursionError):
        raise InvalidRecord("is no JSON") from None
    return (msgspec.json.encode(value) if reading.dropped else text), reading.twice


class _Reading:
    """One record while it is read: what was left out and what came twice."""

    def __init__(self, secrets: frozenset[str]) -> None:
        self.secrets = secrets
        self.dropped = False
        self.twice = False

    def keep(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        """Return an object without its secrets."""
        kept = {key: value for key, value in pairs if not is_secret(key, self.secrets)}
        secret = sum(is_secret(key, self.secrets) for key, _ in pairs)
        self.dropped |= secret > 0
        self.twice |= len(kept) + secret < len(pairs)
        return kept


def is_secret(key: str, secrets: frozenset[str]) -> bool:
    """Tell whether a key names what never reaches staging; `secrets` adds those of one resource, in small letters."""
    folded = key.strip().casefold()
    return (
        folded in ALWAYS_DROPPED
        or folded in secrets
        or folded.startswith("ssn")
        or folded.endswith("ssn")
        or "socialsecurity" in folded
    )


@cache
def _folded(secrets: tuple[str, ...]) -> frozenset[str]:
    """Return the names in small letters."""
    return frozenset(name.casefold() for name in secrets)


def _number(digits: str) -> msgspec.Raw:
    """Return a number as it is written, when PostgreSQL's numeric can hold it."""
    if len(digits) > _LONG or "e" in digits or "E" in digits:
        try:
            number = Decimal(digits)
        except InvalidOperation:
            raise InvalidRecord("holds a number out of range") from None
        exponent = number.as_tuple().exponent
        if number.adjusted() >= _BEFORE_POINT or not isinstance(exponent, int) or exponent < -_BEHIND_POINT:
            raise InvalidRecord("holds a number out of range")
    return msgspec.Raw(digits.encode())


def _whole_number(digits: str) -> msgspec.Raw:
    """Return a whole number as it is written, when it is not absurdly long."""
    if len(digits) > _DIGITS:
        raise InvalidRecord(f"holds a whole number of more than {_DIGITS:,} digits")
    return msgspec.Raw(digits.encode())


def _no_number(word: str) -> NoReturn:
    """Refuse the words that are no JSON, though Python reads them."""
    raise InvalidRecord(f"holds {word}, which is no number")


def _depth(text: bytes) -> int:
    """Return how deep the brackets of a text are nested."""
    deepest = depth = 0
    for byte in _STRINGS.sub(b"", text):
        if byte in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif byte in b"]}":
            depth -= 1
    return deepest
