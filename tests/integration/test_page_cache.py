"""The page cache: unchanged pages are skipped, and a change is never lost."""

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
    """Return the names of the live contacts."""
    with engine.connect() as connection:
        query = text("SELECT display_name FROM contacts WHERE deleted_at IS NULL ORDER BY source_id")
        return list(connection.execute(query).scalars())


@pytest.fixture
def account(engine: Engine) -> Account:
    """Return an account with an empty database."""
    return Account(engine)


def is_cached(account: Account, *items: bytes) -> bool:
    """Return whether a page of these items would be skipped."""
    page = account.page(items)
    return bool(account.writer().skip_unchanged(account.group([page]))[0].answers)


def test_a_page_is_cached_while_its_records_are_current(account: Account) -> None:
    items = [contact(1, NOON), contact(2, NOON)]
    account.write(account.page(items))
    assert is_cached(account, *items)
    assert not is_cached(account, *reversed(items)), "another page"
    account.write(account.page([contact(2, LATER)]))
    assert not is_cached(account, *items)


def test_a_page_is_not_cached_after_a_concurrent_later_reading(
    account: Account, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cached page is counted while another worker writes another text of the same version."""
    first, second = contact(1, NOON, DisplayName="first"), contact(1, NOON, DisplayName="second")
    account.write(account.page([first]))
    taker, count = account.writer(), PageWriter.commit_unchanged

    def overtaken(self: PageWriter, *args: object, **more: object) -> None:
        monkeypatch.setattr(PageWriter, "commit_unchanged", count)
        write_group(taker, account.group([account.page([second], number=2)]))
        count(self, *args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(PageWriter, "commit_unchanged", overtaken)
    write_group(taker, account.group([account.page([first])]))
    assert living_names(engine) == ["second"]
    account.write(account.page([first]))
    assert living_names(engine) == ["first"]


def test_a_page_is_not_cached_when_its_transaction_was_overtaken(
    account: Account, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A transaction that reserved its request ids earlier may commit later."""
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


def test_a_page_is_not_cached_after_a_deletion_was_undone(account: Account, engine: Engine) -> None:
    """The restored version is the one that was missing then, not the one that the page contained later."""
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
    """Run a full scan that returns no record, and return its batch id."""
    taker = account.writer()
    batch = account.ledger.read(partial(batches.read_batch, batch_id=taker.batch_id))
    account.ledger.commit(partial(mark_missing_deleted, resource=account.resource, batch=batch, excluded=()))
    return taker.batch_id


def test_a_page_is_not_cached_under_other_reading_rules(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    """New reading rules, such as one more secret, apply to unchanged pages too, even after a replay."""
    items = [contact(1, NOON)]
    account.write(account.page(items))
    assert is_cached(account, *items)
    monkeypatch.setattr(answers, "reading_rules", lambda: b"of another version")
    assert not is_cached(account, *items)


def test_two_items_differ_from_one_item_with_a_line_break(account: Account) -> None:
    items = [contact(1, NOON), contact(2, NOON)]
    account.write(account.page(items))
    assert not is_cached(account, b"\n".join(items))


def test_pages_of_resources_with_a_time_of_change_are_cached() -> None:
    known = {resource.name for resource in CATALOGUE if resource.endpoints and is_cacheable(resource)}
    assert known == {"locations", "contacts", "applications", "policies", "claims", "commissions"}
