"""Pages that are known are passed by, and never where that would lose a change."""

from datetime import timedelta
from functools import partial
from uuid import UUID

import pytest
from feed_pages import NOON, Account, contact, write_group
from sqlalchemy import Connection, Engine, text

from etl.engine import answers
from etl.engine.page_writer import PageWriter
from etl.ledger import batches, slices
from etl.ledger.staging import full_scan
from etl.ledger.staging.page_cache import is_cacheable
from etl.pipeline.reconcile import mark_missing_deleted
from etl.resources import CATALOGUE

LATER = NOON + timedelta(hours=1)


def living_names(engine: Engine) -> list[str]:
    """Return the names of the contacts that live in production."""
    with engine.connect() as connection:
        query = text("SELECT display_name FROM contacts WHERE deleted_at IS NULL ORDER BY source_id")
        return list(connection.execute(query).scalars())


@pytest.fixture
def account(engine: Engine) -> Account:
    """Give an account of an empty database."""
    return Account(engine)


def is_known(account: Account, *items: bytes) -> bool:
    """Tell whether a page of these items would be passed by."""
    page = account.page(items)
    return bool(account.writer().skip_unchanged(account.group([page]))[0].answers)


def test_a_page_is_known_once_it_was_read_and_its_records_stand(account: Account) -> None:
    items = [contact(1, NOON), contact(2, NOON)]
    account.write(account.page(items))
    assert is_known(account, *items)
    assert not is_known(account, *reversed(items)), "another page"
    account.write(account.page([contact(2, LATER)]))
    assert not is_known(account, *items)


def test_a_page_is_not_known_that_a_later_reading_beside_it_overtook(
    account: Account, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A known page is counted while another lane of the batch brings another text of the same version."""
    first, second = contact(1, NOON, DisplayName="first"), contact(1, NOON, DisplayName="second")
    account.write(account.page([first]))
    taker, count = account.writer(), PageWriter.commit_unchanged

    def overtaken(self: PageWriter, *args: object, **more: object) -> None:
        monkeypatch.setattr(PageWriter, "commit_known", count)
        write_group(taker, account.group([account.page([second], number=2)]))
        count(self, *args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(PageWriter, "commit_known", overtaken)
    write_group(taker, account.group([account.page([first])]))
    assert living_names(engine) == ["second"]
    account.write(account.page([first]))
    assert living_names(engine) == ["first"]


def test_a_page_is_not_known_whose_transaction_was_overtaken(
    account: Account, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A transaction that numbered its requests before another one may yet write what that one wrote, and more."""
    first, second = contact(1, NOON, DisplayName="first"), contact(1, NOON, DisplayName="second")
    taker, numbered = account.writer(), slices.reserve_request_ids

    def overtaken(connection: Connection, number: int) -> list[int]:
        ids = numbered(connection, number)
        monkeypatch.setattr(slices, "reserve_request_ids", numbered)
        write_group(taker, account.group([account.page([first], number=2)]))
        return ids

    monkeypatch.setattr(slices, "reserve_request_ids", overtaken)
    write_group(taker, account.group([account.page([second])]))
    assert living_names(engine) == ["second"]
    account.write(account.page([first]))
    assert living_names(engine) == ["first"]


def test_a_page_is_not_known_after_what_vanished_was_taken_back(account: Account, engine: Engine) -> None:
    """What is taken back is the version that vanished then, and not the one that the page showed meanwhile."""
    account.write(account.page([contact(1, NOON, DisplayName="first")]))
    vanished_first = vanish(account)
    meanwhile = [contact(1, LATER, DisplayName="second")]
    account.write(account.page(meanwhile))
    vanish(account)
    account.ledger.commit(
        partial(full_scan.restore_missing, resource=account.resource, tenant=account.tenant, batch_id=vanished_first)
    )
    account.write(account.page(meanwhile))
    assert living_names(engine) == ["second"]


def vanish(account: Account) -> UUID:
    """Let a full reading meet no record at all, and return its batch."""
    taker = account.writer()
    batch = account.ledger.read(partial(batches.read_batch, batch_id=taker.batch_id))
    account.ledger.commit(partial(mark_missing_deleted, resource=account.resource, batch=batch, excluded=()))
    return taker.batch_id


def test_a_page_that_was_read_otherwise_is_another_page(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new way of reading, such as one more secret, reaches pages that have not changed, even behind a replay."""
    items = [contact(1, NOON)]
    account.write(account.page(items))
    assert is_known(account, *items)
    monkeypatch.setattr(answers, "reading_rules", lambda: b"of another version")
    assert not is_known(account, *items)


def test_two_items_are_not_one_with_a_line_break(account: Account) -> None:
    items = [contact(1, NOON), contact(2, NOON)]
    account.write(account.page(items))
    assert not is_known(account, b"\n".join(items))


def test_resources_are_known_by_pages_where_their_records_show_what_changed() -> None:
    known = {one.name for one in CATALOGUE if is_cacheable(one)}
    assert known == {"employees", "contacts", "applications", "policies", "claims", "commissions"}
