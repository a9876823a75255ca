"""A column that is empty in every record of a first sync is named once, until it has a value."""

from collections.abc import Iterator
from typing import Any

import pytest
from sites import Site, serve_agency, set_faults
from snapshots import values

from etl.cli.views.summary import show_summary
from etl.ledger.quality.empty_columns import describe_empty_columns
from etl.models.states import DriftState
from etl.pipeline import Summary
from etl.simulator import Simulator

CONTACTS = ("contacts",)


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    """Give an agency of more contacts than a coincidence explains."""
    with serve_agency(contacts=30) as served:
        yield served


def read(site: Site, simulator: Simulator, *faults: str, **options: Any) -> Summary:
    """Read all contacts under faults."""
    set_faults(simulator, *faults)
    try:
        return site.sync_once(**{"resources": CONTACTS, **options})
    finally:
        set_faults(simulator)


def named(summary: Summary) -> list[str]:
    return list(describe_empty_columns(summary.drift))


def test_a_column_that_is_read_under_a_wrong_name_is_named_once(
    site: Site, simulator: Simulator, capsys: pytest.CaptureFixture[str]
) -> None:
    first = read(site, simulator, "rename-field:City=Town", "rename-field:Line1=Street")
    assert "columns city and line1 of contacts are empty in all 67 records" in named(first)  # one of 68 is deleted
    assert "columns city and line1 of carriers are empty in all 29 records" in named(first), "carriers are contacts"
    show_summary(first)
    assert "Probably misread: columns city and line1 of contacts are empty" in capsys.readouterr().out
    assert named(read(site, simulator, "rename-field:City=Town", "rename-field:Line1=Street", full=True)) == []
    columns = "resource = 'contacts' AND path LIKE 'column %' AND state = 'emptied'"
    noted = f"SELECT path FROM etl.drift WHERE {columns} ORDER BY path"
    assert values(site.engine, noted) == ["column city", "column line1"]
    read(site, simulator, "rename-field:Line1=Street", full=True)
    assert values(site.engine, noted) == ["column line1"], "it has values now"


def test_a_field_that_is_null_in_all_records_is_read_correctly(site: Site, simulator: Simulator) -> None:
    assert named(read(site, simulator, "set-field:City=null")) == []


def test_columns_with_values_are_not_named(site: Site, simulator: Simulator) -> None:
    assert named(read(site, simulator)) == []


def test_a_sample_says_nothing(site: Site, simulator: Simulator) -> None:
    assert named(read(site, simulator, "rename-field:City=Town", limit=25)) == []
    assert values(site.engine, "SELECT path FROM etl.drift WHERE path LIKE 'column%'") == []


def test_few_records_say_nothing_until_there_are_more(site: Site, simulator: Simulator) -> None:
    with serve_agency(contacts=1) as small:
        few = site.with_settings(qqcatalyst_api_url=small.api_url, qqcatalyst_token_url=small.token_url)
        summary = read(few, small, "rename-field:ClaimNumber=Number", resources=("claims",))
    assert [change for change in summary.drift if change.state is DriftState.EMPTIED] == []


def test_the_few_offices_of_an_agency_say_that_their_name_is_misread(site: Site, simulator: Simulator) -> None:
    faults = ("rename-field:LocationName=Office", "rename-field:Fax=Facsimile")
    assert named(read(site, simulator, *faults, resources=("locations",))) == [
        "column name of locations is empty in all 3 records"
    ], "a fax is nothing that every office has"
    assert named(read(site, simulator, *faults, resources=("locations",))) == []


def test_a_list_that_is_read_before_the_records_to_which_it_adds_is_read_correctly(
    site: Site, simulator: Simulator
) -> None:
    assert named(read(site, simulator, resources=("carrier_list",))) == []


def test_columns_that_another_source_fills_are_not_named_before_it_was_read(site: Site, simulator: Simulator) -> None:
    # Fees come with policies and with quotes; only those of quotes have a quote.
    of_fees = [text for text in named(read(site, simulator, resources=("policies",))) if "of fees" in text]
    assert of_fees == []
    assert values(site.engine, "SELECT count(*) FROM fees WHERE quote_id IS NULL")[0] > 5
