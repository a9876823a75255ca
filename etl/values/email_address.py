"""Email addresses: the rules of email-validator, with a fast path for plain addresses."""

import re
from dataclasses import dataclass
from typing import Any, ClassVar

from email_validator import EmailNotValidError, validate_email
from email_validator.rfc_constants import CASE_INSENSITIVE_MAILBOX_NAMES

from etl.values.base import Kind, Severity, Violation
from etl.values.text import clean_word

#: Addresses that the library accepts and changes only by lowering the domain. Left to the library: labels with `--`
#: (punycode and reserved forms), special-use domains, and addresses that are long or not ASCII. Without possessive
#: quantifiers: nested ones never match on early patch levels of Python 3.11, such as 3.11.2.
_PLAIN = re.compile(
    r"([A-Za-z0-9_+%'&-]+(?:\.[A-Za-z0-9_+%'&-]+)*)@"
    r"((?:[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*\.)+(?!(?i:test|invalid|local|localhost|arpa|onion)$)[A-Za-z]{2,24})",
    re.ASCII,
)
_PLAIN_LENGTH = 63  # a label's limit, the shortest limit of any part
_SHARED_MAILBOXES = frozenset(CASE_INSENSITIVE_MAILBOX_NAMES)
_LONGEST = 320
#: An address inside a display name or a link.
_WRAPPED = re.compile(r"(?:mailto:|[^<>@]*<)([^<>\s]+@[^<>\s]+?)>?", re.IGNORECASE)
_SEVERAL = re.compile(r"@[^@]*[\s,;/|][^@]*@")


@dataclass(frozen=True)
class Email(Kind):
    """An email address as its standards spell it: the domain in lower case, the mailbox as given.

    Whether the domain exists is not checked: cleaning opens no connection.
    """

    name: ClassVar[str] = "email"
    noun: ClassVar[str] = "an email address"
    accepts: ClassVar[tuple[tuple[Any, Any], ...]] = (
        ("dana@example.com", "dana@example.com"),
        (" Dana.Rivera@EXAMPLE.com ", "Dana.Rivera@example.com"),
        ("d'arcy+home@mail.example.co.uk", "d'arcy+home@mail.example.co.uk"),
        ("INFO@Example.com", "info@example.com"),
        ("jos\u00e9@example.com", "jos\u00e9@example.com"),
        ("a@b\u00fccher.example", "a@b\u00fccher.example"),
        ("a@xn--bcher-kva.example", "a@b\u00fccher.example"),
        (None, None),
        ("", None),
        ("N/A", None),
        ("none", None),
    )
    rejects: ClassVar[tuple[tuple[Any, str], ...]] = (
        ("dana", "email-no-at"),
        ("k.ito\ud83c@bayside.net", "email-damaged"),
        ("k.ito\x00@bayside.net", "email-damaged"),
        ("dana@", "email-no-domain"),
        ("@example.com", "email-no-mailbox"),
        ("dana@example", "email-domain"),
        ("dana@exam ple.com", "email-domain"),
        ("dana@example..com", "email-domain"),
        ("dana@example.com.", "email-domain"),
        ("dana@[127.0.0.1]", "email-domain"),
        ("dana@ab--c.com", "email-domain"),
        ("dana@agency.local", "email-domain"),
        ("dana@mail.test", "email-domain"),
        ("da..na@example.com", "email-mailbox"),
        ("da na@example.com", "email-mailbox"),
        ('"dana rivera"@example.com', "email-mailbox"),
        ("dana@example.com; lee@example.com", "email-several"),
        ("mailto:dana@example.com", "email-wrapped"),
        ("Dana Rivera <dana@example.com>", "email-wrapped"),
        ("a@" + "x" * 320 + ".com", "email-too-long"),
        (True, "email-type"),
        (["dana@example.com"], "email-type"),
        (3055550142, "email-no-at"),
    )

    def clean(self, raw: Any) -> str | Violation | None:
        """Return the standard form of the address, None when absent, or a Violation (rules of email-validator)."""
        if type(raw) is str and len(raw) <= _PLAIN_LENGTH:
            plain = _PLAIN.fullmatch(raw)
            if plain is not None:
                return raw if raw.islower() else _lower_domain(*plain.groups())
        text = clean_word(raw, type(self), _LONGEST)
        return _validate_with_library(text) if isinstance(text, str) else text


def _lower_domain(mailbox: str, domain: str) -> str:
    """Return a plain address with the domain, and a mailbox that every domain has (RFC 2142), in lower case."""
    lower = mailbox.lower()
    return f"{lower if lower in _SHARED_MAILBOXES else mailbox}@{domain.lower()}"


def _validate_with_library(text: str) -> str | Violation:
    """Return the library's standard form of the address, or a Violation that names the invalid part."""
    normalized = _normalize(text)
    if normalized is not None:
        return normalized
    wrapped = _WRAPPED.fullmatch(text)
    inner = _normalize(wrapped[1]) if wrapped else None
    if inner is not None:
        return Email.violation("wrapped", "has text around the address", Severity.REPAIRED, inner)
    return _invalid_part(text)


def _normalize(text: str) -> str | None:
    """Return the library's standard form of the address, or None when the library rejects it."""
    try:
        return validate_email(text, check_deliverability=False).normalized
    except (EmailNotValidError, UnicodeError):
        return None


def _invalid_part(text: str) -> Violation:
    """Return the Violation that says which part of a rejected address is invalid."""
    mailbox, at, domain = text.rpartition("@")
    if not at:
        return Email.violation("no-at", "has no @")
    if _SEVERAL.search(text):
        return Email.violation("several", "holds more than one address")
    if not domain:
        return Email.violation("no-domain", "has nothing after the @")
    if not mailbox:
        return Email.violation("no-mailbox", "has nothing before the @")
    if _normalize(f"a@{domain}") is None:
        return Email.violation("domain", "has a part after the @ that cannot receive email")
    return Email.violation("mailbox", "has a part before the @ that is not valid")
