"""New rows are copied directly into production, with the same result as a merge, even with concurrent writers."""

import threading
import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
from sqlalchemy import Connection, Engine, text

from etl.copy_text import format_row
from etl.load.chunk import load_chunk
from etl.load.rows import MANY_STUBS, LoadContext, RowWriter, UpsertResult, load_rows, write_stubs
from etl.models import Department
from etl.models.base import PRIMARY, row_id
from etl.record import Record, StagedRecord
from etl.reshape.clean import clean_records
from etl.reshape.reshaper import Reshaper, Row, row_columns
from etl.resources import find_resource
from etl.window import Window

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
FOREVER = Window(datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))
AT_NOON = Window(NOON - timedelta(hours=1), NOON + timedelta(hours=1))
STEPS, WAIT_SECONDS = 8, 30

LOOKS = {
    "rows": """
        SELECT source_id, name, active, is_placeholder, deleted_at, version_at, source_modified_at, content_hash, raw_id
        FROM departments WHERE tenant = :tenant ORDER BY 1
    """,
    "earlier versions": """
        SELECT source_id, name, is_placeholder, deleted_at, version_at FROM history.departments
        WHERE tenant = :tenant ORDER BY known_to, source_id
    """,
    "sync history": """
        SELECT sum(inserted), sum(updated), sum(unchanged), sum(deleted), sum(revived) FROM etl.sync_history AS line
        WHERE line.batch_id = :batch_id
    """,
}


def department(tenant: str, number: int, hours: float = 0, **facts: Any) -> Row:
    """Return a reshaped department, with a version some hours after noon."""
    key, at = str(row_id(tenant, "departments", str(number))), NOON + timedelta(hours=hours)
    gone = at if facts.get("dead") else None
    raw_id = facts.get("raw_id") or str(uuid4())
    values = [key, str(number), facts.get("location"), None, facts.get("name", "a"), True]
    behind = [None, at, at, gone, UUID(raw_id).hex, raw_id]
    return Row(key, raw_id, format_row([*values, *behind]), undated=False, deleted=gone is not None)


def load(
    connection: Connection, tenant: str, rows: Sequence[Row], batch_id: UUID | None = None, window: Window = FOREVER
) -> UpsertResult:
    """Load departments."""
    target = LoadContext(tenant, batch_id or uuid4(), window)
    return load_rows(connection, target, find_resource("departments"), row_columns(Department, PRIMARY), rows)


def look(engine: Engine, **bound: Any) -> dict[str, list[tuple[Any, ...]]]:
    with engine.connect() as connection:
        return {name: [tuple(row) for row in connection.execute(text(query), bound)] for name, query in LOOKS.items()}


def merge_all(self: RowWriter, rows: Sequence[Row]) -> set[str]:
    """Return all ids, as if every row were in the table already."""
    return {row.id for row in rows}


@pytest.mark.parametrize("seeds", [range(15), range(15, 30)], ids=str)
def test_copied_rows_equal_merged_rows(engine: Engine, seeds: range) -> None:
    """The rows are new, known, newer, older, equal, deleted, placeholders, or rejected by PostgreSQL."""
    copied: Counter[str] = Counter()
    for seed in seeds:
        dice, batch_id = Random(seed), {name: uuid4() for name in ("copied", "merged")}
        for _ in range(STEPS):
            stubs = [("departments", str(dice.randrange(12)), dice.choice((None, "S", "T")), NOON) for _ in range(2)]
            numbers = dice.sample(range(12), dice.randrange(1, 7))
            window = dice.choice((FOREVER, FOREVER, AT_NOON))
            facts: list[dict[str, Any]] = [
                {
                    "number": number,
                    "hours": dice.choice((-2, 0, 0, 0.5, 2)),
                    "name": dice.choice("ab"),
                    "dead": dice.random() < 0.2,
                    "location": "no id" if dice.random() < 0.05 else None,
                    "raw_id": str(UUID(int=dice.getrandbits(128))),
                }
                for number in numbers
            ]
            ends = {}
            for mode, batch in batch_id.items():
                tenant = f"{mode}-{seed}"
                with pytest.MonkeyPatch.context() as patch, engine.begin() as connection:
                    if mode == "merged":
                        patch.setattr(RowWriter, "stored_ids", merge_all)
                    write_stubs(connection, LoadContext(tenant, batch, window), stubs, {})
                    rows = [department(tenant, **fact) for fact in facts]
                    done = load(connection, tenant, rows, batch, window)
                ends[mode] = (dict(done.counts), done.turned_away, done.bad, done.deleted, done.revived)
                copied.update({mode: done.counts["inserted"]})
                assert sum(done.counts.values()) == len(rows)
            assert ends["copied"] == ends["merged"], f"seed {seed}"
        looks = [look(engine, tenant=f"{mode}-{seed}", batch_id=batch) for mode, batch in batch_id.items()]
        for name in LOOKS:
            assert looks[0][name] == looks[1][name], f"{name}, seed {seed}"
    assert copied["copied"] == copied["merged"] > 5 * len(seeds)


