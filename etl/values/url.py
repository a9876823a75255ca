"""Web addresses."""

import re
from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.parse import urlsplit

from etl.values.base import Kind, Severity, Violation
from etl.values.text import clean_word

_LONGEST = 2_000
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):(?![0-9]+(?:/|$))", re.ASCII | re.IGNORECASE)
_HOST = re.compile(r"(?=.{4,253}$)(?:[^\W_](?:[^\W_]|-(?=[^\W_-])){0,62}\.)+(?:[^\W\d_]{2,63}|xn--[a-z0-9-]{2,59})")


@dataclass(frozen=True)
class Url(Kind):
    """A web address with its scheme; scheme and host in lower case."""

    name: ClassVar[str] = "url"
    noun: ClassVar[str] = "a web address"
    accepts: ClassVar[tuple[tuple[Any, Any], ...]] = (
        ("https://www.example.com/Claims?id=1", "https://www.example.com/Claims?id=1"),
        (" HTTP://WWW.Example.COM ", "http://www.example.com"),
        ("https://example.com:8443/", "https://example.com:8443/"),
        (None, None),
        ("", None),
        ("none", None),
        ("http://", None),
    )
    rejects: ClassVar[tuple[tuple[Any, str], ...]] = (
        ("www.example.com", "url-no-scheme"),
        ("https://example.com/a\ud83c", "url-damaged"),
        ("javascript:alert(1)", "url-scheme"),
        ("ftp://example.com", "url-scheme"),
        ("https://user:secret@example.com", "url-credentials"),
        ("https://localhost", "url-host"),
        ("https://127.0.0.1/", "url-host"),
        ("https://[::1", "url-host"),
        ("https://example.com:99999/", "url-host"),
        ("Example Mutual", "url-host"),
        ("https://exam ple.com", "url-host"),
        ("https://example.com/a b", "url-space"),
        ("x" * 2_001, "url-too-long"),
        (5, "url-host"),
        (True, "url-type"),
        (["https://example.com"], "url-type"),
    )

    def clean(self, raw: Any) -> str | Violation | None:
        """Return the address, None when absent, or a Violation."""
        text = clean_word(raw, type(self), _LONGEST)
        if not isinstance(text, str):
            return text
        scheme = _SCHEME.match(text)
        if scheme is not None:
            return _normalize(text) if scheme[1].lower() in {"http", "https"} else _scheme_violation()
        address = _normalize(f"https://{text}")
        if not isinstance(address, str):
            return address
        return self.violation("no-scheme", "lacks https:// at the start", Severity.REPAIRED, address)


def _normalize(text: str) -> str | Violation | None:
    """Return an http or https address in its standard form, None when nothing follows the scheme, or a Violation."""
    _, _, after_scheme = text.partition(":")
    if not after_scheme.strip("/"):
        return None
    try:
        parts = urlsplit(text)
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        return _host_violation()
    if "@" in parts.netloc:
        return Url.violation("credentials", "contains a user name or password")
    if not _HOST.fullmatch(host):
        return _host_violation()
    if " " in text:
        return Url.violation("space", "contains a space")
    return parts._replace(scheme=parts.scheme.lower(), netloc=f"{host}:{port}" if port else host).geturl()


def _scheme_violation() -> Violation:
    """Return the violation for a scheme other than http and https."""
    return Url.violation("scheme", "starts with something other than http:// or https://")


def _host_violation() -> Violation:
    """Return the violation for a host that cannot be on the internet."""
    return Url.violation("host", "has no valid site name, such as www.example.com")
