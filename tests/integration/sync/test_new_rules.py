"""Changed rules: refused records are cleaned again automatically, and a replay is offered for the others."""

from sites import Site
from snapshots import value

from etl.events import Message
from etl.pipeline import Watcher
from etl.simulator import Simulator

REFUSED = "SELECT count(*) FROM raw.raw_contacts WHERE superseded_at IS NULL AND loaded_at IS NULL"
LOADED = "SELECT count(*) FROM contacts WHERE NOT is_placeholder"


def test_records_refused_by_strict_rules_are_loaded_under_lenient_ones(site: Site, simulator: Simulator) -> None:
    key = next(iter(simulator.world.contacts))
    simulator.world.contacts.change(key, None, Email="dana at example.com")
    strict = site.with_settings(etl_validation="strict")
    assert strict.sync_once().exit_status == 0
    contacts = len(simulator.world.contacts)
    refused = value(site.engine, REFUSED)
    assert refused >= 1
    assert value(site.engine, LOADED) == contacts - refused
    notes: list[str] = []
    watcher = Watcher(lambda event: notes.append(event.text) if isinstance(event, Message) else None)
    assert site.sync_once(watcher=watcher).exit_status == 0
    assert value(site.engine, REFUSED) == 0
    assert value(site.engine, LOADED) == contacts
    assert value(site.engine, f"SELECT email FROM contacts WHERE source_id = '{key}'") is None
    assert any("rules changed" in note and "qqetl replay" in note for note in notes)


def test_under_the_same_rules_nothing_is_cleaned_again(site: Site) -> None:
    strict = site.with_settings(etl_validation="strict")
    strict.sync_once()
    before = value(site.engine, REFUSED)
    notes: list[str] = []
    watcher = Watcher(lambda event: notes.append(event.text) if isinstance(event, Message) else None)
    assert strict.sync_once(watcher=watcher).exit_status == 0
    assert value(site.engine, REFUSED) == before
    assert not any("rules changed" in note for note in notes)
