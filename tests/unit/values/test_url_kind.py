"""Web addresses: standard form, and what is not shown to a browser."""

import pytest

from etl.values import Severity, Url, Violation


@pytest.mark.parametrize("raw", ["www.example.com/Claims", "example.com:8443/Claims", "Example.COM/Claims?a=b:c"])
def test_a_missing_scheme_is_repaired(raw: str) -> None:
    """Carriers' sites are typed without one."""
    found = Url().clean(raw)
    assert isinstance(found, Violation)
    assert (found.rule, found.severity) == ("url-no-scheme", Severity.REPAIRED)
    assert found.value.startswith("https://")
    assert Url().clean(found.value) == found.value


@pytest.mark.parametrize(
    "raw", ["javascript:alert(1)", "JavaScript://example.com/%0aalert(1)", "data:text/html,x", "file:///etc/passwd"]
)
def test_only_web_schemes(raw: str) -> None:
    """The address may end up in a page: nothing but http and https does."""
    found = Url().clean(raw)
    assert isinstance(found, Violation)
    assert (found.rule, found.value) == ("url-scheme", None)


@pytest.mark.parametrize("raw", ["https://user:secret@example.com", "https://user@example.com", "user:80@example.com"])
def test_credentials_are_dropped(raw: str) -> None:
    """A password in an address is a secret, and the finding's words do not repeat it."""
    found = Url().clean(raw)
    assert isinstance(found, Violation)
    assert found.value is None
    assert "secret" not in found.message


def test_the_host_is_lower_case_and_the_path_is_not() -> None:
    """Hosts are alike in any case, paths are not."""
    assert Url().clean("HTTPS://WWW.Example.COM/Claims#Top") == "https://www.example.com/Claims#Top"
    assert Url().clean("https://b\u00fccher.example/") == "https://b\u00fccher.example/"
