"""Which records a sync window lets into production, case by case."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sites import settings_for
from snapshots import value
from sqlalchemy import Engine, text

from etl.ledger.batches import build_batch, create_batch
from etl.ledger.staging.classify import IncomingRecord
from etl.ledger.staging.stage import StageContext, stage_records
from etl.ledger.transaction import Ledger
from etl.load import LoadService
from etl.record import Record
from etl.reshape.rules import rules_version
from etl.resources import find_resource
from etl.simulator import Simulator
from etl.transform import TransformService
from etl.window import Window

CONTACTS = find_resource("contacts")
JUNE = Window(datetime(2026, 6, 1, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC))
INSIDE, BEFORE, AFTER = (datetime(2026, month, 15, tzinfo=UTC) for month in (6, 4, 8))
AGES_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Bench:
    """An empty database and the services that fill it."""

    engine: Engine
    settings: Any

    def bring(self, city: str, version: datetime, created: datetime = AGES_AGO, *, undated: bool = False) -> UUID:
        """Stage and clean one version of contact 7, and return its batch."""
        batch = build_batch("default", JUNE, rules_version(self.settings.cleaning), "extract", {})
        raw = b'{"EntityID": 7, "Status": "A", "DisplayName": "X", "City": "%s"}' % city.encode()
        modified = None if undated else version
        record = Record(
            "7", raw, city.encode().ljust(16), version, undated, modified, None if undated else created
        )  # fmt: skip
        ledger = Ledger(self.engine, "default")
        ledger.commit(lambda connection: create_batch(connection, batch, {"contacts": JUNE}, "test"))
        intake = StageContext("default", batch.id, batch.rules)
        ledger.commit(lambda connection: stage_records(connection, intake, CONTACTS, [IncomingRecord(record, None)]))
        TransformService(self.engine, settings=self.settings).transform_batch(batch.id)
        return batch.id

    def load(self, batch_id: UUID, window: Window | None = None) -> dict[str, int]:
        """Load a batch for June and return the outcome of its contact."""
        results = LoadService(self.engine, settings=self.settings).load_batch(batch_id, window or JUNE)
        return {str(name): number for name, number in results.counts["contacts"].items() if number}

    def last_synced(self, moment: datetime) -> None:
        with self.engine.begin() as connection:
            connection.execute(text("UPDATE contacts SET last_synced_at = :moment"), {"moment": moment})

    @property
    def city(self) -> Any:
        return value(self.engine, "SELECT city FROM contacts")


@pytest.fixture
def bench(engine: Engine, simulator: Simulator, database_url: str) -> Bench:
    """Give an empty database."""
    return Bench(engine, settings_for(simulator, database_url))


@pytest.mark.parametrize("version", [BEFORE, INSIDE, AFTER])
def test_a_new_record_is_written_with_any_date(bench: Bench, version: datetime) -> None:
    assert bench.load(bench.bring("Rome", version)) == {"inserted": 1}
    assert bench.city == "Rome"


SAME_VERSION = {
    "modified inside, last synced before the end": (INSIDE, AGES_AGO, INSIDE, "updated"),
    "created inside, last synced before the end": (AFTER, INSIDE, INSIDE, "updated"),
    "inside, last synced after the end": (INSIDE, AGES_AGO, AFTER, "outside_window"),
    "inside, last synced at the very end": (INSIDE, AGES_AGO, JUNE.end, "outside_window"),
    "modified before the window and its overlap": (BEFORE, AGES_AGO, INSIDE, "outside_window"),
    "modified after the window": (AFTER, AGES_AGO, INSIDE, "outside_window"),
    "modified at the start": (JUNE.start, AGES_AGO, INSIDE, "updated"),
    "modified within the overlap": (JUNE.start - timedelta(hours=23), AGES_AGO, INSIDE, "updated"),
    "modified at the end": (JUNE.end, AGES_AGO, INSIDE, "outside_window"),
}


@pytest.mark.parametrize("case", SAME_VERSION)
def test_the_window_decides_between_two_readings_of_a_version(bench: Bench, case: str) -> None:
    version, created, last_synced, outcome = SAME_VERSION[case]
    bench.load(bench.bring("Rome", version, created))
    bench.last_synced(last_synced)
    assert bench.load(bench.bring("Oslo", version, created)) == {outcome: 1}
    assert bench.city == ("Oslo" if outcome == "updated" else "Rome")


@pytest.mark.parametrize("last_synced", [BEFORE, INSIDE, AFTER])
@pytest.mark.parametrize("version", [BEFORE + timedelta(days=1), INSIDE, AFTER])
def test_a_strictly_newer_version_is_always_written(bench: Bench, version: datetime, last_synced: datetime) -> None:
    bench.load(bench.bring("Rome", BEFORE))
    bench.last_synced(last_synced)
    assert bench.load(bench.bring("Oslo", version)) == {"updated": 1}
    assert bench.city == "Oslo"


def test_an_older_version_never_overwrites_a_newer_one_in_any_order_of_batches(bench: Bench) -> None:
    older, newer = bench.bring("Rome", INSIDE), bench.bring("Oslo", INSIDE + timedelta(days=1))
    assert bench.load(newer) == {"inserted": 1}
    assert bench.load(older) == {"older": 1}
    assert bench.city == "Oslo"


def test_a_late_older_version_is_kept_only_in_staging(bench: Bench) -> None:
    bench.load(bench.bring("Oslo", INSIDE))
    assert bench.load(bench.bring("Rome", BEFORE)) == {}
    assert bench.city == "Oslo"
    assert value(bench.engine, "SELECT count(*) FROM raw.raw_contacts WHERE superseded_at IS NOT NULL") == 1


@pytest.mark.parametrize("before", [None, INSIDE])
def test_a_touch_changes_only_the_time_at_the_source(bench: Bench, before: datetime | None) -> None:
    bench.load(bench.bring("Rome", before or INSIDE - timedelta(days=9)))
    with bench.engine.begin() as connection:
        connection.execute(text("UPDATE contacts SET source_modified_at = :before"), {"before": before})
    later = INSIDE + timedelta(days=2)
    rest = "SELECT CAST(to_jsonb(c) - ARRAY['source_modified_at', 'version_at'] AS text) FROM contacts AS c"
    row = value(bench.engine, rest)
    assert bench.load(bench.bring(" Rome ", later)) == {"unchanged": 1}
    assert value(bench.engine, "SELECT source_modified_at FROM contacts") == later
    assert value(bench.engine, "SELECT version_at FROM contacts") == later
    assert value(bench.engine, rest) == row


def test_an_undated_record_belongs_to_the_batch_that_read_it(bench: Bench) -> None:
    bench.load(bench.bring("Rome", AFTER, undated=True))
    bench.last_synced(INSIDE)
    assert bench.load(bench.bring("Oslo", AFTER, undated=True)) == {"updated": 1}
    assert bench.load(bench.bring("Bonn", AFTER + timedelta(days=99), undated=True)) == {"updated": 1}
    assert bench.city == "Bonn"


def test_a_replay_of_a_past_window_repairs_without_overwriting_newer_rows(bench: Bench) -> None:
    first = bench.bring("Rome", INSIDE)
    bench.load(first)
    bench.load(bench.bring("Oslo", AFTER))
    assert bench.load(first) == {}
    assert bench.load(bench.bring("Rome", INSIDE)) == {}
    assert bench.city == "Oslo"
