"""The clock of the benchmarks: all statements of a database see the time that was skipped."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import text

from benchmarks.calls import measure_first_sync, open_agency
from benchmarks.calls_book import BookSize, open_account
from benchmarks.clock import JumpingClock
from etl.database.connect import make_engine
from etl.ledger.children.queue import read_database_time


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
    with open_account(BookSize(4, 10, 0.5), 6.0) as simulator:
        agency = open_agency(simulator, database_url, 6.0)
        period, due = measure_first_sync(agency)
        world = simulator.world
        active = [key for key in world.clients if world.contacts[key]["Status"] == "A"]
        policies = [policy for policy in world.policies.values() if policy["Status"] != "D"]
    assert period.refused == 0
    assert period.calls["account"] == period.calls["documents"] == len(active)
    assert period.calls["policy_info"] == len(policies)
    assert due["account_info"] == len(active), "the forecast, as soon as the lists are read"
    assert due["policy_details"] == len(policies)
    assert period.useful_calls is not None
    assert period.useful_minutes is not None
    assert period.useful_minutes <= period.minutes
    assert period.useful_calls < period.current_calls <= period.accepted
    assert period.accepted <= 60 * (period.minutes + 1), "the limit is kept"
