"""E-mail addresses: the rules of email-validator behind a fast path for plain ones."""

import re
from dataclasses import dataclass
from typing import Any, ClassVar

import sqlalchemy as sa
from email_validator import EmailNotValidError, validate_email
from email_validator.rfc_constants import CASE_INSENSITIVE_MAILBOX_NAMES

from etl.values.base import Complaint, Kind, Severity
from etl.values.text import word_of

#: What the library would certainly take, and return with nothing but the domain in lower case. Left to the library:
#: labels with `--` (punycode and reserved forms), special-use domains, and whatever is long or not ASCII.
_PLAIN = re.compile(
    r"([A-Za-z0-9_+%'&-]++(?:\.[A-Za-z0-9_+%'&-]++)*+)@"
    r"((?:[A-Za-z0-9]++(?:-[A-Za-z0-9]++)*+\.)++(?!(?i:test|invalid|local|localhost|arpa|onion)$)[A-Za-z]{2,24})",
    re.ASCII,
)
_PLAIN_LENGTH = 63  # then no part can be over its limit, the shortest of which is a label's 63
_SHARED_MAILBOXES = frozenset(CASE_INSENSITIVE_MAILBOX_NAMES)
_LONGEST = 320
#: A display name or a link around the address.
_WRAPPED = re.compile(r"(?:mailto:|[^<>@]*<)([^<>\s]+@[^<>\s]+?)>?", re.IGNORECASE)
_SEVERAL = re.compile(r"@[^@]*[\s,;/|][^@]*@")


@dataclass(frozen=True)
class Email(Kind):
    """An e-mail address as its standards spell it: the domain in lower case, the mailbox as given.

    Whether the domain exists is not asked: cleaning opens no connection.
    """

    name: ClassVar[str] = "email"
    noun: ClassVar[str] = "an e-mail address"
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

    @property
    def column_type(self) -> sa.Text:
        """Text; no address is longer than 254 characters."""
        return sa.Text()

    def clean(self, raw: Any) -> str | Complaint | None:
        """Return the standard form of the address, None when absent, or a Complaint (rules of email-validator)."""
        if type(raw) is str and len(raw) <= _PLAIN_LENGTH:
            plain = _PLAIN.fullmatch(raw)
            if plain is not None:
                return raw if raw.islower() else _standard(*plain.groups())
        text = word_of(raw, type(self), _LONGEST)
        return _by_the_library(text) if isinstance(text, str) else text


def _standard(mailbox: str, domain: str) -> str:
    """Return a plain address with its domain, and a mailbox every domain has, in lower case (RFC 2142)."""
    lower = mailbox.lower()
    return f"{lower if lower in _SHARED_MAILBOXES else mailbox}@{domain.lower()}"


def _by_the_library(text: str) -> str | Complaint:
    """Return the library's standard form of the address or, in its stead, a Complaint that names the part at fault."""
    found = _validated(text)
    if found is not None:
        return found
    wrapped = _WRAPPED.fullmatch(text)
    inner = _validated(wrapped[1]) if wrapped else None
    if inner is not None:
        return Email.complain("wrapped", "has words around the address", Severity.REPAIRED, inner)
    return _fault(text)


def _validated(text: str) -> str | None:
    """Return the library's standard form of the address, or None when it refuses it."""
    try:
        return validate_email(text, check_deliverability=False).normalized
    except (EmailNotValidError, UnicodeError):
        return None


def _fault(text: str) -> Complaint:
    """Return the Complaint that says which part of a refused address is at fault."""
    mailbox, at, domain = text.rpartition("@")
    if not at:
        return Email.complain("no-at", "has no @")
    if _SEVERAL.search(text):
        return Email.complain("several", "holds more than one address")
    if not domain:
        return Email.complain("no-domain", "has no domain after the @")
    if not mailbox:
        return Email.complain("no-mailbox", "has no name before the @")
    if _validated(f"a@{domain}") is None:
        return Email.complain("domain", "has a domain that no mail can be sent to")
    return Email.complain("mailbox", "has a name before the @ that is not well formed")
