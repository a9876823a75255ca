"""Schema drift over whole runs: a change of the API's answers is reported once, by the run that saw it first."""

from collections.abc import Iterator
from typing import Any

import pytest
from sites import Site, serve_agency, set_faults
from snapshots import value
from sqlalchemy import text

from etl.models.states import DriftState
from etl.pipeline import Summary
from etl.simulator import Simulator

CONTACTS = ("contacts",)
GONE = "is missing: 100% of records had it, but none of the 68 sampled records has it"


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    """Give an agency large enough that a missing field is no coincidence."""
    with serve_agency(contacts=30) as served:
        yield served


def reported_drift(summary: Summary) -> list[tuple[str, DriftState]]:
    """Return what a run reported about the API's answers."""
    return [(f"{change.resource}: {change.description}", change.state) for change in summary.drift]


def read(site: Site, simulator: Simulator, *faults: str, **options: Any) -> Summary:
    """Read all contacts under faults."""
    set_faults(simulator, *faults)
    try:
        return site.sync_once(**{"resources": CONTACTS, "full": True, **options})
    finally:
        set_faults(simulator)


@pytest.fixture
def synced_once(site: Site, simulator: Simulator) -> Site:
    """Give a database that has read the contacts once."""
    assert reported_drift(read(site, simulator)) == []
    return site


@pytest.mark.parametrize(
    ("fault", "words", "state"),
    [
        ('set-field:Mood="glad"', "contacts: new field Mood (text)", DriftState.NEW),
        ("lost-field:City", f"contacts: City {GONE}", DriftState.LOST),
        ('set-field:LocationID="x"', "contacts: LocationID was number and is now text", DriftState.RETYPED),
        ('set-field:ContactType="Q"', "contacts: ContactType has a new code: Q", DriftState.NEW_CODE),
        ("set-field:DisplayName=null", "contacts: DisplayName is empty in all 68 sampled records; 100% had a value",
         DriftState.EMPTIED),
    ],
)  # fmt: skip
def test_a_change_is_reported_once(
    synced_once: Site, simulator: Simulator, fault: str, words: str, state: DriftState
) -> None:
    assert reported_drift(read(synced_once, simulator, fault)) == [(words, state)]
    assert reported_drift(read(synced_once, simulator, fault)) == []
    assert value(synced_once.engine, "SELECT count(*) FROM etl.drift WHERE state <> 'known'") == 1
    left = [(f"contacts: Mood {GONE}", DriftState.LOST)] if state is DriftState.NEW else []
    assert reported_drift(read(synced_once, simulator)) == left
    if state in (DriftState.LOST, DriftState.EMPTIED):
        assert value(synced_once.engine, "SELECT count(*) FROM etl.drift WHERE state <> 'known'") == 0


def test_a_run_of_few_records_reports_no_lost_field(synced_once: Site, simulator: Simulator) -> None:
    assert reported_drift(read(synced_once, simulator, "lost-field:City", full=False)) == []


def test_no_personal_value_is_stored(synced_once: Site, simulator: Simulator) -> None:
    read(synced_once, simulator, 'set-field:Status="Rivera of Elm Street"')
    with synced_once.engine.connect() as connection:
        kept = str(connection.execute(text("SELECT array_agg(line::text) FROM etl.drift AS line")).scalar_one())
    people = list(simulator.world.contacts.values())
    values = {item[name] for item in people for name in ("Email", "Phone", "Line1", "DisplayName")}
    assert len(values) > len(people)
    assert [item for item in (*values, "Rivera") if item and item.strip() and item in kept] == []


def test_a_failed_resource_is_profiled_as_well(synced_once: Site, simulator: Simulator) -> None:
    summary = read(synced_once, simulator, "wrong-total:2", 'set-field:Mood="glad"')
    assert summary.exit_status == 6
    assert reported_drift(summary) == [("contacts: new field Mood (text)", DriftState.NEW)]


def test_a_published_status_is_not_reported_as_new(site: Site, simulator: Simulator) -> None:
    policies = {"resources": ("policies",), "full": True}
    read(site, simulator, 'set-field:Status="A"', **policies)
    assert [words for words, _ in reported_drift(read(site, simulator, 'set-field:Status="P"', **policies))] == []
    news = [words for words, _ in reported_drift(read(site, simulator, 'set-field:Status="ZZ"', **policies))]
    assert news == ["policies: Status has a new code: ZZ"]
