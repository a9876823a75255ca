"""Makes the text of a record safe for jsonb and removes secrets, or gives the reason why it cannot be stored."""

import json
import re
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any, NoReturn

import msgspec

from etl.errors import InvalidRecord
from etl.sensitive import MASK, is_never_staged, mask_secrets

#: The largest record that is stored, in bytes.
LARGEST = 10_000_000
#: The deepest nesting that is stored; JSON parsers have different limits.
DEEPEST = 200
#: From this size on, a record may hold numbers too long for PostgreSQL; shorter ones need an exponent for that.
_LONG = 4_000
#: The digits of PostgreSQL's numeric before and after the decimal point (its manual, 8.1.2).
_BEFORE_POINT, _BEHIND_POINT = 131_072, 16_383
#: The most digits of an integer that JSON parsers accept by default.
_DIGITS = 4_300

#: Parts of names and words that announce a secret, in a text without blanks and signs. Harmless texts may hold them.
_SUSPICIONS = (
    *(b"ssn", b"ss#", b"socsec", b"socialsec", b"taxid", b"taxpayer", b"taxn"),
    *(b"pass", b"pwd", b"cvv", b"cvc", b"cardsec", b"cardver"),
)
#: The one frequent name that holds such a part.
_HARMLESS = b"businessn"
#: Members of an object that name a fact, and those that hold it: a list of pairs keeps facts as values.
_NAMING = frozenset("name key label field fieldname question caption title property attribute description type".split())
_HOLDING = ("value", "val", "answer", "text", "response", "data", "content")

# Letters to lowercase, digits to 0: one search then finds every number with a long exponent.
_FOLD = bytes.maketrans(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ123456789", b"abcdefghijklmnopqrstuvwxyz000000000")
_EXPONENT = b"0e0000"
#: A tax id that the letters TIN announce; many words hold these letters, so digits must follow.
_ANNOUNCED_TIN = re.compile(rb"tin[^0\n]{0,32}0{9}")
#: Around and inside a key they hide no secret, nor does a sign of an exponent.
_SIGNS = b" \t\r\n_.+-"
_ESCAPED_LETTER = re.compile(rb"\\u00[4-7]")

# A NUL, or half of a surrogate pair: jsonb refuses both. An escaped backslash and a complete pair are skipped.
_UNSAFE = re.compile(
    rb"(\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})|\\u(?:0000|[dD][89a-fA-F][0-9a-fA-F]{2})"
)
_STRINGS = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)


def with_safe_escapes(text: bytes) -> tuple[bytes, int]:
    """Return a JSON text with U+FFFD in place of NUL and lone surrogates, which jsonb refuses, and their number."""
    if b"\\" not in text or b"\\u" not in text:
        return text, 0
    replaced = 0

    def safe(match: re.Match[bytes]) -> bytes:
        nonlocal replaced
        if match[1]:
            return match[1]
        replaced += 1
        return b"\\ufffd"

    return _UNSAFE.sub(safe, text), replaced


def suspicions(secrets: Iterable[str]) -> tuple[bytes, ...]:
    """Return the byte patterns of texts that may contain a secret: those always dropped and those of a resource."""
    return (
        *_SUSPICIONS,
        *(b'"' + name.lower().encode() + b'"' for name in secrets if not is_never_staged(name)),
    )


def is_plain(text: bytes, signs: tuple[bytes, ...]) -> bool:
    """Return whether a text certainly is UTF-8 without secrets and numbers out of range.

    A fast check of many records at once; False does not mean that anything is wrong.
    """
    if not text.isascii():
        try:
            text.decode()
        except UnicodeDecodeError:
            return False
    if b"\\" in text and _ESCAPED_LETTER.search(text):
        return False
    folded = text.translate(_FOLD, _SIGNS).replace(_HARMLESS, b"")
    return not any(sign in folded for sign in (_EXPONENT, *signs)) and not _ANNOUNCED_TIN.search(folded)


def is_slender(text: bytes) -> bool:
    """Return whether a text is too short and too flat to exceed the limits of depth and number length."""
    return len(text) <= _LONG and _brackets(text) <= DEEPEST


def are_slender(texts: list[bytes], together: bytes) -> bool:
    """Return whether all texts are certainly too short and too flat to exceed the limits; each has a bracket."""
    return max(map(len, texts), default=0) <= _LONG and _brackets(together) - len(texts) < DEEPEST


def _brackets(text: bytes) -> int:
    """Return how many brackets a text opens: an upper bound of its nesting."""
    return text.count(b"{") + text.count(b"[")


def clean_json_reference(text: bytes, secrets: tuple[str, ...]) -> tuple[bytes, bool]:
    """Return a record's text without secrets, and whether it had a duplicate key (the last one counts).

    Raises InvalidRecord if PostgreSQL cannot store it. Numbers keep every digit.
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
        raise InvalidRecord("is not JSON") from None
    return (msgspec.json.encode(value) if reading.dropped else text), reading.twice


class _Reading:
    """One record while it is parsed: what was removed and what was duplicate."""

    def __init__(self, secrets: frozenset[str]) -> None:
        self.secrets = secrets
        self.dropped = False
        self.twice = False

    def keep(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        """Return an object without its secrets: fields, values of pairs that a field names, numbers in free text."""
        names_secret = any(
            key.casefold() in _NAMING and isinstance(value, str) and is_never_staged(value) for key, value in pairs
        )
        kept = {
            key: self.masked(value)
            for key, value in pairs
            if not is_secret(key, self.secrets) and not (names_secret and key.casefold().endswith(_HOLDING))
        }
        keys = {key for key, _ in pairs}
        self.dropped |= len(kept) < len(keys)
        self.twice |= len(keys) < len(pairs)
        return kept

    def masked(self, value: Any) -> Any:
        """Return a text or a list without the secrets that its words announce; objects are clean already."""
        if isinstance(value, str):
            text = mask_secrets(value)
            self.dropped |= text != value
            return text
        if not isinstance(value, list):
            return value
        if len(value) == len(("name", "value")) and isinstance(value[0], str) and is_never_staged(value[0]):
            self.dropped = True
            return [value[0], MASK]
        return [self.masked(member) for member in value]


def is_secret(key: str, secrets: frozenset[str]) -> bool:
    """Return whether a key never reaches staging; `secrets` adds those of one resource, in lowercase."""
    return key.strip().casefold() in secrets or is_never_staged(key)


@cache
def _folded(secrets: tuple[str, ...]) -> frozenset[str]:
    """Return the names in lowercase."""
    return frozenset(name.casefold() for name in secrets)


def _number(digits: str) -> msgspec.Raw:
    """Return a number as written, if PostgreSQL's numeric can store it."""
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
    """Return an integer as written, if it is not too long."""
    if len(digits) > _DIGITS:
        raise InvalidRecord(f"holds a whole number of more than {_DIGITS:,} digits")
    return msgspec.Raw(digits.encode())


def _no_number(word: str) -> NoReturn:
    """Refuse the words that Python accepts although they are not JSON."""
    raise InvalidRecord(f"holds {word}, which is not a number")


def _depth(text: bytes) -> int:
    """Return the nesting depth of a text's brackets."""
    deepest = depth = 0
    for byte in _STRINGS.sub(b"", text):
        if byte in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif byte in b"]}":
            depth -= 1
    return deepest
