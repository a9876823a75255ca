"""Ids: one canonical text for each, references that point nowhere, UUIDs, and lists of ids."""

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
    """A number, its text, its padded text and its decimal are one id; so is the float, where it is exact."""
    forms: list[Any] = [str(number), f" {number}\t", Decimal(number), Decimal(number) + Decimal("0.0")]
    forms += [float(number)] if int(float(number)) == number else []
    assert {source_id(form) for form in forms} == {str(number)}


def test_another_id_stays_another() -> None:
    """A leading zero, a letter's case and a text's fraction make another id."""
    assert len({source_id(raw) for raw in ("1", "01", "001", "1.0", "a", "A", "+1", "-1")}) == 8


def test_guids_differ_in_case_only_by_accident() -> None:
    """GUIDs come in either case and with braces from .NET."""
    assert {source_id(raw) for raw in (GUID, GUID.upper(), f"{{{GUID}}}", f" {GUID.upper()} ")} == {GUID}


@given(st.one_of(st.integers(), st.text(max_size=40), st.floats(), st.none(), st.booleans()))
def test_the_function_is_the_kind(raw: Any) -> None:
    """At the rim of the extraction the plain function says what the kind says."""
    assert source_id(raw) == SourceId().clean(raw)


@pytest.mark.parametrize("raw", [0, -1, "0", "-1", " 0 ", 0.0, Decimal(-1), "", None, str(UUID(int=0))])
def test_a_reference_that_points_nowhere(raw: Any) -> None:
    """The source writes "none" as 0 or -1; as an id of its own -1 is one."""
    assert Reference("policies").clean(raw) is None


def test_a_reference_carries_its_table_and_label() -> None:
    """The declaration says where it points and what names the thing, and complains in its own name."""
    reference = Reference("carriers", label="WritingCarrier")
    assert (reference.table, reference.label) == ("carriers", "WritingCarrier")
    found = reference.clean([77])
    assert isinstance(found, Violation)
    assert found.rule == "reference-type"


@given(st.uuids())
def test_uuids_in_every_form(uuid: UUID) -> None:
    """Capitals, braces, no hyphens and the URN are the same UUID."""
    forms = (uuid, str(uuid), str(uuid).upper(), uuid.hex, f"{{{uuid}}}", uuid.urn, f" {uuid} ")
    assert {Uuid().clean(form) for form in forms} == {uuid if uuid.int else None}


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=9), st.sampled_from([",", ";", "|", ", ", " ; ", "\n"]))
def test_a_list_in_one_string(ids: list[int], separator: str) -> None:
    """Whatever separates the ids, the string and the array are one list, each id once, in order."""
    once = list(dict.fromkeys(map(str, ids)))
    assert TextList().clean(separator.join(map(str, ids))) == once
    assert TextList().clean(ids) == once
