"""The clock of the benchmarks: all statements of a database see the time that was skipped."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import text

from benchmarks.calls import Agency as BenchmarkAgency
from benchmarks.calls import account, measure_first_sync
from benchmarks.clock import JumpingClock
from etl.database.connect import make_engine
from etl.ledger.children.queue import read_database_time
from etl.simulator import Simulator


def test_statements_of_the_ledger_see_the_skipped_time(database_url: str) -> None:
    clock = JumpingClock(database_url)
    clock.skip(timedelta(days=3))
    engine = make_engine(database_url)
    with engine.connect() as connection:
        ahead = read_database_time(connection) - datetime.now(UTC)
        moving = connection.execute(text("SELECT clock_timestamp()")).scalar_one() - datetime.now(UTC)
    engine.dispose()
    for shift in (ahead, moving, clock.now() - datetime.now(UTC)):
        assert timedelta(days=3, minutes=-5) < shift < timedelta(days=3, minutes=5)


def test_a_first_sync_under_the_limit_is_complete_without_refused_calls(database_url: str) -> None:
    """60 calls in 6 s in place of a minute."""
    clock = JumpingClock(database_url)
    with Simulator(account(4, 6.0)) as simulator:
        simulator.server.clock = clock.now
        period = measure_first_sync(BenchmarkAgency(simulator, database_url, clock, 6.0))
        customers = sum(code == "C" for code in simulator.world.contact_types.values())
    assert period.refused <= period.accepted * 0.005
    assert period.calls["policies"] >= 1
    assert 0 < period.calls["account"] <= 2 * customers
    assert period.useful_minutes is not None
    assert period.useful_minutes <= period.minutes
    assert period.accepted <= 60 * (period.minutes + 1), "the limit is kept"
