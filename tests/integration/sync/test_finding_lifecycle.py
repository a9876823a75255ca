"""The life cycle of findings over whole runs: unknown codes, closed and reopened findings, the cap."""

from typing import Any

import pytest
from sites import Site
from snapshots import column, pairs, value, values
from sqlalchemy import text

from etl.checks.after_load import describe_left_out, run_checks_after_load
from etl.events import Message
from etl.ledger.batches import read_newest_batch
from etl.ledger.quality import finding_lifecycle, findings
from etl.ledger.transaction import Ledger
from etl.simulator import Simulator

SEEN = "SELECT concat_ws(' ', state, times_seen) FROM etl.findings WHERE "
#: A contact with status I is part of the agency: its code is unknown from the beginning.
CODES = (
    SEEN.replace("SELECT", "SELECT source_id,") + "rule = 'code-unknown' AND field = 'status' AND source_id <> 'code:I'"
)


def edit(simulator: Simulator, key: Any, **fields: Any) -> None:
    simulator.world.contacts.change(key, simulator.server.now(), **fields)


def living(simulator: Simulator, number: int) -> list[Any]:
    """Return the ids of some customers with a common status."""
    contacts = simulator.world.contacts
    return [key for key in simulator.world.clients if contacts[key]["Status"] == "A"][:number]


def batch_of(site: Site) -> Any:
    with site.engine.connect() as connection:
        batch = read_newest_batch(connection, "default")
        assert batch is not None
        return batch.id


def settled(site: Site) -> None:
    with site.engine.begin() as connection:
        finding_lifecycle.update_findings(connection, "default", batch_of(site), everything=True)


def test_an_unknown_code_is_reported_once_and_counted(synced: Site, simulator: Simulator) -> None:
    some = living(simulator, 3)
    for key in some:
        edit(simulator, key, Status="q")
    synced.sync_once()
    assert pairs(synced.engine, CODES) == [("code:Q", "open 3")]
    query = "SELECT concat_ws('|', message, raw_value, severity) FROM etl.findings WHERE source_id = 'code:Q'"
    assert value(synced.engine, query) == "status is not a known contact status code: Q|Q|noted"
    edit(simulator, some[0], Status="A")
    synced.sync_once()
    assert pairs(synced.engine, CODES) == [("code:Q", "open 2")]
    for key in some:
        edit(simulator, key, Status="A")
    synced.sync_once()
    assert pairs(synced.engine, CODES) == [("code:Q", "fixed 1")]


def test_the_finding_of_a_code_that_became_known_is_fixed(synced: Site) -> None:
    with synced.engine.begin() as connection:
        connection.execute(
            text("""
                INSERT INTO etl.findings
                    (tenant, resource, table_name, source_id, field, rule, severity, message, raw_value, batch_id)
                VALUES ('default', 'contacts', 'contacts', 'code:A', 'status', 'code-unknown', 'noted', 'm', 'A', :id)
            """),
            {"id": batch_of(synced)},
        )
    settled(synced)
    assert pairs(synced.engine, CODES) == [("code:A", "fixed 1")]


def test_every_record_with_a_refused_code_has_a_finding(synced: Site, simulator: Simulator) -> None:
    (key,) = living(simulator, 1)
    edit(simulator, key, Status="W")
    synced.with_settings(etl_validation="strict").sync_once()
    query = (
        "SELECT source_id FROM etl.findings WHERE rule = 'code-unknown' AND severity = 'refused' AND field = 'status'"
    )
    assert values(synced.engine, query) == [str(key)]
    edit(simulator, key, Status="A")
    synced.sync_once()
    state = f"SELECT state FROM etl.findings WHERE rule = 'code-unknown' AND source_id = '{key}'"
    assert values(synced.engine, state) == ["fixed"]


def test_the_findings_of_a_deleted_record_are_closed(synced: Site, simulator: Simulator) -> None:
    (key,) = living(simulator, 1)
    state = f"SELECT state FROM etl.findings WHERE source_id = '{key}' AND rule = 'email-no-domain'"
    edit(simulator, key, Email="somebody@")
    synced.sync_once()
    assert values(synced.engine, state) == ["open"]
    edit(simulator, key, Status="D")
    synced.sync_once()
    assert values(synced.engine, state) == ["closed"]
    edit(simulator, key, Status="A")
    synced.sync_once()
    assert values(synced.engine, state) == ["open"]
    edit(simulator, key, Email=None)
    synced.sync_once()
    assert values(synced.engine, state) == ["fixed"]


def test_a_full_check_after_a_run_changes_nothing(synced: Site, simulator: Simulator) -> None:
    dies, dead, vanishes = living(simulator, 3)
    state = f"SELECT state FROM etl.findings WHERE rule = 'email-no-domain' AND source_id = '{dead}'"
    lie = "SELECT concat(xmin, ctid, state) FROM etl.findings ORDER BY 1"

    def sync_whole(**options: Any) -> None:
        synced.sync_once(**options)
        before = values(synced.engine, lie)
        settled(synced)
        assert values(synced.engine, lie) == before

    edit(simulator, dies, Email="somebody@")
    edit(simulator, dead, Status="D")
    edit(simulator, vanishes, Email="somebody@")
    sync_whole()
    edit(simulator, dies, Status="D")
    edit(simulator, dead, Email="somebody@")
    sync_whole()
    assert values(synced.engine, state) == ["closed"], "belongs to a record that was already deleted"
    simulator.world.contacts.drop(vanishes)
    sync_whole(full=True, resources=("contacts",))
    query = "SELECT DISTINCT state FROM etl.findings WHERE rule = 'email-no-domain' AND source_id = ANY(:some)"
    assert values(synced.engine, query, some=[str(dies), str(dead), str(vanishes)]) == ["closed"]


