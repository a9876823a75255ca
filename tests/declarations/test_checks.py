"""Every check: its declaration is complete, its query returns the columns of a hit and no personal data."""

import re

import pytest
import zipcodes

from etl.checks import CHECKS, Check, get_check
from etl.checks.declarations import HERE
from etl.checks.scope import READS, scope_of
from etl.checks.zip_prefixes import prefix_ranges, view_sql
from etl.errors import UsageError
from etl.models.base import field_in
from etl.reports.views import VIEWS
from etl.resources import BY_NAME
from etl.values.state import STATES

COLUMNS = ("tenant", "id", "source_id", "policy_number", "customer_number")

every_check = pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)


@every_check
def test_its_column_and_texts_are_valid(check: Check) -> None:
    assert check.field in BY_NAME[check.resource].model.__table__.columns
    assert re.fullmatch(r"[a-z]+(-[a-z]+)+", check.name)
    assert re.fullmatch(r"[A-Z].{20,}[.]", check.explanation)
    assert re.fullmatch(r"[A-Z].{20,}[.]", check.fix)


@every_check
def test_its_query_starts_with_a_sentence_and_returns_the_columns_of_a_hit(check: Check) -> None:
    first_line, _, query = check.sql.partition("\n")
    assert re.fullmatch(r"-- [A-Z].+[.]", first_line)
    selected = re.sub(r"CAST\(NULL AS text\) AS ", ".", query.partition("FROM")[0])
    columns = re.findall(r"\.(\w+),", selected)
    assert tuple(columns[: len(COLUMNS)]) == COLUMNS
    assert " AS found\n" in check.sql
    assert VIEWS[check.view] == check.sql


@every_check
def test_its_message_contains_no_personal_column(check: Check) -> None:
    message = check.sql.partition("customer_number,")[2].partition(" AS found")[0]
    columns = set(re.findall(r"\b\w+\.(\w+)\b", message))
    personal = {
        column.name
        for model in {BY_NAME[name].model for name in BY_NAME}
        for column in model.__table__.columns
        if (field := field_in(column.info)) is not None and field.personal
    }
    assert columns & personal == set()


@every_check
def test_it_runs_again_when_a_table_that_it_reads_changes(check: Check) -> None:
    tables = set(re.findall(r"public\.(\w+)", check.sql))
    assert check.table in scope_of(check.resource)
    assert check.table in READS[check.resource]
    assert tables - {"contacts"} <= READS[check.resource], "contacts are read for the customer's number"


def test_every_query_belongs_to_a_check() -> None:
    assert {path.stem for path in (HERE / "sql").glob("*.sql")} == {check.name.replace("-", "_") for check in CHECKS}


def test_an_unknown_name_gets_a_suggestion() -> None:
    with pytest.raises(UsageError, match="Did you mean term-gap"):
        get_check("term-gaps")


def test_every_zip_code_is_in_a_state_of_its_prefix() -> None:
    states = {number: names for first, last, names in prefix_ranges() for number in range(first, last + 1)}
    assert sum(last - first + 1 for first, last, _ in prefix_ranges()) == len(states), "no prefix is in two ranges"
    zip_codes = zipcodes.list_all()  # type: ignore[no-untyped-call]
    outside = [item["zip_code"] for item in zip_codes if item["state"] not in states[int(item["zip_code"][:3])]]
    assert outside == []
    assert {state for names in states.values() for state in names} <= set(STATES)
    assert max(len(names) for names in states.values()) == 5
    assert view_sql().count("\n    (") == len(prefix_ranges())
