"""Exceptions keep the names of earlier releases for one release."""

import pytest

from etl import errors


@pytest.mark.parametrize(
    ("old_name", "error_class"),
    [
        ("TryAgain", errors.RetryableError),
        ("RecordBad", errors.InvalidRecord),
        ("PersonNeeded", errors.ActionRequired),
        ("RunDied", errors.TaskDied),
        ("ShapeChanged", errors.UnexpectedResponse),
    ],
)
def test_an_old_name_is_the_same_class(old_name: str, error_class: type[errors.EtlError]) -> None:
    assert getattr(errors, old_name) is error_class


def test_the_docstring_is_the_default_message() -> None:
    assert str(errors.NotOffered()) == "This account does not offer the resource."
    assert str(errors.NotOffered("policies: not offered")) == "policies: not offered"
