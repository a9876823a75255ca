"""The status views: their columns, lag and gaps, and placeholders."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Connection, Engine, text

from etl.copy_text import format_row
from etl.ledger import batches, watermarks
from etl.load.rows import LoadContext, load_rows, write_stubs
from etl.models import Department
from etl.models.base import PRIMARY, row_id
from etl.models.states import ResourceState
from etl.reshape.reshaper import Row, row_columns
from etl.resources import find_resource
from etl.status.status import Freshness, load_status
from etl.window import FIRST_INSTANT, Window

TENANT, BATCH = "t", UUID(int=1)
HOUR = timedelta(hours=1)


@pytest.fixture
def connection(engine: Engine) -> Iterator[Connection]:
    """Yield a connection inside a transaction, in which the time does not advance."""
    with engine.begin() as opened:
        yield opened


def now(connection: Connection) -> datetime:
    moment: datetime = connection.execute(text("SELECT now()")).scalar_one()
    return moment.astimezone(UTC)


def freshness(connection: Connection, name: str) -> Freshness:
    """Return the freshness of a resource."""
    return next(resource for resource in load_status(connection, TENANT).resources if resource.resource == name)


def run(connection: Connection, name: str, state: ResourceState, error: str | None = None, **more: Any) -> None:
    """Write a batch in which one resource ended in a state."""
    window = Window(FIRST_INSTANT, now(connection))
    batch = batches.build_batch(TENANT, window, "rules", more.get("command", "sync"), {})
    batches.create_batch(connection, batch, {name: window}, "test")
    batches.set_resource_state(connection, batch.id, name, state, error)


def complete(connection: Connection, name: str, *hours_ago: tuple[int | None, int]) -> None:
    """Add complete windows of a resource, in hours before now; None is the first instant."""
    at = now(connection)
    for start, end in hours_ago:
        begun = FIRST_INSTANT if start is None else at - start * HOUR
        watermarks.advance_watermark(connection, TENANT, name, Window(begun, at - end * HOUR))


@pytest.mark.parametrize(
    ("view", "wanted"),
    [
        ("freshness", "tenant resource complete_to lag open_gaps last_error"),
        ("quality", "tenant resource rows open_refused open_dropped open_repaired open_noted"),
        ("orphans", "tenant table_name source_id label since age referred_to referred_by"),
    ],
)
def test_a_view_has_the_documented_columns(connection: Connection, view: str, wanted: str) -> None:
    columns = connection.execute(text(f"SELECT * FROM etl.{view}")).keys()
    assert list(columns) == wanted.split()


def test_lag_counts_from_the_end_of_the_first_complete_window(connection: Connection) -> None:
    complete(connection, "contacts", (None, 3), (2, 1))
    contacts = freshness(connection, "contacts")
    assert (contacts.lag, len(contacts.gaps)) == (3 * HOUR, 1)
    assert contacts.complete_to == now(connection) - 3 * HOUR
    gaps = connection.execute(text("SELECT open_gaps FROM etl.freshness WHERE resource = 'contacts'")).scalar_one()
    assert gaps == 1
    assert (contacts.is_late(2 * HOUR), contacts.is_late(4 * HOUR)) == (True, False)


def test_a_resource_without_its_oldest_window_has_a_gap_and_no_lag(connection: Connection) -> None:
    complete(connection, "contacts", (5, 1))
    contacts = freshness(connection, "contacts")
    assert (contacts.complete_to, contacts.lag, len(contacts.gaps)) == (None, None, 1)
    assert contacts.is_late(1000 * HOUR)


def test_a_resource_that_is_not_offered_is_never_late(connection: Connection) -> None:
    watermarks.write_offer(connection, TENANT, "claims", offered=False, reason="404")
    assert not freshness(connection, "claims").is_late(HOUR)


@pytest.mark.parametrize(("due", "lag"), [(None, 1), (5, 5), (0, 1)])
def test_the_lag_of_details_is_that_of_their_oldest_call_or_parent(
    connection: Connection, due: int | None, lag: int
) -> None:
    complete(connection, "policies", (None, 1))
    assert freshness(connection, "quotes").lag is None, "nobody has asked yet"
    run(connection, "quotes", ResourceState.DONE)
    at = now(connection) + HOUR if due is None else now(connection) - due * HOUR
    connection.execute(
        text("""
            INSERT INTO etl.child_queue
                (tenant, resource, parent_id, parent_raw_id, priority, parent_version_at, due_at)
            VALUES ('t', 'quotes', '1', gen_random_uuid(), 0, now(), :at)
        """),
        {"at": at},
    )
    assert freshness(connection, "quotes").lag == lag * HOUR


def test_the_error_of_the_newest_run_is_shown(engine: Engine) -> None:
    runs = ((ResourceState.FAILED, "away", "away"), (ResourceState.DONE, None, None))
    for state, error, shown in runs:
        with engine.begin() as connection:
            run(connection, "claims", state, error)
        with engine.connect() as connection:
            claims = freshness(connection, "claims")
            assert (claims.error, claims.error_at is not None) == (shown, shown is not None)


def test_a_replay_does_not_change_freshness(connection: Connection) -> None:
    run(connection, "claims", ResourceState.FAILED, "refused", command="replay")
    assert freshness(connection, "claims").error is None


def department(number: int, *, dead: bool = False) -> Row:
    """Return a department of office 77."""
    key, at, raw_id = str(row_id(TENANT, "departments", str(number))), datetime(2026, 3, 1, tzinfo=UTC), str(uuid4())
    office = str(row_id(TENANT, "locations", "77"))
    gone = at if dead else None
    values = [key, str(number), office, None, "a", True, at, at, at, gone, uuid4().hex, raw_id]
    return Row(key, raw_id, format_row(values), undated=False, deleted=dead)


def test_placeholders_are_listed_with_their_age_and_references(engine: Engine) -> None:
    target = LoadContext(TENANT, BATCH, Window(FIRST_INSTANT, datetime(2100, 1, 1, tzinfo=UTC)))
    with engine.begin() as connection:
        write_stubs(connection, target, [("locations", "77", "North", datetime(2026, 3, 1, tzinfo=UTC))], {})
        rows = [department(1), department(2), department(3, dead=True)]
        load_rows(connection, target, find_resource("departments"), row_columns(Department, PRIMARY), rows)
        connection.execute(text("UPDATE locations SET created_at = now() - interval '3 days'"))
    with engine.connect() as connection:
        (orphan,) = connection.execute(text("SELECT * FROM etl.orphans")).all()
        assert (orphan.table_name, orphan.source_id, orphan.label) == ("locations", "77", "North")
        assert orphan.age >= timedelta(days=3)
        assert (orphan.referred_to, orphan.referred_by) == (2, ["departments.location_id"])
        assert [(placeholder.table, placeholder.number) for placeholder in load_status(connection, TENANT).orphans] == [
            ("locations", 1)
        ]
        assert freshness(connection, "departments").rows == 2
        assert (freshness(connection, "locations").rows, freshness(connection, "locations").placeholders) == (0, 1)
    with engine.begin() as connection:
        connection.execute(text("UPDATE locations SET is_placeholder = false"))
    with engine.connect() as connection:
        assert load_status(connection, TENANT).orphans == []
