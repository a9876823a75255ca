"""Dependency levels: every resource is read after its prerequisites."""

from graphlib import CycleError

import pytest

from etl.dependencies import find_prerequisites, group_by_level
from etl.resources import BY_NAME, CATALOGUE, USEFUL, derived_from


def level_of(name: str) -> int:
    """Return the level of a resource."""
    return next(number for number, names in enumerate(group_by_level()) if name in names)


def test_every_resource_with_endpoints_is_in_one_level() -> None:
    listed = [name for names in group_by_level() for name in names]
    assert sorted(listed) == sorted(resource.name for resource in CATALOGUE if resource.endpoints)


@pytest.mark.parametrize(
    "resource", [resource for resource in CATALOGUE if resource.parent is not None], ids=lambda resource: resource.name
)
def test_parents_are_read_before_their_children(resource: object) -> None:
    child = BY_NAME[resource.name]  # type: ignore[attr-defined]  # a parameter's type is that of its list
    assert child.parent is not None
    assert level_of(child.parent.resource) < level_of(child.name)


def test_what_makes_the_database_useful_is_read_first_one_list_after_the_other() -> None:
    assert group_by_level()[:4] == [["locations"], ["contacts"], ["policies"], ["billing_records"]]


def test_a_resource_is_read_before_its_fallback_source_unless_that_is_needed_first() -> None:
    pairs = [
        (resource.name, derived.name)
        for resource in CATALOGUE
        for derived, derivation in derived_from(resource.name)
        if derivation.fallback and resource.name not in USEFUL
    ]
    assert pairs
    for source, derived in pairs:
        assert level_of(derived) < level_of(source)


def test_referenced_parents_are_read_first() -> None:
    assert {"contacts", "policies"} <= find_prerequisites(BY_NAME["claims"])
    assert level_of("contacts") < level_of("policies") < level_of("claims")


def test_resources_that_wait_for_each_other_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    each_other = {"contacts": {"policies"}, "policies": {"contacts"}}
    monkeypatch.setattr("etl.dependencies.find_prerequisites", lambda resource: each_other.get(resource.name, set()))
    with pytest.raises(CycleError, match=r"contacts.*policies"):
        group_by_level()
