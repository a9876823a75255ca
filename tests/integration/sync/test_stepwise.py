"""The three services in sequence lead to the same tables as a sync, and do nothing when called again."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from sites import Site, open_site, set_faults
from snapshots import changed_tables, differences, digest, row_versions, value, values
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from etl.errors import UsageError
from etl.extract.service import ExtractService
from etl.load import LoadService
from etl.models.states import BatchState
from etl.simulator import Simulator
from etl.transform import TransformService
from etl.window import FIRST_INSTANT

EVER = {"start_date": FIRST_INSTANT, "end_date": "2999-01-01"}
Handed = Callable[[Engine], Any]


def in_steps(site: Site, handed: Handed = lambda engine: engine) -> UUID:
    """Run the three services and return the id of the batch."""
    batch_id = ExtractService(handed(site.engine), settings=site.settings).extract_data(EVER)
    TransformService(handed(site.engine), settings=site.settings).transform_batch(batch_id)
    results = LoadService(handed(site.engine), settings=site.settings).load_batch(batch_id, EVER)
    assert results.status is BatchState.COMPLETED, value(site.engine, "SELECT error FROM etl.batches")
    return batch_id


@pytest.mark.parametrize("handed", [Session, lambda engine: engine], ids=["session", "engine"])
def test_the_services_lead_to_the_same_tables_as_a_sync(site: Site, synced: Site, handed: Handed) -> None:
    in_steps(site, handed)
    assert differences(digest(site.engine), digest(synced.engine)) == []


def test_the_services_store_their_api_calls(site: Site) -> None:
    site.take_calls()
    in_steps(site)
    assert value(site.engine, "SELECT calls FROM etl.batches") == len(calls_of(site)) > 0


def calls_of(site: Site) -> list[str]:
    """Return the API calls since the last check, without those for a token."""
    return [call for call in site.take_calls() if not call.startswith("/oauth/")]


def test_the_services_store_the_same_counts_as_a_sync(site: Site, synced: Site) -> None:
    in_steps(site)
    query = """
        SELECT CAST(to_jsonb(part) - ARRAY['batch_id', 'window_end', 'position'] AS text)
        FROM etl.batch_resources AS part ORDER BY number
    """
    assert values(site.engine, query) == values(synced.engine, query)
    findings_query = "SELECT concat_ws(' ', resource, source_id, field, rule, severity) FROM etl.findings ORDER BY 1"
    assert values(site.engine, findings_query) == values(synced.engine, findings_query)
    raw = "SELECT concat_ws(' ', source_id, status, finding_count, loaded_at IS NULL) FROM raw.raw_contacts ORDER BY 1"
    assert values(site.engine, raw) == values(synced.engine, raw)
    marks = "SELECT concat_ws(' ', resource, complete_from) FROM etl.watermarks ORDER BY 1"
    assert values(site.engine, marks) == values(synced.engine, marks)


def test_a_step_called_twice_changes_nothing(site: Site) -> None:
    batch_id = in_steps(site)
    before = row_versions(site.engine)
    counts = "SELECT CAST(to_jsonb(part) AS text) FROM etl.batch_resources AS part ORDER BY number"
    books = values(site.engine, counts)
    TransformService(site.engine, settings=site.settings).transform_batch(batch_id)
    LoadService(site.engine, settings=site.settings).load_batch(batch_id, EVER)
    assert changed_tables(before, row_versions(site.engine)) == set()
    assert values(site.engine, counts) == books
    assert value(site.engine, "SELECT status FROM etl.batches") == BatchState.COMPLETED


def test_a_transform_called_twice_before_the_load_counts_once(site: Site, synced: Site) -> None:
    batch_id = ExtractService(site.engine, settings=site.settings).extract_data(EVER)
    for _ in range(2):
        TransformService(site.engine, settings=site.settings).transform_batch(batch_id)
    assert LoadService(site.engine, settings=site.settings).load_batch(batch_id, EVER).status is BatchState.COMPLETED
    assert differences(digest(site.engine), digest(synced.engine)) == []


def test_a_page_read_again_keeps_the_counts_balanced(site: Site, simulator: Simulator) -> None:
    """A record that arrives twice before it is cleaned is one record and one duplicate."""
    set_faults(simulator, "page-drift:1")
    in_steps(site.with_settings(etl_page_size=4))
    assert value(site.engine, "SELECT sum(duplicate) FROM etl.batch_resources WHERE resource = 'contacts'") > 0


def test_a_second_extract_before_the_first_is_loaded_loses_nothing(site: Site, synced: Site) -> None:
    service = ExtractService(site.engine, settings=site.settings)
    first, second = service.extract_data(EVER), service.extract_data(EVER)
    for batch_id in (first, second):
        TransformService(site.engine, settings=site.settings).transform_batch(batch_id)
        assert (
            LoadService(site.engine, settings=site.settings).load_batch(batch_id, EVER).status is BatchState.COMPLETED
        )
    assert differences(digest(site.engine), digest(synced.engine)) == []


def test_only_the_given_resources_are_read(site: Site) -> None:
    batch_id = ExtractService(site.engine, settings=site.settings).extract_data(EVER, ["contacts"])
    assert values(site.engine, "SELECT DISTINCT resource FROM etl.requests") == ["contacts"]
    TransformService(site.engine, settings=site.settings).transform_batch(batch_id)
    assert LoadService(site.engine, settings=site.settings).load_batch(batch_id, EVER).status is BatchState.COMPLETED
    assert value(site.engine, "SELECT count(*) FROM contacts WHERE NOT is_placeholder") > 0
    assert value(site.engine, "SELECT count(*) FROM policies") == 0


def test_an_unknown_batch_is_a_usage_error(site: Site) -> None:
    for step in (
        lambda: TransformService(site.engine, settings=site.settings).transform_batch(UUID(int=5)),
        lambda: LoadService(site.engine, settings=site.settings).load_batch(UUID(int=5), EVER),
    ):
        with pytest.raises(UsageError, match="no batch 00000000"):
            step()


def test_a_session_inside_a_transaction_is_a_usage_error(site: Site) -> None:
    with Session(site.engine) as session, session.begin():
        session.connection()
        with pytest.raises(UsageError, match="inside a transaction"):
            ExtractService(session, settings=site.settings)


def test_a_new_version_replaces_an_old_one_that_is_not_cleaned_yet(simulator: Simulator, database_url: str) -> None:
    with open_site(simulator, database_url) as site:
        service = ExtractService(site.engine, settings=site.settings)
        first = service.extract_data(EVER)
        contact = simulator.world.contacts[next(iter(simulator.world.contacts))]
        now = simulator.server.now()
        simulator.world.contacts.change(contact["EntityID"], now, Line1="7 New Street")
        second = service.extract_data(EVER)
        for batch_id in (second, first):
            TransformService(site.engine, settings=site.settings).transform_batch(batch_id)
            LoadService(site.engine, settings=site.settings).load_batch(batch_id, EVER)
        lived = value(site.engine, "SELECT line1 FROM contacts WHERE source_id = :id", id=str(contact["EntityID"]))
        assert lived == "7 New Street"
        assert values(site.engine, "SELECT DISTINCT status FROM etl.batches") == [BatchState.COMPLETED]
