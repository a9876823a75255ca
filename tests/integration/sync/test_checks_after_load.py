"""The checks across records: which rows each of them hits, and the life cycle of its findings."""

import uuid
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from check_cases import (
    FIRST,
    LONG_AGO,
    PROVOKED,
    SECOND,
    TENANT,
    THIRD,
    TODAY,
    Book,
    active_but_expired,
    key,
    placeholder_policy_number,
    term_gap,
)
from databases import MIGRATED, clone_database
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, delete, select, text, update

from etl.checks import CHECKS, get_check
from etl.checks.run_checks import CheckResult, run_due_checks
from etl.database.connect import make_engine
from etl.database.embedded.server import EmbeddedPostgres
from etl.models import BillingRecord, Contact, Model, Policy, Renewal
from etl.models.bookkeeping import check_runs, findings
from etl.status.checks import check_statuses, list_hits


@pytest.fixture(scope="module")
def shelf(server: EmbeddedPostgres) -> Iterator[Engine]:
    """Give the database in which every test has its own book of business, and leaves nothing behind."""
    with clone_database(server.url, MIGRATED) as url:
        engine = make_engine(url)
        yield engine
        engine.dispose()


@pytest.fixture
def book(shelf: Engine) -> Iterator[Book]:
    """Give a book with two customers, inside a transaction that is rolled back."""
    with shelf.connect() as connection, connection.begin() as undone:
        new_book = Book(connection)
        new_book.contact("1", customer_number="C-1")
        new_book.contact("2")
        yield new_book
        undone.rollback()


def hit_by(book: Book, name: str) -> set[str]:
    return {hit.source_id for hit in list_hits(book.connection, TENANT, get_check(name))}


def states(book: Book, rule: str) -> dict[str, str]:
    query = select(findings.c.source_id, findings.c.state).where(findings.c.rule == rule)
    return {row.source_id: row.state for row in book.connection.execute(query)}


def run(book: Book, batch: uuid.UUID | None = None) -> dict[str, CheckResult]:
    return {outcome.check: outcome for outcome in run_due_checks(book.connection, TENANT, batch or book.batch)}


def as_they_lie(connection: Connection) -> list[tuple[Any, ...]]:
    """Return the physical version of every finding: any write changes it."""
    query = "SELECT ctid, xmin, id FROM etl.findings UNION ALL SELECT ctid, xmin, 0 FROM etl.check_runs ORDER BY 1, 3"
    return [tuple(row) for row in connection.execute(text(query))]


@pytest.mark.fact("renewal-bound")
def test_every_check_is_provoked() -> None:
    assert list(PROVOKED) == [check.name for check in CHECKS]


@pytest.mark.parametrize("name", PROVOKED)
def test_a_check_hits_only_what_it_describes(book: Book, name: str) -> None:
    PROVOKED[name](book)
    wanted = {source_id for source_id in all_source_ids(book) if "hit" in source_id.split("-")}
    assert wanted
    assert hit_by(book, name) == wanted


def all_source_ids(book: Book) -> set[str]:
    models = (Contact, Policy, Renewal, BillingRecord)
    return {source_id for model in models for source_id in book.connection.execute(select(model.source_id)).scalars()}


@pytest.mark.parametrize("name", PROVOKED)
def test_hits_become_findings_of_the_resource_with_a_message(book: Book, name: str) -> None:
    PROVOKED[name](book)
    run(book)
    of = get_check(name)
    rows = book.connection.execute(select(findings).where(findings.c.rule == name)).all()
    messages = {hit.source_id: hit.found for hit in list_hits(book.connection, TENANT, of)}
    assert {row.source_id: row.message for row in rows} == messages
    assert {(row.resource, row.table_name, row.field, row.severity, row.state, row.raw_value) for row in rows} == {
        (of.resource, of.table, of.field, of.severity, "open", None)
    }


@pytest.mark.parametrize("name", PROVOKED)
def test_a_second_run_writes_nothing(book: Book, name: str) -> None:
    PROVOKED[name](book)
    assert all(outcome.everything for outcome in run(book).values())
    before = as_they_lie(book.connection)
    again = run(book)
    assert not any(outcome.everything or outcome.new or outcome.fixed for outcome in again.values())
    assert as_they_lie(book.connection) == before


def test_a_finding_is_fixed_when_the_check_stops_hitting_and_reopens_when_it_hits(book: Book) -> None:
    active_but_expired(book)
    run(book)
    later = Book(book.connection, SECOND)
    later.change(Policy, "hit", status="E")
    assert run(later)["active-but-expired"].fixed == 1
    assert states(book, "active-but-expired") == {"hit": "fixed"}
    last = Book(book.connection, THIRD)
    last.change(Policy, "hit", status="A")
    assert run(last)["active-but-expired"].new == 1
    query = select(findings.c.state, findings.c.times_seen).where(findings.c.rule == "active-but-expired")
    assert book.connection.execute(query).one() == ("open", 2)


