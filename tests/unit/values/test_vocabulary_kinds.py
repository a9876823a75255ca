"""Codes and words: open and closed vocabularies, and the status of a record."""

import pytest

from etl.values import Code, Severity, Violation, Word

MEANINGS = {"A": "active", "D": "deleted"}
OPEN, CLOSED = Code("contact status", MEANINGS), Code("contact status", MEANINGS, closed=True)
STATUS = Code("contact status", MEANINGS, status=True)


def violation_of(cleaned: object) -> Violation:
    """Return the result of cleaning, which must be a violation."""
    assert isinstance(cleaned, Violation)
    return cleaned


@pytest.mark.parametrize("raw", ["A", "a", " A ", "A\u200b"])
def test_known_codes(raw: str) -> None:
    """Case and padding do not matter."""
    assert OPEN.clean(raw) == CLOSED.clean(raw) == STATUS.clean(raw) == "A"


def test_an_open_vocabulary_keeps_an_unknown_code() -> None:
    """The vendor publishes few codes: a new code is noted and kept; a closed vocabulary drops it."""
    assert violation_of(OPEN.clean("x")) == Violation(
        "code-unknown", "is not a known contact status code", Severity.NOTED, "X"
    )
    assert violation_of(STATUS.clean("x")).severity == Severity.NOTED
    assert violation_of(CLOSED.clean("x")) == Violation("code-unknown", "is not a known contact status code")


@pytest.mark.parametrize(
    "raw", ["not a code at all", "<script>", "ABCDEFGHIJKLM", "A\u0301", True, ["A"], {"Code": "A"}]
)
def test_junk_as_the_status_refuses_the_record(raw: object) -> None:
    """A record with an unreadable status cannot be trusted; in another field, only the value is dropped."""
    assert violation_of(STATUS.clean(raw)).severity == Severity.REFUSED
    assert violation_of(OPEN.clean(raw)).severity == Severity.DROPPED
    assert violation_of(CLOSED.clean(raw)).value is None


def test_equal_vocabularies_have_equal_hashes() -> None:
    """Vocabularies with the same name and codes are equal; later changes of the mapping have no effect."""
    meanings = dict(MEANINGS)
    code = Code("contact status", meanings)
    meanings["X"] = "another"
    assert code == OPEN
    assert hash(code) == hash(OPEN)
    assert code != CLOSED
    assert violation_of(code.clean("X")).rule == "code-unknown"


@pytest.mark.parametrize("raw", ["na", "Na", "NA", "n/a", " na "])
def test_a_placeholder_in_any_case_is_absent(raw: str) -> None:
    """What cleaning returns is cleaned to itself: "NA" cannot be a code that "na" becomes."""
    assert STATUS.clean(raw) is None
    assert OPEN.clean(raw) is None
    assert Word().clean(raw) is None


@pytest.mark.parametrize("raw", ["2.50", 2.5, "2.0", "12.345"])
def test_an_amount_is_no_code(raw: object) -> None:
    """An amount that moved into the field of the status does not become a status."""
    assert violation_of(STATUS.clean(raw)) == Violation(
        "code-junk", "is not a contact status code: too long, or not plain letters", Severity.REFUSED
    )


@pytest.mark.parametrize("wrong", ["a", "", "TOO LONG", "ABCDEFGHIJKLM"])
def test_a_code_that_cleaning_never_returns_cannot_be_declared(wrong: str) -> None:
    """Such a code could never match."""
    with pytest.raises(ValueError, match="contact status"):
        Code("contact status", {wrong: "never"})


def test_an_assumed_code_has_a_meaning() -> None:
    assert Code("contact status", MEANINGS, assumed=frozenset({"D"})).assumed == {"D"}
    with pytest.raises(ValueError, match="assumed"):
        Code("contact status", MEANINGS, assumed=frozenset({"V"}))


def test_words_keep_their_case() -> None:
    """The source decides on the spelling."""
    assert Word().clean(" direct  Bill ") == "direct Bill"
    assert Word().clean("TBD") is None
    assert violation_of(Word(max_length=4).clean("Mobile")).rule == "word-too-long"
    assert violation_of(Word(max_length=4).clean("Direct Bill")).rule == "word-too-long"


def test_junk_in_a_status_word_refuses_the_record() -> None:
    """Any word is allowed."""
    assert Word(status=True).clean("Presented") == "Presented"
    assert violation_of(Word(status=True).clean("<p>Presented</p>")).severity == Severity.REFUSED
    assert violation_of(Word().clean("<p>Presented</p>")).severity == Severity.DROPPED


def test_a_vocabulary_of_which_no_code_is_known_accepts_every_code() -> None:
    code = Code("claim status", {}, status=True)
    assert [code.clean(raw) for raw in ("O", " o ", None)] == ["O", "O", None]
    assert violation_of(code.clean("not a code at all")).severity is Severity.REFUSED
    assert violation_of(Code("claim status", {}, closed=True).clean("O")).rule == "code-unknown"
