"""Times that people read are in ETL_TIMEZONE; `--utc` and JSON have UTC."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from command_line import CommandLine, settings_of
from databases import MIGRATED, clone_database

from etl.database.embedded.server import EmbeddedPostgres
from etl.simulator import Simulator, SimulatorSettings

ZONE = ZoneInfo("Pacific/Chatham")
SYNC = ("sync", "--resource", "carrier_list", "--to", "2024-06-01T10:20")


@pytest.fixture(scope="module")
def qqetl(server: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CommandLine]:
    with Simulator(SimulatorSettings(contacts=4)) as simulator, clone_database(server.url, MIGRATED) as url:
        settings = {"DATABASE_URL": url, "ETL_TIMEZONE": ZONE.key}
        yield CommandLine(tmp_path_factory.mktemp("zone"), settings_of(simulator) | settings)


def test_times_are_shown_in_the_zone_and_in_utc_on_request(qqetl: CommandLine) -> None:
    done = qqetl(*SYNC)
    assert done.returncode == 0, done.stderr
    assert "Covered 2000-01-01 to 2024-06-01 23:05 +1245." in done.stdout
    runs, in_utc = qqetl("runs"), qqetl("runs", "--utc")
    (started,) = {datetime.fromisoformat(run["started_at"]) for run in json.loads(qqetl("runs", "--json").stdout)}
    assert started.utcoffset() == datetime.now(UTC).utcoffset()
    assert f"{started.astimezone(ZONE):%Y-%m-%d %H:%M}" in runs.stdout
    assert re.search(r"Started \(\+1[23]45\)", runs.stdout)
    assert f"{started:%Y-%m-%d %H:%M}" in in_utc.stdout
    assert "Started (UTC)" in in_utc.stdout
    assert qqetl("--utc", "runs").stdout == in_utc.stdout


def test_an_unknown_zone_is_named(qqetl: CommandLine) -> None:
    done = qqetl.with_settings(ETL_TIMEZONE="Mars/Olympus")("runs")
    assert done.returncode == 2
    assert "ETL_TIMEZONE" in done.stderr
    assert "America/New_York" in done.stderr
