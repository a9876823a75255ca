"""Waves: what is read side by side, and what waits for what."""

import pytest

from etl.dependencies import find_prerequisites, group_by_level
from etl.resources import BY_NAME, CATALOGUE, derived_from


def wave_of(name: str) -> int:
    """Return the number of a resource's wave."""
    return next(number for number, names in enumerate(group_by_level()) if name in names)


def test_every_resource_that_is_read_is_in_one_wave() -> None:
    listed = [name for names in group_by_level() for name in names]
    assert sorted(listed) == sorted(one.name for one in CATALOGUE if one.endpoints)


@pytest.mark.parametrize("one", [one for one in CATALOGUE if one.parent is not None], ids=lambda one: one.name)
def test_parents_are_read_before_their_children(one: object) -> None:
    child = BY_NAME[one.name]  # type: ignore[attr-defined]  # a parameter's type is that of its list
    assert child.parent is not None
    assert wave_of(child.parent.resource) < wave_of(child.name)


def test_what_an_account_may_not_offer_is_asked_for_before_others_stand_in_for_it() -> None:
    pairs = [(one.name, made.name) for one in CATALOGUE for made, way in derived_from(one.name) if way.fallback]
    assert pairs
    for source, made in pairs:
        assert wave_of(made) < wave_of(source)


def test_rows_come_after_the_people_and_policies_that_they_refer_to() -> None:
    assert {"contacts", "policies"} <= find_prerequisites(BY_NAME["claims"])
    assert wave_of("contacts") < wave_of("policies") < wave_of("claims")


def test_few_resources_leave_the_other_waves_empty() -> None:
    assert [names for names in group_by_level(["policies", "contacts"]) if names] == [["contacts"], ["policies"]]
    assert len(group_by_level(["contacts"])) == len(group_by_level())
