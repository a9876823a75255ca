"""The balance: a resource whose counts do not balance fails with the difference, and its batch never completes."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, Engine, text

from etl.ledger import balance, batches, counters, watermarks
from etl.ledger.batches import Batch
from etl.models.states import FORWARD, BatchState, Outcome, ResourceState
from etl.window import FIRST_INSTANT, Window

TENANT = "t"
WINDOW = Window.of({"start_date": FIRST_INSTANT, "end_date": "2026-03-01"})


@pytest.fixture
def connection(engine: Engine) -> Iterator[Connection]:
    """Yield a connection inside a transaction."""
    with engine.begin() as opened:
        yield opened


def loaded(connection: Connection, **counts: dict[str, int]) -> Batch:
    """Return a fully loaded batch with these counts by resource."""
    batch = batches.build_batch(TENANT, WINDOW, "rules", "sync", {})
    batches.create_batch(connection, batch, dict.fromkeys(counts, WINDOW), "test")
    for state in FORWARD[1:-1]:
        batches.advance_batch(connection, batch.id, state)
    for resource, numbers in counts.items():
        counters.add_counts(connection, batch.id, resource, numbers)
    return batch


def close(connection: Connection, batch: Batch, limit: float = 0.2) -> tuple[BatchState, str | None]:
    """Close every resource and the batch; return the state and error of the batch."""
    for part in batches.read_batch_resources(connection, batch.id):
        balance.close_resource(connection, batch, part, refused_limit=limit)
    state = balance.close_batch(connection, batch.id)
    return state, batches.read_batch(connection, batch.id).error


EVERY_OUTCOME = {"fetched": len(Outcome), **{outcome.value: 1 for outcome in Outcome}}


def test_a_balanced_batch_completes_and_advances_the_watermarks(connection: Connection) -> None:
    batch = loaded(connection, contacts=EVERY_OUTCOME, policies={})
    assert close(connection, batch) == (BatchState.COMPLETED, None)
    assert watermarks.read_complete_windows(connection, TENANT, "contacts") == [WINDOW]


def test_a_missing_record_fails_its_resource_and_the_batch(connection: Connection) -> None:
    for lost in Outcome:
        with connection.begin_nested() as savepoint:
            number = len(Outcome)
            batch = loaded(connection, contacts=EVERY_OUTCOME | {lost.value: 0}, policies=EVERY_OUTCOME)
            state, error = close(connection, batch)
            states = {part.resource: part.status for part in batches.read_batch_resources(connection, batch.id)}
            assert state is BatchState.FAILED
            assert states == {"contacts": ResourceState.FAILED, "policies": ResourceState.DONE}
            assert f"contacts: {number} records were fetched but {number - 1} are accounted for" in (error or "")
            assert watermarks.read_complete_windows(connection, TENANT, "contacts") == []
            assert watermarks.read_complete_windows(connection, TENANT, "policies") == [WINDOW]
            failed = connection.execute(
                text("SELECT last_error FROM etl.freshness WHERE resource = 'contacts'")
            ).scalar_one()
            assert failed.startswith(f"{number} records were fetched")
            savepoint.rollback()


def test_a_record_that_is_counted_twice_fails_the_batch(connection: Connection) -> None:
    batch = loaded(connection, contacts={"fetched": 1, Outcome.INSERTED: 1, Outcome.UNCHANGED: 1})
    assert close(connection, batch)[0] is BatchState.FAILED


def test_closing_a_batch_removes_expired_commit_evidence(connection: Connection) -> None:
    for hours in (1, 25):
        statement = "INSERT INTO etl.commits VALUES (gen_random_uuid(), now() - make_interval(hours => :hours))"
        connection.execute(text(statement), {"hours": hours})
    close(connection, loaded(connection, contacts={}))
    assert connection.execute(text("SELECT now() - noted_at < '1 day' FROM etl.commits")).scalars().all() == [True]


@pytest.mark.parametrize(
    ("refused", "fetched", "limit", "state"),
    [
        (43, 43, 0.2, ResourceState.FAILED),
        (20, 99, 0.2, ResourceState.FAILED),
        (20, 100, 0.2, ResourceState.DONE),  # a fifth is not more than a fifth
        (19, 19, 0.2, ResourceState.DONE),  # single bad records stop nothing
        (43, 43, 1, ResourceState.DONE),
        (20, 1_000_000, 0, ResourceState.FAILED),
    ],
)
def test_too_many_refused_records_fail_their_resource(
    connection: Connection, refused: int, fetched: int, limit: float, state: ResourceState
) -> None:
    counts = {"fetched": fetched, Outcome.REFUSED.value: refused, Outcome.INSERTED.value: fetched - refused}
    batch = loaded(connection, contacts=counts)
    _, error = close(connection, batch, limit)
    [part] = batches.read_batch_resources(connection, batch.id)
    assert part.status is state
    assert (watermarks.read_complete_windows(connection, TENANT, "contacts") == []) is (state is ResourceState.FAILED)
    if state is ResourceState.FAILED:
        amount = "all 43" if refused == fetched else f"{refused} of {fetched}"
        assert f"{amount} records were refused, more than {limit:.0%} (ETL_REFUSED_LIMIT)" in (error or "")
        assert "qqetl findings --resource contacts --open" in (error or "")
