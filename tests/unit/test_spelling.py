"""The declared spelling of keys: which key of a record is read, and what of the record stays as it is."""

from typing import Any

import pytest

from etl.resources import CATALOGUE
from etl.spelling import Spelling, find_key, item_spelling_of, spelling_of

SPELLING = Spelling(["PolicyId", "LOBList", "LOBList.0.ID", "LOBList.0.Name", "_parent.CustomerId"])


@pytest.mark.parametrize(
    ("record", "view"),
    [
        ({"policyid": 1}, {"PolicyId": 1}),
        ({"POLICYID": 1, "Mood": 2}, {"PolicyId": 1, "Mood": 2}),
        ({"policyid": 1, "PolicyId": None}, {"policyid": 1, "PolicyId": None}),
        ({"policyid": 1, "PolicyID": 2}, {"policyid": 1, "PolicyId": 2}),
        ({"PolicyID": 2, "policyid": 1}, {"policyid": 1, "PolicyId": 2}),
        (
            {"loblist": [{"id": 1}, None, {"Id": 2}]},
            {"LOBList": [{"ID": 1}, None, {"ID": 2}]},
        ),
        ({"LobList": {"Id": 1}}, {"LOBList": {"ID": 1}}),
        ({"_Parent": {"customerid": 7, "policyid": 1}}, {"_parent": {"CustomerId": 7, "policyid": 1}}),
        ({"LOBList": "Auto", "_parent": 7}, {"LOBList": "Auto", "_parent": 7}),
        ({}, {}),
    ],
)
def test_declared_keys_have_their_declared_spelling(record: dict[str, Any], view: dict[str, Any]) -> None:
    sent = repr(record)
    assert SPELLING.respell(record) == view
    assert repr(record) == sent


def test_a_record_in_the_declared_spelling_is_its_own_view() -> None:
    record = {"PolicyId": 1, "LOBList": [{"ID": 1}], "_parent": {"CustomerId": 7}, "Mood": None}
    assert SPELLING.respell(record) is record


@pytest.mark.parametrize("keys", [("PolicyID", "policyid"), ("policyid", "PolicyID")])
def test_the_choice_between_two_other_spellings_does_not_depend_on_their_order(keys: tuple[str, ...]) -> None:
    assert find_key(keys, "PolicyId") == "PolicyID"
    assert find_key((*keys, "PolicyId"), "PolicyId") == "PolicyId"
    assert find_key(keys, "CustomerId") is None


def test_two_declared_spellings_of_one_key_are_an_error() -> None:
    with pytest.raises(ValueError, match="two spellings"):
        Spelling(["PolicyId", "PolicyID"])


@pytest.mark.parametrize("resource", CATALOGUE, ids=lambda resource: resource.name)
def test_no_resource_declares_two_spellings_of_one_key(resource: Any) -> None:
    assert spelling_of(resource).names
    assert item_spelling_of(resource).names
