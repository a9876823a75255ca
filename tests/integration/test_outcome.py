"""What PostgreSQL says of a transaction whose answer was lost: committed, rolled back, or never heard of."""

from sqlalchemy import Engine, text

from etl.ledger.outcome import number_of, was_committed

WRITES = text("CREATE TABLE something (id int)")


def test_one_that_was_committed_and_one_that_was_not(engine: Engine) -> None:
    with engine.connect() as connection:
        connection.execute(WRITES)
        rolled_back = number_of(connection)
        connection.rollback()
        connection.execute(WRITES)
        committed = number_of(connection)
        connection.commit()
        assert number_of(connection) is None, "nothing was written"
    assert was_committed(engine, committed)
    assert not was_committed(engine, rolled_back)
    assert not was_committed(engine, None)


def test_one_that_a_crash_has_lost_without_a_trace_was_not_committed(engine: Engine) -> None:
    """What a server had not written out when it crashed leaves not even its number, which is given again later."""
    with engine.connect() as connection:
        connection.execute(WRITES)
        last = number_of(connection)
        assert last is not None
    assert not was_committed(engine, str(int(last) + 1_000))
