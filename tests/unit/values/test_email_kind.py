"""Email addresses: the fast path compared with the library, and the messages."""

import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import example, given, settings
from hypothesis import strategies as st

from etl.values import Email, Severity, Violation
from etl.values.email_address import _PLAIN

EMAIL = Email()
EDGES = [
    *("a@b.test", "a@b.TEST", "a@b.invalid", "a@b.local", "a@b.localhost", "a@b.arpa", "a@b.onion", "a@test.com"),
    *("a@xn--bcher-kva.example", "a@ab--c.com", "a@a--b.com", "a@-b.com", "a@b-.com", "a@b.c-d", "a@b.c", "a@b.c1"),
    *("a@1.2.3.4", "a@1.com", "a.@b.com", ".a@b.com", "a..b@b.com", "a@b..com", "a@.com", "a@b.com.", "a@b", "a"),
    *("INFO@B.COM", "Postmaster@b.com", "infos@B.com", "a%b@c.com", "a'b@c.com", "a&b@c.com", "-a@c.com", "a-@c.com"),
    *("a@b.com\n", "a b@c.com", "a@b c.com", '"a"@b.com', '"a b"@c.com', "a@[1.2.3.4]", "a@b_c.com", "_@b.com"),
    *("a@local.com", "a@x.local.com", "a@onion", "a@x.testing", "a@example.com", "a@b.example", "a@mail.arpa"),
    *("a@" + "b" * 63 + ".com", "a@" + "b" * 64 + ".com", "a" * 65 + "@b.com", "a" * 250 + "@b.com"),
    *("\u00e9@b.com", "a@\u00e9.com", "a@b.\u0441\u043e\u043c", "a\u0301@b.com", "a@\uff42.com", "a@b\u3002com"),
]
words = st.text("abzXY019_+-.'%&", min_size=1, max_size=12)
labels = st.text("abzXY019-", min_size=1, max_size=8)
ends = st.sampled_from(
    ["com", "COM", "net", "test", "Test", "invalid", "local", "arpa", "onion", "c", "museum", "co.uk", "xn--p1ai", "c1"]
)
addresses = st.builds(
    lambda mailbox, domain, end: f"{mailbox}@{'.'.join(domain)}.{end}",
    words,
    st.lists(labels, min_size=1, max_size=3),
    ends,
)


def by_the_library(text: str) -> str | None:
    """Return the library's standard form, or None when the library rejects the address."""
    try:
        return validate_email(text, check_deliverability=False).normalized
    except EmailNotValidError:
        return None


def accepted(raw: str) -> str | None:
    """Return the value of an address without violation, None otherwise."""
    cleaned = EMAIL.clean(raw)
    return cleaned if isinstance(cleaned, str) else None


@settings(max_examples=400)
@given(addresses)
def test_generated_addresses_match_the_library(raw: str) -> None:
    """The fast path accepts nothing that the library rejects, and changes nothing that the library keeps."""
    assert accepted(raw) == by_the_library(raw)


@pytest.mark.parametrize("raw", EDGES)
def test_edge_cases_match_the_library(raw: str) -> None:
    """The same for formats that a simple pattern gets wrong; we strip the white space around."""
    assert accepted(raw) == by_the_library(raw.strip())


@given(st.from_regex(_PLAIN, fullmatch=True))
@settings(max_examples=100)
@example("A-a@b-b.com")
def test_the_library_accepts_every_match_of_the_pattern(raw: str) -> None:
    """Addresses generated from the pattern itself, up to the maximum length of the fast path."""
    if len(raw) <= 63:
        assert accepted(raw) == by_the_library(raw)


@pytest.mark.parametrize("raw", ["dana@example.com", "Dana.Rivera@EXAMPLE.com", "INFO@Example.com"])
def test_plain_addresses_take_the_fast_path(raw: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The library, which is thirty times slower, is not called for most records."""
    monkeypatch.setattr("etl.values.email_address.validate_email", None)
    assert accepted(raw)


def test_text_around_the_address_is_removed() -> None:
    """A display name or a link is replaced by the address in it."""
    for raw in ("mailto:dana@Example.com", "Dana Rivera <dana@example.com>", "<dana@example.com>"):
        cleaned = EMAIL.clean(raw)
        assert isinstance(cleaned, Violation)
        assert (cleaned.severity, cleaned.value) == (Severity.REPAIRED, "dana@example.com")


def test_no_message_quotes_the_address() -> None:
    """The library's messages quote the address; ours do not."""
    for raw in ("zzyzx@exa mple.com", "zz..yzx@example.com", "zzyzx@qqq", "zzyzx,qqq@example.com,qqq@zzyzx.com"):
        cleaned = EMAIL.clean(raw)
        assert isinstance(cleaned, Violation)
        assert not {"zz", "qqq", "mple", "@example"} & set(cleaned.message.split())
        assert "zz" not in cleaned.message
