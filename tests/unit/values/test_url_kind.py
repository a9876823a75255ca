"""Web addresses: the standard form, and addresses that must not reach a browser."""

import pytest

from etl.values import Severity, Url, Violation


@pytest.mark.parametrize("raw", ["www.example.com/Claims", "example.com:8443/Claims", "Example.COM/Claims?a=b:c"])
def test_a_missing_scheme_is_repaired(raw: str) -> None:
    """Users type the addresses of carriers' sites without a scheme."""
    cleaned = Url().clean(raw)
    assert isinstance(cleaned, Violation)
    assert (cleaned.rule, cleaned.severity) == ("url-no-scheme", Severity.REPAIRED)
    assert cleaned.value.startswith("https://")
    assert Url().clean(cleaned.value) == cleaned.value


@pytest.mark.parametrize(
    "raw", ["javascript:alert(1)", "JavaScript://example.com/%0aalert(1)", "data:text/html,x", "file:///etc/passwd"]
)
def test_only_web_schemes(raw: str) -> None:
    """The address may be shown on a page, so only http and https are allowed."""
    cleaned = Url().clean(raw)
    assert isinstance(cleaned, Violation)
    assert (cleaned.rule, cleaned.value) == ("url-scheme", None)


@pytest.mark.parametrize("raw", ["https://user:secret@example.com", "https://user@example.com", "user:80@example.com"])
def test_credentials_are_dropped(raw: str) -> None:
    """A password in an address is a secret, and the message does not quote it."""
    cleaned = Url().clean(raw)
    assert isinstance(cleaned, Violation)
    assert cleaned.value is None
    assert "secret" not in cleaned.message


def test_the_host_is_lower_case_and_the_path_is_not() -> None:
    """Hosts are case-insensitive, paths are not."""
    assert Url().clean("HTTPS://WWW.Example.COM/Claims#Top") == "https://www.example.com/Claims#Top"
    assert Url().clean("https://b\u00fccher.example/") == "https://b\u00fccher.example/"
