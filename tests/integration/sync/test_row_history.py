"""Row history of whole runs: what was true at the source, and what was shown, at an earlier time."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from sites import Site, make_children_due, serve_agency
from snapshots import value, values
from source_changes import edit, living_contact, living_policy
from sqlalchemy import text

from etl.pipeline.erase.forget import forget
from etl.simulator import Simulator

COUNT = "SELECT count(*) FROM history.{}"


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    """Give the agency of this module, which its tests change by hand."""
    with serve_agency() as served:
        yield served


def now(site: Site) -> datetime:
    """Return the database's time."""
    moment: datetime = value(site.engine, "SELECT clock_timestamp()")
    return moment


def of_policy(site: Site, column: str, condition: str, **bound: Any) -> list[Any]:
    """Return a column of the versions of a policy that meet a condition."""
    query = f"SELECT {column} FROM v_policies_history WHERE source_id = :key AND {condition} ORDER BY known_from"
    return values(site.engine, query, **bound)


def test_the_state_on_a_day_and_the_view_of_that_day_are_one_query_each(synced: Site, simulator: Simulator) -> None:
    key = living_policy(simulator.world)
    first = simulator.world.policies[key]["TotalPremium"]
    shown_first = now(synced)
    at_source = edit(simulator, simulator.world.policies, key, TotalPremium=777.0)
    between = now(synced)  # changed at the source, not yet read
    assert synced.sync_once().exit_status == 0
    in_force = "tstzrange(valid_from, valid_to) @> CAST(:at AS timestamptz)"
    shown = "tstzrange(known_from, known_to) @> CAST(:at AS timestamptz)"

    def premium(condition: str, moment: datetime) -> list[float]:
        return [
            float(premium_text)
            for premium_text in of_policy(synced, "total_premium", condition, key=str(key), at=moment)
        ]

    assert premium(in_force, at_source - timedelta(seconds=1)) == [first]
    assert premium(in_force, at_source + timedelta(seconds=1)) == [777.0]
    assert premium(shown, shown_first) == premium(shown, between) == [first]
    assert premium(shown, now(synced)) == [777.0]


def test_a_secondary_source_and_a_set_make_versions_and_an_unchanged_run_none(
    synced: Site, simulator: Simulator
) -> None:
    synced.sync_once()
    world = simulator.world
    contact, policy = living_contact(world), living_policy(world)
    coverages = world.detail("coverages", policy)
    world.keep("coverages", policy, coverages[:-1])
    edit(simulator, world.contacts, contact, City="Elsewhere")
    edit(simulator, world.policies, policy)
    before = {table: value(synced.engine, COUNT.format(table)) for table in ("contacts", "coverages", "policies")}
    assert synced.sync_once().exit_status == 0
    grown = {table: value(synced.engine, COUNT.format(table)) - number for table, number in before.items()}
    assert grown == {"contacts": 1, "coverages": 1, "policies": 0}, "a touch of the policy makes no version"
    dead = "SELECT live FROM v_coverages_history WHERE source_id = :key ORDER BY known_from"
    assert values(synced.engine, dead, key=str(coverages[-1]["CoverageID"]))[-2:] == [True, False]
    make_children_due(synced)
    before = {table: value(synced.engine, COUNT.format(table)) for table in before}
    assert synced.sync_once(full=True).exit_status == 0
    assert {table: value(synced.engine, COUNT.format(table)) for table in before} == before
    world.keep("coverages", policy, coverages)


def test_a_table_in_the_setting_keeps_its_history_from_the_next_run_on(synced: Site, simulator: Simulator) -> None:
    claims = simulator.world.claims
    key = next(iter(claims))
    edit(simulator, claims, key, Description="first")
    synced.sync_once()
    assert value(synced.engine, COUNT.format("claims")) == 0
    edit(simulator, claims, key, Description="second")
    synced.with_settings(etl_history="claims").sync_once()
    assert values(synced.engine, "SELECT description FROM history.claims") == ["first"]


def test_an_erased_person_leaves_no_earlier_version(synced: Site, simulator: Simulator) -> None:
    world, trace = simulator.world, "Quackenbushel"
    policy = living_policy(world)
    person = world.policies[policy]["CustomerId"]
    for name in (trace, "Somebody"):
        edit(simulator, world.contacts, person, LastName=name)
        edit(simulator, world.policies, policy, CustomerName=name)
        assert synced.sync_once().exit_status == 0
    query = "SELECT count(*) FROM history.{} AS past WHERE CAST(past AS text) LIKE :trace"
    where = ("contacts", "policies")
    assert [value(synced.engine, query.format(table), trace=f"%{trace}%") for table in where] == [1, 1]
    with (
        synced.engine.begin() as connection
    ):  # transferred to somebody else since then, but the version belonged to the person
        connection.execute(text("UPDATE policies SET contact_id = NULL, is_placeholder = true WHERE source_id = :key"),
                           {"key": str(policy)})  # fmt: skip
    counts = forget(synced.engine, synced.settings, str(person), actor="tester").counts
    assert [value(synced.engine, query.format(table), trace=f"%{trace}%") for table in where] == [0, 0]
    assert value(synced.engine, "SELECT count(*) FROM history.contacts WHERE source_id = :key", key=str(person)) == 0
    assert value(synced.engine, "SELECT count(*) FROM history.policies WHERE source_id = :key", key=str(policy)) > 0
    assert {"history.contacts", "history.policies"} <= set(counts)
