"""Codes and words: open, closed, and as the status that a record cannot do without."""

import pytest

from etl.values import Code, Severity, Violation, Word

MEANINGS = {"A": "active", "D": "deleted"}
OPEN, CLOSED = Code("contact status", MEANINGS), Code("contact status", MEANINGS, closed=True)
STATUS = Code("contact status", MEANINGS, status=True)


def violation_of(found: object) -> Violation:
    """Return the result of cleaning, which must be a violation."""
    assert isinstance(found, Violation)
    return found


@pytest.mark.parametrize("raw", ["A", "a", " A ", "A\u200b"])
def test_known_codes(raw: str) -> None:
    """Case and padding do not make another code."""
    assert OPEN.clean(raw) == CLOSED.clean(raw) == STATUS.clean(raw) == "A"


def test_an_unknown_code_stays_where_the_vocabulary_is_open() -> None:
    """The vendor publishes few codes: a new one is noted and kept; a closed vocabulary drops it."""
    assert violation_of(OPEN.clean("x")) == Violation(
        "code-unknown", "is not a known contact status code", Severity.NOTED, "X"
    )
    assert violation_of(STATUS.clean("x")).severity == Severity.NOTED
    assert violation_of(CLOSED.clean("x")) == Violation("code-unknown", "is not a known contact status code")


@pytest.mark.parametrize(
    "raw", ["not a code at all", "<script>", "ABCDEFGHIJKLM", "A\u0301", True, ["A"], {"Code": "A"}]
)
def test_junk_refuses_the_record_where_it_is_the_status(raw: object) -> None:
    """A record whose status cannot be read cannot be trusted; another field is merely dropped."""
    assert violation_of(STATUS.clean(raw)).severity == Severity.REFUSED
    assert violation_of(OPEN.clean(raw)).severity == Severity.DROPPED
    assert violation_of(CLOSED.clean(raw)).value is None


def test_vocabularies_are_values() -> None:
    """Two of the same name and codes are one, of one hash; a change to the mapping given changes nothing."""
    given = dict(MEANINGS)
    code = Code("contact status", given)
    given["X"] = "another"
    assert code == OPEN
    assert hash(code) == hash(OPEN)
    assert code != CLOSED
    assert violation_of(code.clean("X")).rule == "code-unknown"


@pytest.mark.parametrize("wrong", ["a", "", "TOO LONG", "ABCDEFGHIJKLM"])
def test_a_code_that_cleaning_never_returns_is_a_fault_of_the_declaration(wrong: str) -> None:
    """It would never be known."""
    with pytest.raises(ValueError, match="contact status"):
        Code("contact status", {wrong: "never"})


def test_words_keep_their_case() -> None:
    """Their vocabulary is not ours to spell."""
    assert Word().clean(" direct  Bill ") == "direct Bill"
    assert Word().clean("TBD") is None
    assert violation_of(Word(max_length=4).clean("Mobile")).rule == "word-too-long"
    assert violation_of(Word(max_length=4).clean("Direct Bill")).rule == "word-too-long"


def test_a_word_that_is_the_status() -> None:
    """Junk in its place refuses the record; a word does not, whatever it is."""
    assert Word(status=True).clean("Presented") == "Presented"
    assert violation_of(Word(status=True).clean("<p>Presented</p>")).severity == Severity.REFUSED
    assert violation_of(Word().clean("<p>Presented</p>")).severity == Severity.DROPPED


def test_a_vocabulary_of_which_no_code_is_known_accepts_every_code() -> None:
    code = Code("claim status", {}, status=True)
    assert [code.clean(raw) for raw in ("O", " o ", None)] == ["O", "O", None]
    assert violation_of(code.clean("not a code at all")).severity is Severity.REFUSED
    assert violation_of(Code("claim status", {}, closed=True).clean("O")).rule == "code-unknown"
