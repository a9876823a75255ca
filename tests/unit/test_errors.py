"""Exceptions are in one file, and keep the names of earlier releases for one release."""

import ast
import builtins
from pathlib import Path

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


#: Exceptions elsewhere: of the database driver, which this file must not import; with values that only the package of
#: authentication knows; of the simulator, which imports nothing of ours.
ELSEWHERE = {"DeadlineExpired", "UnexpectedResult", "Unauthorized", "RefusedRequest", "NothingFits"}


def is_exception(base: str) -> bool:
    """Return whether a base class is an exception, by its name in the source."""
    name = base.rpartition(".")[2]
    known = getattr(errors, name, None) or getattr(builtins, name, None)
    return name.endswith(("Error", "Exception")) or (isinstance(known, type) and issubclass(known, BaseException))


def test_every_exception_is_defined_in_the_file_of_errors() -> None:
    home = Path(errors.__file__)
    found = {
        node.name
        for path in home.parent.rglob("*.py")
        if path != home
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ClassDef) and any(is_exception(ast.unparse(base)) for base in node.bases)
    }
    assert found == ELSEWHERE, "Define exceptions in etl/errors.py: docs/explanation/architecture.md."


def test_the_docstring_is_the_default_message() -> None:
    assert str(errors.NotOffered()) == "This account does not offer the resource."
    assert str(errors.NotOffered("policies: not offered")) == "policies: not offered"