def test_the_findings_of_a_missing_record_are_closed_and_reopened_by_an_undo(
    synced: Site, simulator: Simulator
) -> None:
    (key,) = living(simulator, 1)
    edit(simulator, key, Email="somebody@")
    synced.sync_once()
    state = f"SELECT state FROM etl.findings WHERE source_id = '{key}' AND rule = 'email-no-domain'"
    for ended, wanted in (("now()", "closed"), ("NULL", "open")):
        with synced.engine.begin() as connection:
            connection.execute(
                text(
                    f"UPDATE raw.raw_contacts SET superseded_at = {ended} WHERE id IN (SELECT raw_id FROM etl.findings)"
                )
            )
        settled(synced)
        assert values(synced.engine, state) == [wanted]
    edit(simulator, key, Email=None)
    synced.sync_once()


def test_updating_findings_twice_writes_nothing(synced: Site, simulator: Simulator) -> None:
    edit(simulator, living(simulator, 1)[0], Status="K", Phone="12")
    synced.sync_once()
    lie = "SELECT concat(xmin, ctid) FROM etl.findings ORDER BY ctid"
    before = values(synced.engine, lie)
    settled(synced)
    assert before
    assert values(synced.engine, lie) == before


def keep(site: Site, records: int, batch: Any) -> None:
    """Store a finding for each of several records, in a transaction of its own."""
    rows = [
        ("contacts", f"r{number}", "email", "email-no-domain", "dropped", "m", "x@", batch) for number in range(records)
    ]
    with site.engine.begin() as connection:
        findings.write_findings(connection, "default", "contacts", batch, [row[1] for row in rows], rows)


def test_the_cap_applies_to_the_run_and_omitted_findings_are_reported(
    synced: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(findings, "CAP", 5)
    monkeypatch.setattr("etl.checks.after_load.CAP", 5)
    batch = batch_of(synced)
    keep(synced, 4, batch)
    keep(synced, 8, batch)
    query = "SELECT count(*) FROM etl.findings WHERE rule = 'email-no-domain' AND source_id LIKE 'r%'"
    assert value(synced.engine, query) == 4, "the finding within the cap already exists"
    wanted = "contacts: 7 more findings of email-no-domain were counted but not stored; a run stores 5."
    with synced.engine.connect() as connection:
        assert describe_left_out(connection, batch) == [wanted]
    notes: list[str] = []
    run_checks_after_load(
        Ledger(synced.engine, "default"),
        batch,
        lambda event: notes.append(event.text) if isinstance(event, Message) else None,
    )
    assert wanted in notes


def test_a_finding_beyond_the_cap_is_not_considered_fixed(synced: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = batch_of(synced), Ledger(synced.engine, "default")
    keep(synced, 8, first)
    monkeypatch.setattr(findings, "CAP", 2)
    with second.engine.begin() as connection:
        later = next(iter(column(connection, "SELECT gen_random_uuid()")))
    keep(synced, 8, later)
    assert values(synced.engine, "SELECT DISTINCT state FROM etl.findings WHERE source_id LIKE 'r%'") == ["open"]


def test_the_finding_of_a_check_is_kept_when_its_record_is_read_again(synced: Site, simulator: Simulator) -> None:
    (key,) = living(simulator, 1)
    edit(simulator, key, Zip="33010", State="NY")
    synced.sync_once()
    query = f"{SEEN} source_id = '{key}' AND rule = 'zip-not-in-state'"
    assert values(synced.engine, query) == ["open 1"]
    edit(simulator, key, Line1="9 New Street")
    synced.sync_once()
    assert values(synced.engine, query) == ["open 1"]
    edit(simulator, key, State="FL")
    synced.sync_once()
    assert values(synced.engine, query) == ["fixed 1"]


UNUSABLE = "SELECT state FROM etl.findings WHERE rule = 'record-unusable' AND resource = :resource ORDER BY id"


def test_the_finding_of_an_unusable_record_is_closed_when_its_date_range_is_read_completely(
    synced: Site, simulator: Simulator
) -> None:
    (key,) = living(simulator, 1)
    edit(simulator, key, EntityID=None)
    synced.sync_once()
    edit(simulator, key, EntityID=key)
    assert values(synced.engine, UNUSABLE, resource="contacts") == ["open"]
    synced.sync_once(full=True, resources=("contacts",))
    assert values(synced.engine, UNUSABLE, resource="contacts") == ["closed"]


def test_the_finding_of_an_unusable_record_is_closed_when_the_same_call_is_made_again(
    synced: Site, simulator: Simulator
) -> None:
    office = simulator.world.locations[0]
    usable_id = office["LocationID"]
    for office_id, states in ((None, ["open"]), (None, ["closed", "open"]), (usable_id, ["closed", "closed"])):
        office["LocationID"] = office_id
        synced.sync_once(resources=("locations",))
        assert values(synced.engine, UNUSABLE, resource="locations") == states