def waits_for_another(engine: Engine) -> bool:
    """Return whether a transaction of this database waits for another one."""
    query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    with engine.connect() as connection:
        return bool(connection.execute(text(query)).scalar_one())


def test_two_concurrent_copies_of_one_id_both_succeed(engine: Engine) -> None:
    """The second transaction waits for the first one, finds its row and merges."""
    done: list[UpsertResult] = []

    def second() -> None:
        with engine.begin() as connection:
            done.append(load(connection, "t", [department("t", 2, 1, name="newer"), department("t", 3)]))

    with engine.begin() as connection:
        load(connection, "t", [department("t", 1), department("t", 2, name="older")])
        thread = threading.Thread(target=second)
        thread.start()
        deadline = time.monotonic() + WAIT_SECONDS
        while not waits_for_another(engine) and time.monotonic() < deadline:
            thread.join(0.02)
    thread.join(WAIT_SECONDS)
    assert [result.counts for result in done] == [{"updated": 1, "inserted": 1}]
    with engine.connect() as connection:
        names = connection.execute(text("SELECT name FROM departments ORDER BY source_id")).scalars().all()
    assert names == ["a", "newer", "a"]


def test_a_refused_row_does_not_affect_other_copied_rows(engine: Engine) -> None:
    rows = [department("t", number, location="no id" if number == 37 else None) for number in range(1, 101)]
    batch_id = uuid4()
    with engine.begin() as connection:
        done = load(connection, "t", rows, batch_id)
    assert done.counts == {"inserted": 99, "refused": 1}
    assert list(done.bad) == [rows[36].raw_id]
    assert look(engine, tenant="t", batch_id=batch_id)["sync history"] == [(99, 0, 0, 0, 0)]


def policies(count: int) -> list[StagedRecord]:
    """Return one policy for each of `count` customers."""
    staged = []
    for number in range(1, count + 1):
        decoded = {
            "PolicyId": number, "PolicyNumber": f"P{number}", "CustomerId": 70_000 + number, "Status": "A",
            "EffectiveDate": "2026-01-01", "ExpirationDate": "2027-01-01",
        }  # fmt: skip
        record = Record(str(number), msgspec.json.encode(decoded), number.to_bytes(16, "big"), NOON, False, NOON)
        staged.append(StagedRecord(str(UUID(int=number)), record))
    return staged


@pytest.mark.parametrize("there", [0, 1, MANY_STUBS + 49], ids=["no parent", "one parent", "all but one"])
def test_missing_parents_of_copied_rows_get_a_placeholder(engine: Engine, there: int) -> None:
    """With many ids the load assumes that the parents exist; the foreign key reports those that do not."""
    count, contacts, window = MANY_STUBS + 50, "contacts", FOREVER
    reshape = Reshaper(find_resource("policies"), "t", zone="UTC", strict=False)
    with engine.begin() as connection:
        for number in range(1, there + 1):
            key = {"id": row_id("t", contacts, str(70_000 + number)), "source_id": str(70_000 + number)}
            connection.execute(
                text("""
                    INSERT INTO contacts (id, tenant, source_id, status, is_placeholder, last_synced_at, etl_batch_id)
                    VALUES (:id, 't', :source_id, 'A', false, now(), :id)
                """),
                key,
            )
    with engine.begin() as connection:
        cleaned = clean_records(reshape, policies(count))
        done = load_chunk(connection, LoadContext("t", uuid4(), window), find_resource("policies"), cleaned, "rules")
    assert done.counts == {"inserted": count}
    with engine.connect() as connection:
        query = text("SELECT count(*), count(*) FILTER (WHERE is_placeholder) FROM contacts")
        assert tuple(connection.execute(query).one()) == (count, count - there)
