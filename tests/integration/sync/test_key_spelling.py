"""Keys are matched without regard to case: a run over re-spelled answers ends with the same tables as one without."""

from collections.abc import Iterator

import pytest
from databases import MIGRATED, clone_database
from sites import Site, make_children_due, open_site, set_faults
from snapshots import differences, digest, pairs, value, values

from etl.database.embedded.server import EmbeddedPostgres
from etl.models import PRODUCTION
from etl.pipeline.replay import replay
from etl.simulator import Simulator
from etl.status.explain import explain

#: Every way in which the simulator spells keys. `every` gives each key of an answer another case, envelope included.
CASINGS = ("swap", "lower", "every")
#: What may differ between two runs over the same records: the spelling is that of the answers.
FINDINGS = "SELECT table_name || ' ' || source_id || ' ' || field, rule FROM etl.findings ORDER BY 1, 2"
VERSIONS = "SELECT source_id, count(*) FROM history.policies GROUP BY 1 ORDER BY 1"


@pytest.fixture(scope="module", params=CASINGS)
def casing(request: pytest.FixtureRequest) -> str:
    return f"id-casing:{request.param}"


@pytest.fixture(scope="module")
def respelled(server: EmbeddedPostgres, simulator: Simulator, casing: str) -> Iterator[Site]:
    """Give one database that was synced once with re-spelled answers to all tests, which only read it."""
    with clone_database(server.url, MIGRATED) as url, open_site(simulator, url) as site:
        set_faults(simulator, casing)
        summary = site.sync_once()
        assert summary.exit_status == 0, summary.batch.error
        set_faults(simulator)
        yield site


@pytest.mark.fact("key-case")
def test_respelled_answers_fill_the_same_tables(as_synced: Site, respelled: Site) -> None:
    assert differences(digest(as_synced.engine), digest(respelled.engine)) == []
    assert pairs(respelled.engine, FINDINGS) == pairs(as_synced.engine, FINDINGS)
    assert pairs(respelled.engine, "SELECT resource, path FROM etl.drift WHERE state <> 'known'") == []


def test_staging_keeps_the_spelling_of_the_api(as_synced: Site, respelled: Site, casing: str) -> None:
    keys = "SELECT DISTINCT key FROM raw.raw_policies, jsonb_object_keys(raw_data) AS key"
    plain, others = set(values(as_synced.engine, keys)), set(values(respelled.engine, keys))
    assert {key.casefold() for key in plain} == {key.casefold() for key in others}
    assert len(others - plain) >= (len(plain) - 1 if casing.endswith("every") else 4)


def test_explain_and_replay_agree_with_the_rows(respelled: Site) -> None:
    for model in PRODUCTION:
        table = model.__tablename__
        with respelled.engine.connect() as connection:
            for source_id in values(respelled.engine, f"SELECT source_id FROM {table} ORDER BY 1 LIMIT 5"):
                explanation = explain(connection, respelled.settings.cleaning, table, source_id)
                columns = [column for source in explanation.sources for column in source.columns]
                assert [column.column for column in columns if column.differs] == [], (table, source_id)
    assert replay(respelled.engine, respelled.settings).changes == {}


def test_an_api_that_changes_its_spelling_changes_no_row(synced: Site, simulator: Simulator, casing: str) -> None:
    before, versions = digest(synced.engine), pairs(synced.engine, VERSIONS)
    make_children_due(synced)
    set_faults(simulator, casing)
    summary = synced.sync_once(full=True)
    assert summary.exit_status == 0, summary.batch.error
    assert differences(before, digest(synced.engine)) == []
    assert pairs(synced.engine, VERSIONS) == versions
    assert pairs(synced.engine, "SELECT resource, path FROM etl.drift WHERE state <> 'known'") == []
    assert replay(synced.engine, synced.settings).changes == {}


def test_children_of_respelled_parents_are_due_as_others_are(as_synced: Site, respelled: Site) -> None:
    queue = "SELECT resource || ' ' || parent_id, priority FROM etl.child_queue ORDER BY 1"
    assert pairs(respelled.engine, queue) == pairs(as_synced.engine, queue)


def test_the_declared_spelling_wins_and_a_second_one_is_reported(as_synced: Site, site: Site) -> None:
    set_faults(site.simulator, 'set-field:policynumber="another"')
    summary = site.sync_once()
    assert summary.exit_status == 0, summary.batch.error
    numbers = "SELECT source_id, policy_number FROM policies ORDER BY 1"
    assert pairs(site.engine, numbers) == pairs(as_synced.engine, numbers)
    change = value(site.engine, "SELECT change FROM etl.drift WHERE resource = 'policies' AND path = 'policynumber'")
    assert change == "policynumber is a second spelling of PolicyNumber, which is read"
