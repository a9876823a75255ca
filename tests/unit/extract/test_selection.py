"""Which resources a run reads: the default ones, those that ETL_RESOURCES adds and leaves out, and the named ones."""

import pytest

from etl.config.settings import Settings
from etl.errors import UsageError
from etl.extract.selection import find_out_of_reach, resource_names
from etl.resources import CATALOGUE

DEFAULT = {entry.name for entry in CATALOGUE if not entry.is_optional}


def names(choices: str, *requested: str) -> set[str]:
    return set(resource_names(requested, Settings(_env_file=None, etl_resources=choices)))


@pytest.mark.parametrize(
    ("choices", "added", "left_out"),
    [
        ("", set(), set()),
        ("default", set(), set()),
        ("+contact_phones", {"contact_phones"}, set()),
        ("default,+contact_phones,-documents", {"contact_phones"}, {"documents"}),
        ("+notes", {"notes", "policy_notes"}, set()),
        ("+notes,-policy_notes", {"notes"}, set()),
        ("+policy_notes", {"policy_notes"}, set()),
        ("+documents", set(), set()),
        ("+files", {"files"}, set()),
        ("+employees", set(), set()),
        ("-employee_list", set(), {"employee_list"}),
    ],
)
@pytest.mark.fact("policy-notes")
def test_a_run_reads_the_default_resources_and_those_that_are_chosen(
    choices: str, added: set[str], left_out: set[str]
) -> None:
    assert names(choices) == (DEFAULT | added) - left_out


def test_an_optional_resource_is_read_when_it_is_named() -> None:
    assert names("", "tasks") == {"tasks"}


@pytest.mark.fact("enterprise-access")
def test_endorsements_need_enterprise_access_or_their_name() -> None:
    assert "endorsements" in find_out_of_reach(Settings(_env_file=None), ())
    assert "endorsements" not in find_out_of_reach(Settings(_env_file=None), ("endorsements",))
    assert "endorsements" not in find_out_of_reach(Settings(_env_file=None, etl_resources="+endorsements"), ())
    assert "endorsements" not in find_out_of_reach(Settings(_env_file=None, qqcatalyst_auth="enterprise"), ())


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(UsageError, match="nots"):
        names("+nots")
