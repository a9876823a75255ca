"""Log redaction: secrets, personal data in other programs' messages, and control characters."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

HIDDEN = "[redacted]"
#: The maximum length of a value, and of a traceback.
MAX_LENGTH, MAX_TRACEBACK_LENGTH = 2_000, 16_000
#: How many characters of a text are searched.
_MAX_SEARCHED = 100_000
_MIN_SECRET_LENGTH = 4
_MAX_DEPTH = 6

_NAMES = (
    r"[\w.-]*(?:passw(?:or)?d|pwd|secret|token|api[_-]?key|authorization|credential|ssn|social_?security"
    r"|licen[cs]e_?n(?:o|umber)|date_?of_?birth|birth_?date|dob|account_?number)[\w.-]*"
)
_SENSITIVE = re.compile(_NAMES, re.IGNORECASE)
# The end of quoted data in the text of a database error: where the text of SQLAlchemy or Python continues.
_END_OF_QUOTE = r"(?=\n\[SQL:|\n\(Background|\n\nThe above exception|\n\nDuring handling|\nTraceback \(most|\Z)"
_RULES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(rf"\b(DETAIL|CONTEXT):.*?{_END_OF_QUOTE}", re.DOTALL), rf"\1: {HIDDEN}"),
    (re.compile(rf"\[parameters: .*?{_END_OF_QUOTE}", re.DOTALL), f"[parameters: {HIDDEN}]"),
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
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return text if len(text) <= max_length else f"{text[: max_length // 2]} ... {text[-max_length // 2 :]}"


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
        return (
            HIDDEN if _SENSITIVE.fullmatch(str(name)) and not isinstance(value, bool) and value is not None else value
        )
    if _SENSITIVE.fullmatch(str(name)):
        return HIDDEN
    if isinstance(value, Mapping) and depth < _MAX_DEPTH:
        return {
            redact_text(str(key), 100): redact_value(key, item, max_length, depth + 1) for key, item in value.items()
        }
    if isinstance(value, list | tuple | set | frozenset) and depth < _MAX_DEPTH:
        return [redact_value(name, item, max_length, depth + 1) for item in value]
    return redact_text(value if isinstance(value, str) else str(value), max_length)
