"""Email addresses: the fast path against the library, and what the complaint says."""

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
    """Return the library's standard form, or None when it refuses the address."""
    try:
        return validate_email(text, check_deliverability=False).normalized
    except EmailNotValidError:
        return None


def accepted(raw: str) -> str | None:
    """Return the value of an address that is taken without complaint."""
    found = EMAIL.clean(raw)
    return found if isinstance(found, str) else None


@settings(max_examples=400)
@given(addresses)
def test_generated_addresses_are_as_the_library_says(raw: str) -> None:
    """The fast path takes nothing that the library refuses, and changes nothing that it leaves."""
    assert accepted(raw) == by_the_library(raw)


@pytest.mark.parametrize("raw", EDGES)
def test_edges_are_as_the_library_says(raw: str) -> None:
    """The same, for the shapes that a short pattern gets wrong; white space around is ours to take."""
    assert accepted(raw) == by_the_library(raw.strip())


@given(st.from_regex(_PLAIN, fullmatch=True))
@settings(max_examples=100)
@example("A-a@b-b.com")
def test_whatever_the_pattern_takes_the_library_takes(raw: str) -> None:
    """Addresses made from the pattern itself, as far as the fast path is open to them."""
    if len(raw) <= 63:
        assert accepted(raw) == by_the_library(raw)


@pytest.mark.parametrize("raw", ["dana@example.com", "Dana.Rivera@EXAMPLE.com", "INFO@Example.com"])
def test_plain_addresses_take_the_fast_path(raw: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The library, thirty times slower, is not asked for what most records hold."""
    monkeypatch.setattr("etl.values.email_address.validate_email", None)
    assert accepted(raw)


def test_words_around_the_address_are_repaired() -> None:
    """A display name or a link leaves one address, which stands in its place."""
    for raw in ("mailto:dana@Example.com", "Dana Rivera <dana@example.com>", "<dana@example.com>"):
        found = EMAIL.clean(raw)
        assert isinstance(found, Violation)
        assert (found.severity, found.value) == (Severity.REPAIRED, "dana@example.com")


def test_no_complaint_repeats_the_address() -> None:
    """What the library says of an address quotes from it; what we say does not."""
    for raw in ("zzyzx@exa mple.com", "zz..yzx@example.com", "zzyzx@qqq", "zzyzx,qqq@example.com,qqq@zzyzx.com"):
        found = EMAIL.clean(raw)
        assert isinstance(found, Violation)
        assert not {"zz", "qqq", "mple", "@example"} & set(found.message.split())
        assert "zz" not in found.message
