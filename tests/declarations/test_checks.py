"""One question to every check: whether it is declared whole, and whether its words can be read by the staff."""

import re

import pytest
import zipcodes

from etl.checks import CHECKS, Check, get_check
from etl.checks.declarations import HERE
from etl.checks.scope import READS, SCOPES
from etl.checks.zip_prefixes import prefix_ranges, view_sql
from etl.errors import UsageError
from etl.models.base import field_in
from etl.reports.views import VIEWS
from etl.resources import BY_NAME
from etl.values.state import STATES

COLUMNS = ("tenant", "id", "source_id", "policy_number", "customer_number")

every_check = pytest.mark.parametrize("one", CHECKS, ids=lambda one: one.name)


@every_check
def test_it_speaks_of_a_column_of_its_resource(one: Check) -> None:
    assert one.field in BY_NAME[one.resource].model.__table__.columns
    assert re.fullmatch(r"[a-z]+(-[a-z]+)+", one.name)
    assert re.fullmatch(r"[A-Z].{20,}[.]", one.explanation)
    assert re.fullmatch(r"[A-Z].{20,}[.]", one.cure)


@every_check
def test_its_query_begins_with_a_sentence_and_names_the_columns_of_a_hit(one: Check) -> None:
    first, _, rest = one.sql.partition("\n")
    assert re.fullmatch(r"-- [A-Z].+[.]", first)
    selected = re.sub(r"CAST\(NULL AS text\) AS ", ".", rest.partition("FROM")[0])
    named = re.findall(r"\.(\w+),", selected)
    assert tuple(named[: len(COLUMNS)]) == COLUMNS
    assert " AS found\n" in one.sql
    assert VIEWS[one.view] == one.sql


@every_check
def test_its_words_hold_nothing_personal(one: Check) -> None:
    said = one.sql.partition("customer_number,")[2].partition(" AS found")[0]
    columns = set(re.findall(r"\b\w+\.(\w+)\b", said))
    personal = {
        column.name
        for model in {BY_NAME[name].model for name in BY_NAME}
        for column in model.__table__.columns
        if (about := field_in(column.info)) is not None and about.personal
    }
    assert columns & personal == set()


@every_check
def test_it_is_looked_at_again_when_what_it_reads_changes(one: Check) -> None:
    read = set(re.findall(r"public\.(\w+)", one.sql))
    assert one.resource in SCOPES
    assert one.table in READS[one.resource]
    assert read - {"contacts"} <= READS[one.resource], "contacts are read for the customer's number"


def test_every_query_belongs_to_a_check() -> None:
    assert {path.stem for path in (HERE / "sql").glob("*.sql")} == {one.name.replace("-", "_") for one in CHECKS}


def test_a_name_that_is_none_gets_a_suggestion() -> None:
    with pytest.raises(UsageError, match="Did you mean term-gap"):
        get_check("term-gaps")


def test_every_zip_code_lies_in_a_state_of_its_prefix() -> None:
    states = {number: named for first, last, named in prefix_ranges() for number in range(first, last + 1)}
    assert sum(last - first + 1 for first, last, _ in prefix_ranges()) == len(states), "no prefix stands in two runs"
    every = zipcodes.list_all()  # type: ignore[no-untyped-call]
    outside = [one["zip_code"] for one in every if one["state"] not in states[int(one["zip_code"][:3])]]
    assert outside == []
    assert {state for named in states.values() for state in named} <= set(STATES)
    assert max(len(named) for named in states.values()) == 5
    assert view_sql().count("\n    (") == len(prefix_ranges())
