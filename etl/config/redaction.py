"""Log redaction: secrets, personal data in other programs' messages, and control characters."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from etl.sensitive import SEPARATOR, SSN, is_never_logged, mask_secrets

HIDDEN = "[redacted]"
#: The maximum length of a value, and of a traceback.
MAX_LENGTH, MAX_TRACEBACK_LENGTH = 2_000, 16_000
#: How many characters of a text are searched.
_MAX_SEARCHED = 100_000
_MIN_SECRET_LENGTH = 4
_MAX_DEPTH = 6

# The end of quoted data in the text of a database error: where the text of SQLAlchemy or Python continues.
_END_OF_QUOTE = r"(?=\n\[SQL:|\n\(Background|\n\nThe above exception|\n\nDuring handling|\nTraceback \(most|\Z)"
_MONTH = r"(?:jan|feb|mar|apr|may|june?|july?|aug|sept?|oct|nov|dec)[a-z]{0,6}\.?"
_DAY = r"(?:\d{1,2}(?:st|nd|rd|th)?|[a-z-]{0,8}(?:first|second|third|th))"
_BETWEEN = r"(?:[ ,./-]{0,3}(?:(?:of|in) )?)"
_DATE_IN_WORDS = (
    r"(?:(?:on |the |[a-z]{3,6}day,? ){0,3}"
    rf"(?:\d{{4}}{_BETWEEN}{_MONTH}{_BETWEEN}{_DAY}|(?:{_DAY}{_BETWEEN}{_MONTH}|{_MONTH}{_BETWEEN}{_DAY})(?:{_BETWEEN}\d{{2,4}})?"
    rf"|{_MONTH}{_BETWEEN}\d{{4}}))(?![a-z0-9])"
)
_DATE = rf"(?:{_DATE_IN_WORDS}|\d{{1,4}}[-/.]\d{{1,2}}[-/.]\d{{1,4}}|\d{{6}}(?:\d\d)?(?!\d))"
#: The groups of an international bank account number (ISO 13616), or of another number that letters may precede.
_GAP = rf"(?:{SEPARATOR}|/){{0,3}}"
_IBAN = r"(?-i:[A-Z]{2}\d{2}(?:[ -]?[A-Z0-9]{1,4}){3,8})(?![a-z0-9])"
_LETTERS = rf"(?:[A-Z]{{1,4}}{_GAP})?"
#: What separates a name from its value.
_SIGN = re.compile(r"\\*[\"']?\s{0,9}[=:]\s{0,9}")
#: A name has up to four words and as many characters.
_MAX_WORDS, _MAX_NAME = 4, 120
_BEFORE_NAME = re.compile(r"[^\w.#' -]")
_NUMBER_WORDS = frozenset({"no", "no.", "num", "nbr", "number", "#", "id"})
#: A value: in quotes, which a text inside a text escapes; a date with the month spelled out; digits in groups; else a
#: word.
_VALUE = re.compile(
    rf"(\\*)([\"'])(?:(?!(?<!\\)\1\2)[^\n])*\1\2|{_DATE_IN_WORDS}|{_IBAN}|{_LETTERS}\d(?:{_GAP}\d){{3,33}}|(?!\[redacted\])[^\s,;&)}}\]]+",
    re.IGNORECASE,
)
_OF_SESSIONS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(rf"\b(DETAIL|CONTEXT):.*?{_END_OF_QUOTE}", re.DOTALL), rf"\1: {HIDDEN}"),
    (re.compile(rf"\[parameters: .*?{_END_OF_QUOTE}", re.DOTALL), f"[parameters: {HIDDEN}]"),
    (
        re.compile(r"((?:invalid input|out of range|invalid byte|could not convert)[^\n\"']{0,80}: ?)[\"'].*"),
        rf"\1{HIDDEN}",
    ),
    (re.compile(r"\b((?:set-)?cookie2?\\*[\"']?\s*[:=]\s*)[^\n]+", re.IGNORECASE), rf"\1{HIDDEN}"),
    (re.compile(r"\b(Digest)\s+\w+\s*=[^\n]+", re.IGNORECASE), rf"\1 {HIDDEN}"),
    (re.compile(r"\b(bearer)\s+(?!\[redacted\])[^\s\"',\\]+", re.IGNORECASE), rf"\1 {HIDDEN}"),
    (re.compile(r"\b(Basic)\s+(?=[A-Za-z0-9+/=]*[A-Z0-9+/=])[A-Za-z0-9+/=]{4,}"), rf"\1 {HIDDEN}"),
    (
        re.compile(
            r"\b(authorization\\*[\"']?\s*[:=]\s*\\*[\"']?)(?:[a-z]+\s+)?(?!\[redacted\])[^\s\"',\\]+", re.IGNORECASE
        ),
        rf"\1{HIDDEN}",
    ),
    (re.compile(r"\beyJ[\w-]{4,}\.[\w-]{2,}(?:\.[\w-]*){0,3}"), HIDDEN),
    (re.compile(r"\b([a-z][a-z0-9+.-]{0,40}://)[^\s\"'<>/?#]*@", re.IGNORECASE), rf"\1{HIDDEN}@"),
)
_OF_PEOPLE: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        re.compile(rf"\b((?:born|birth(?:day|date)?|d\.?o\.?b\.?)[^\d\n]{{0,12}}?){_DATE}", re.IGNORECASE),
        rf"\1{HIDDEN}",
    ),
    (re.compile(r"\b((?:(?:cvv|cvc)2?|security code)\W{1,4})\d{3,4}\b", re.IGNORECASE), rf"\1{HIDDEN}"),
    (
        re.compile(
            r"\b((?:acc(?:oun)?t|routing|aba|iban|card|f?ein|tin|licen[cs]e|dl)"
            r"(?:[ #.:-]{1,3}(?:no|num|number|nr|is|of|was|ending|in)\b){0,3}[ #.:-]{1,4})"
            rf"(?:{_IBAN}|{_LETTERS}\d(?:{_GAP}\d){{4,33}})",
            re.IGNORECASE,
        ),
        rf"\1{HIDDEN}",
    ),
    (SSN, HIDDEN),
    (re.compile(r"[A-Za-z0-9._%+'-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})+"), "[e-mail]"),
)
_CARD_PREFIX = r"(?:[3-6]\d|2[2-7])"  #: Mastercard's numbers begin with 2 also.
#: A number in any groups, or in four groups of four digits.
_CARD = re.compile(
    rf"(?<![\w.-]){_CARD_PREFIX}(?:(?:[ -]?\d){{11,17}}|\d\d(?:{SEPARATOR}{{1,3}}\d{{4}}){{3}})(?![\w-])"
)
# Control characters, line and paragraph separators, zero-width and bidirectional marks, lone surrogates.
_UNPRINTABLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff]"
)

_secrets: set[str] = set()


def hide_secrets(*secrets: str) -> None:
    """Redact these texts in every log from now on, both as they are and as they appear in a URL."""
    for secret in secrets:
        if len(secret) >= _MIN_SECRET_LENGTH:
            _secrets.update((secret, quote(secret, safe=""), quote(secret)))


def redact_text(text: str, max_length: int = MAX_LENGTH) -> str:
    """Return a text without secrets and personal data, at most `max_length` characters long."""
    if len(text) > _MAX_SEARCHED:
        text = f"{text[: _MAX_SEARCHED // 2]} ... {text[-_MAX_SEARCHED // 2 :]}"
    for secret in sorted(_secrets, key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    for pattern, replacement in _OF_SESSIONS:
        text = pattern.sub(replacement, text)
    text = mask_secrets(_redact_pairs(text), HIDDEN)
    for pattern, replacement in _OF_PEOPLE:
        text = pattern.sub(replacement, text)
    text = _CARD.sub(_redact_card, text)
    return text if len(text) <= max_length else f"{text[: max_length // 2]} ... {text[-max_length // 2 :]}"


def _redact_pairs(text: str) -> str:
    """Return a text without the values whose names say that they are secret."""
    parts: list[str] = []
    end = 0
    while (sign := _SIGN.search(text, end)) is not None:
        name = _BEFORE_NAME.split(text[max(end, sign.start() - _MAX_NAME) : sign.start()])[-1]
        value = _VALUE.match(text, sign.end()) if _is_secret(name.split()[-_MAX_WORDS:]) else None
        parts.append(text[end : sign.end()])
        end = sign.end()
        if value is not None:
            parts.append(HIDDEN)
            end = value.end()
    return "".join((*parts, text[end:]))


def _is_secret(words: list[str]) -> bool:
    """Return whether the last words of a name are a secret's: "tax id", but not "credentials refused"."""
    if not words or is_never_logged(words[-1]):
        return bool(words)
    return any(
        is_never_logged(" ".join(words[start:]))
        and (words[-1].lower() in _NUMBER_WORDS or not is_never_logged(" ".join(words[start:-1])))
        for start in range(len(words) - 1)
    )


