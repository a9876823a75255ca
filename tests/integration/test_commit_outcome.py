"""The outcome of a commit with a lost answer: its evidence decides, not a transaction id, which may be reused."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Connection, Engine, text

from etl.database.embedded.file_lock import wait_until
from etl.database.retry import with_retries
from etl.errors import CommitUnknown
from etl.ledger import commit_outcome
from etl.ledger.commit_outcome import remove_expired, was_committed, write_evidence

WRITES = text("CREATE TABLE something (id int)")
EVIDENCE = text("SELECT count(*) FROM etl.commits")
SECONDS = 30


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the retries."""
    monkeypatch.setattr(commit_outcome, "with_retries", partial(with_retries, retry_seconds=0.5))


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list that grows with each check of an outcome."""
    calls: list[int] = []

    def watched(look: object) -> bool:
        def counted() -> bool:
            calls.append(1)
            return bool(look())  # type: ignore[operator]

        return with_retries(counted)

    monkeypatch.setattr(commit_outcome, "with_retries", watched)
    return calls


@pytest.fixture
def opened(engine: Engine) -> Iterator[tuple[Connection, UUID, str]]:
    """Yield an open transaction that has written, with its attempt id and transaction id."""
    with engine.connect() as connection:
        connection.execute(WRITES)
        attempt = uuid4()
        number = write_evidence(connection, attempt)
        assert number is not None
        yield connection, attempt, number


def test_a_committed_and_a_rolled_back_attempt_are_distinguished(engine: Engine) -> None:
    committed, rolled_back, empty = uuid4(), uuid4(), uuid4()
    with engine.connect() as connection:
        connection.execute(WRITES)
        first = write_evidence(connection, rolled_back)
        connection.rollback()
        connection.execute(WRITES)
        second = write_evidence(connection, committed)
        connection.commit()
        assert write_evidence(connection, empty) is None, "nothing was written"
        connection.commit()
        assert connection.execute(EVIDENCE).scalar_one() == 1
    assert was_committed(engine, committed, second)
    assert not was_committed(engine, rolled_back, first)
    assert not was_committed(engine, empty, None)


def test_an_attempt_whose_id_was_reused_was_not_committed(engine: Engine) -> None:
    """After a crash, the server can assign the id of a lost transaction again."""
    with engine.begin() as connection:
        connection.execute(WRITES)
        number = write_evidence(connection, uuid4())
    with engine.connect() as connection:
        status = "SELECT pg_xact_status(CAST(:number AS xid8))"
        assert connection.execute(text(status), {"number": number}).scalar_one() == "committed"
    assert not was_committed(engine, uuid4(), number)


@pytest.mark.usefixtures("impatient")
def test_an_attempt_with_an_unassigned_id_was_not_committed(engine: Engine) -> None:
    with engine.connect() as connection:
        connection.execute(WRITES)
        last = write_evidence(connection, uuid4())
        assert last is not None
    assert not was_committed(engine, uuid4(), str(int(last) + 1_000))


@pytest.mark.usefixtures("impatient")
def test_an_attempt_whose_id_is_in_use_by_another_stays_unknown(
    engine: Engine, opened: tuple[Connection, UUID, str]
) -> None:
    _, _, number = opened
    with pytest.raises(CommitUnknown, match="transaction is still open"):
        was_committed(engine, uuid4(), number)


@pytest.mark.parametrize("ends", ["commit", "rollback"])
@pytest.mark.parametrize("level", ["READ COMMITTED", "REPEATABLE READ"])
def test_an_open_transaction_is_waited_for(
    engine: Engine, opened: tuple[Connection, UUID, str], checks: list[int], ends: str, level: str
) -> None:
    connection, attempt, number = opened
    with ThreadPoolExecutor(1) as other:
        future = other.submit(was_committed, engine.execution_options(isolation_level=level), attempt, number)
        assert wait_until(lambda: len(checks) >= 2, SECONDS)
        assert not future.done()
        getattr(connection, ends)()
        assert future.result(SECONDS) is (ends == "commit")


def test_evidence_is_removed_after_a_day_without_waiting_for_locks(engine: Engine) -> None:
    with engine.begin() as connection:
        for hours in (1, 23, 25, 26):
            age = {"age": f"{hours} hours"}
            connection.execute(
                text("INSERT INTO etl.commits VALUES (gen_random_uuid(), now() - CAST(:age AS interval))"), age
            )
    with engine.begin() as other, engine.begin() as connection:
        other.execute(text("DELETE FROM etl.commits WHERE noted_at < now() - interval '25 hours 30 minutes'"))
        connection.execute(text("SET LOCAL lock_timeout = '5s'"))
        remove_expired(connection)
    with engine.connect() as connection:
        assert connection.execute(EVIDENCE).scalar_one() == 2