def test_the_finding_of_a_deleted_row_is_closed(book: Book) -> None:
    active_but_expired(book)
    run(book)
    later = Book(book.connection, SECOND)
    later.change(Policy, "hit", deleted_at=TODAY)
    run(later)
    assert states(book, "active-but-expired") == {"hit": "closed"}


@pytest.mark.parametrize(
    ("name", "model", "changed", "values"),
    [
        ("same-number-two-contacts", Policy, "hit", {"policy_number": "PA 1"}),
        ("term-gap", Policy, "prior", {"expiration_date": LONG_AGO}),
        ("policy-without-contact", Contact, "never-arrived", {"is_placeholder": False, "status": "A"}),
        ("same-person-twice", Contact, "11", {"email": "other@example.com"}),
        ("renewal-without-prior", Policy, "never-arrived",
         {"is_placeholder": False, "status": "A", "contact_id": key(Contact, "1")}),
        ("payments-not-adding-up", BillingRecord, "a-void", {"is_voided": False}),
    ],
)  # fmt: skip
def test_a_change_of_one_row_fixes_the_finding_of_another(
    book: Book, name: str, model: type[Model], changed: str, values: dict[str, Any]
) -> None:
    PROVOKED[name](book)
    run(book)
    later = Book(book.connection, SECOND)
    later.change(model, changed, **values)
    done = run(later)[name]
    assert not done.everything
    assert done.fixed > 0
    still_open = {source_id for source_id, state in states(book, name).items() if state == "open"}
    assert still_open == hit_by(book, name)


def test_a_batch_without_writes_runs_no_check(book: Book) -> None:
    active_but_expired(book)
    run(book)
    assert run(book, SECOND) == {}


def test_on_a_new_day_all_checks_run_without_any_write(book: Book) -> None:
    book.policy("1", expiration_date=TODAY - timedelta(days=1))
    run(book)
    book.connection.execute(delete(findings))
    book.connection.execute(update(check_runs).values(ran_at=TODAY - timedelta(days=1)))
    done = run(book, SECOND)
    assert set(done) == {check.name for check in CHECKS}
    assert states(book, "active-but-expired") == {"1": "open"}


def test_another_tenant_is_not_checked(book: Book) -> None:
    active_but_expired(book)
    assert list(list_hits(book.connection, "other", get_check("active-but-expired"))) == []
    assert {outcome.hits for outcome in run_due_checks(book.connection, "other", FIRST)} == {0}
    assert states(book, "active-but-expired") == {}


def test_a_run_stores_findings_up_to_the_cap_and_counts_the_others(book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("etl.checks.run_checks.CAP", 4)
    placeholder_policy_number(book)
    done = run(book)["placeholder-policy-number"]
    assert (done.hits, done.new, done.left_out) == (6, 4, 2)
    assert len(states(book, "placeholder-policy-number")) == 4
    counted = book.connection.execute(text("SELECT rule, found, left_out FROM etl.finding_counts")).one()
    assert counted == ("placeholder-policy-number", 6, 2)


def test_the_status_of_a_check_has_its_open_findings_and_last_run(book: Book) -> None:
    before = {item.check.name: item for item in check_statuses(book.connection, TENANT)}
    assert list(before) == [item.name for item in CHECKS]
    assert before["term-gap"].ran_at is None
    term_gap(book)
    run(book)
    standing = {item.check.name: item for item in check_statuses(book.connection, TENANT)}["term-gap"]
    assert standing.open == 1
    assert standing.ran_at is not None
    assert [item.found for item in list_hits(book.connection, TENANT, get_check("term-gap"), most=1)] == [
        f"starts on {LONG_AGO:%Y-%m-%d}, 3 days after the prior term ended"
    ]


policies = st.fixed_dictionaries({
    "status": st.sampled_from("ACDEP"),
    "policy_number": st.sampled_from([None, "TBA", "PA 4711", "111111"]),
    "effective_date": st.none() | st.dates(date(1, 1, 1), date(9999, 12, 31)),
    "expiration_date": st.none() | st.dates(date(1, 1, 1), date(9999, 12, 31)),
    "contact": st.sampled_from("12"),
})  # fmt: skip


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.lists(policies, min_size=1, max_size=5), st.lists(policies, min_size=1, max_size=5))
def test_findings_match_the_hits_after_any_change(
    book: Book, first: list[dict[str, Any]], then: list[dict[str, Any]]
) -> None:
    with book.connection.begin_nested() as undone:
        for number, values in enumerate(first):
            book.policy(str(number), prior=str(number - 1) if number else None, **values)
        run(book)
        later = Book(book.connection, SECOND)
        for number, values in enumerate(then[: len(first)]):
            contact = values["contact"]
            rest = {name: value for name, value in values.items() if name != "contact"}
            later.change(Policy, str(number), contact_id=key(Contact, contact), **rest)
        run(later)
        for check in CHECKS:
            still_open = {source_id for source_id, state in states(book, check.name).items() if state == "open"}
            assert still_open == hit_by(book, check.name), check.name
        before = as_they_lie(book.connection)
        run(later)
        assert as_they_lie(book.connection) == before
        undone.rollback()