def _redact_card(number: re.Match[str]) -> str:
    """Return the text of a number, hidden if its check digit is that of a card (ISO/IEC 7812-1, annex B)."""
    digits = [int(character) for character in reversed(number[0]) if character.isdigit()]
    doubled = (sum(divmod(2 * digit, 10)) for digit in digits[1::2])
    return HIDDEN if (sum(digits[::2]) + sum(doubled)) % 10 == 0 else number[0]


def escape_control_characters(text: str) -> str:
    """Return a text in which control characters, line breaks and invisible characters are escaped."""
    return _UNPRINTABLE.sub(lambda match: match[0].encode("unicode_escape").decode("ascii"), text)


def redact_event(event: Mapping[str, Any]) -> dict[str, Any]:
    """Return a log event with every value redacted; values with a sensitive name are removed completely."""
    return {
        escape_control_characters(redact_text(str(key), 100)): redact_value(
            key, value, MAX_TRACEBACK_LENGTH if key == "exception" else MAX_LENGTH
        )
        for key, value in event.items()
    }


def redact_value(name: object, value: Any, max_length: int = MAX_LENGTH, depth: int = 0) -> Any:
    """Return a value for the log: numbers unchanged, containers recursively redacted, all else as redacted text."""
    if value is None or isinstance(value, bool | int | float):
        return HIDDEN if is_never_logged(str(name)) and not isinstance(value, bool) and value is not None else value
    if is_never_logged(str(name)):
        return HIDDEN
    if isinstance(value, Mapping) and depth < _MAX_DEPTH:
        return {
            redact_text(str(key), 100): redact_value(key, item, max_length, depth + 1) for key, item in value.items()
        }
    if isinstance(value, list | tuple | set | frozenset) and depth < _MAX_DEPTH:
        return [redact_value(name, item, max_length, depth + 1) for item in value]
    return redact_text(value if isinstance(value, str) else str(value), max_length)
