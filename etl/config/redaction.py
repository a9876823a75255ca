"""What never reaches a log: secrets, what looks like one, personal data in the words of others, control characters."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

HIDDEN = "[redacted]"
#: The longest text of one value, and of a traceback.
LONGEST, LONGEST_TRACE = 2_000, 16_000
#: The most of a text that is searched.
_READ = 100_000
_SHORTEST_SECRET = 4
_DEEPEST = 6

_NAMES = (
    r"[\w.-]*(?:passw(?:or)?d|pwd|secret|token|api[_-]?key|authorization|credential|ssn|social_?security"
    r"|licen[cs]e_?n(?:o|umber)|date_?of_?birth|birth_?date|dob|account_?number)[\w.-]*"
)
_SENSITIVE = re.compile(_NAMES, re.IGNORECASE)
# Where the text of a database error quotes data: up to where SQLAlchemy or Python go on with their own words.
_GOES_ON = r"(?=\n\[SQL:|\n\(Background|\n\nThe above exception|\n\nDuring handling|\nTraceback \(most|\Z)"
_RULES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(rf"\b(DETAIL|CONTEXT):.*?{_GOES_ON}", re.DOTALL), rf"\1: {HIDDEN}"),
    (re.compile(rf"\[parameters: .*?{_GOES_ON}", re.DOTALL), f"[parameters: {HIDDEN}]"),
    (
        re.compile(r"((?:invalid input|out of range|invalid byte|could not convert)[^\n\"']{0,80}: ?)[\"'].*"),
        rf"\1{HIDDEN}",
    ),
    (re.compile(r"\b(authorization[\"']?\s*[:=]\s*[\"']?)(?:[a-z]+\s+)?[^\s\"',]+", re.IGNORECASE), rf"\1{HIDDEN}"),
    (re.compile(r"\b(bearer)\s+[^\s\"',]+", re.IGNORECASE), rf"\1 {HIDDEN}"),
    (re.compile(r"\b(Basic)\s+(?=[A-Za-z0-9+/=]*[A-Z0-9+/=])[A-Za-z0-9+/=]{4,}"), rf"\1 {HIDDEN}"),
    (re.compile(r"\b([a-z][a-z0-9+.-]*://)[^\s\"'<>/?#]*@", re.IGNORECASE), rf"\1{HIDDEN}@"),
    (
        re.compile(rf"\b({_NAMES}[\"']?\s*[=:]\s*)(\"[^\"]*\"|'[^']*'|[^\s,;&)}}\]]+)", re.IGNORECASE),
        rf"\1{HIDDEN}",
    ),
    (re.compile(r"(?<![\d-])\d{3}([- ])\d{2}\1\d{4}(?![\d-])"), HIDDEN),
    (re.compile(r"[A-Za-z0-9._%+'-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})+"), "[e-mail]"),
)
# Control characters, line and paragraph separators, zero-width and bidirectional marks, lone surrogates.
_UNPRINTABLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff]"
)

_concealed: set[str] = set()


def conceal(*secrets: str) -> None:
    """Have these texts hidden in every log from now on, as they are and as they stand in an address."""
    for secret in secrets:
        if len(secret) >= _SHORTEST_SECRET:
            _concealed.update((secret, quote(secret, safe=""), quote(secret)))


def redacted(text: str, longest: int = LONGEST) -> str:
    """Return a text without secrets and personal data, and no longer than `longest` characters."""
    if len(text) > _READ:
        text = f"{text[: _READ // 2]} ... {text[-_READ // 2 :]}"
    for secret in sorted(_concealed, key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    for pattern, words in _RULES:
        text = pattern.sub(words, text)
    return text if len(text) <= longest else f"{text[: longest // 2]} ... {text[-longest // 2 :]}"


def on_one_line(text: str) -> str:
    """Return a text with everything that moves the cursor, breaks the line or hides other text written as an escape."""
    return _UNPRINTABLE.sub(lambda match: match[0].encode("unicode_escape").decode("ascii"), text)


def redacted_event(event: Mapping[str, Any]) -> dict[str, Any]:
    """Return a log event with every value redacted; values under a telling name are left out whole."""
    return {
        on_one_line(redacted(str(key), 100)): redacted_value(
            key, value, LONGEST_TRACE if key == "exception" else LONGEST
        )
        for key, value in event.items()
    }


def redacted_value(name: object, value: Any, longest: int = LONGEST, depth: int = 0) -> Any:
    """Return a value fit for the log: numbers as they are, containers walked through, all else as redacted text."""
    if value is None or isinstance(value, bool | int | float):
        return (
            HIDDEN if _SENSITIVE.fullmatch(str(name)) and not isinstance(value, bool) and value is not None else value
        )
    if _SENSITIVE.fullmatch(str(name)):
        return HIDDEN
    if isinstance(value, Mapping) and depth < _DEEPEST:
        return {redacted(str(key), 100): redacted_value(key, one, longest, depth + 1) for key, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset) and depth < _DEEPEST:
        return [redacted_value(name, one, longest, depth + 1) for one in value]
    return redacted(value if isinstance(value, str) else str(value), longest)
