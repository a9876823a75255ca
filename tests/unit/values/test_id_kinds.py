"""Ids: canonical text, references to nothing, UUIDs, and lists of ids."""

from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl.values import Reference, SourceId, TextList, Uuid, Violation, source_id

GUID = "6f9619ff-8b86-d011-b42d-00c04fc964ff"


@given(st.integers(-(10**17), 10**17))
def test_one_id_in_every_json_type(number: int) -> None:
    """A number, its text, its padded text, its decimal and its exact float are the same id."""
    forms: list[Any] = [str(number), f" {number}\t", Decimal(number), Decimal(number) + Decimal("0.0")]
    forms += [float(number)] if int(float(number)) == number else []
    assert {source_id(form) for form in forms} == {str(number)}


def test_different_ids_stay_different() -> None:
    """A leading zero, the case of a letter and a fraction in a text make a different id."""
    assert len({source_id(raw) for raw in ("1", "01", "001", "1.0", "a", "A", "+1", "-1")}) == 8


def test_guids_ignore_case_and_braces() -> None:
    """GUIDs come in either case and with braces from .NET."""
    assert {source_id(raw) for raw in (GUID, GUID.upper(), f"{{{GUID}}}", f" {GUID.upper()} ")} == {GUID}


@given(st.one_of(st.integers(), st.text(max_size=40), st.floats(), st.none(), st.booleans()))
def test_the_function_matches_the_kind(raw: Any) -> None:
    """The function that extraction uses returns the same as the kind."""
    assert source_id(raw) == SourceId().clean(raw)


@pytest.mark.parametrize("raw", [0, -1, "0", "-1", " 0 ", 0.0, Decimal(-1), "", None, str(UUID(int=0))])
def test_a_reference_to_nothing_is_absent(raw: Any) -> None:
    """The source writes "none" as 0 or -1; as a record's own id, -1 is an id."""
    assert Reference("policies").clean(raw) is None


def test_a_reference_carries_its_table_and_label() -> None:
    """The declaration has the table and the label, and its violations have its own rule names."""
    reference = Reference("carriers", label="WritingCarrier")
    assert (reference.table, reference.label) == ("carriers", "WritingCarrier")
    cleaned = reference.clean([77])
    assert isinstance(cleaned, Violation)
    assert cleaned.rule == "reference-type"


@given(st.uuids())
def test_uuids_in_every_form(uuid: UUID) -> None:
    """Capitals, braces, no hyphens and the URN are the same UUID."""
    forms = (uuid, str(uuid), str(uuid).upper(), uuid.hex, f"{{{uuid}}}", uuid.urn, f" {uuid} ")
    assert {Uuid().clean(form) for form in forms} == {uuid if uuid.int else None}


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=9), st.sampled_from([",", ";", "|", ", ", " ; ", "\n"]))
def test_a_list_in_one_string(ids: list[int], separator: str) -> None:
    """A string with any separator and an array give the same list, without duplicates, in order."""
    once = list(dict.fromkeys(map(str, ids)))
    assert TextList().clean(separator.join(map(str, ids))) == once
    assert TextList().clean(ids) == once
